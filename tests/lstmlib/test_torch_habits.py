"""Habits of code around nn.LSTM that torch's own tests have too: pruning, default devices, flat gradients."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.nn.utils.rnn import pack_sequence

from lstmlib import LSTM, LSTMCell

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)
every_backend = pytest.mark.parametrize("backend", ["loop", "fused"])


def pair(backend, **config):
    theirs, ours = nn.LSTM(3, 5, dtype=F64, **config), LSTM(3, 5, dtype=F64, backend=backend, **config)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@every_backend
@pytest.mark.parametrize("config", [{}, dict(num_layers=2, bidirectional=True, proj_size=2)], ids=str)
def test_gradients_are_contiguous_and_may_be_viewed(backend, config):
    x = torch.randn(4, 2, 3, dtype=F64)
    theirs, ours = (torch.cat([grad.view(-1) for grad in gradients(layer, x)]) for layer in pair(backend, **config))
    torch.testing.assert_close(ours, theirs, **CLOSE)


def gradients(layer, x):
    return torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))


@every_backend
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("config", [dict(num_layers=2), dict(num_layers=3, bidirectional=True)], ids=str)
def test_same_dropout_masks_for_packed_input(backend, enforce_sorted, config):
    lengths = [4, 2, 1] if enforce_sorted else [2, 4, 1]
    packed = pack_sequence([torch.randn(length, 3, dtype=F64) for length in lengths], enforce_sorted=enforce_sorted)
    found = []
    for layer in pair(backend, dropout=0.5, **config):
        torch.manual_seed(11)
        output, states = layer(packed)
        found.append((output.data, states, torch.rand(1)))  # and as many numbers drawn
    torch.testing.assert_close(*found, **CLOSE)


@every_backend
def test_packed_input_under_another_default_device(backend):
    packed = pack_sequence([torch.randn(2, 3, dtype=F64), torch.randn(4, 3, dtype=F64)], enforce_sorted=False)
    found = []
    for layer in pair(backend):
        with torch.device("meta"):
            output, states = layer(packed)
        found.append((output.data, states))
    torch.testing.assert_close(*found, **CLOSE)


@pytest.mark.parametrize("make", [nn.LSTM, LSTM])
def test_flat_weights_follow_pruning(make):
    layer = make(3, 5, proj_size=2)

    def parameters_among_them():
        return sum(isinstance(weight, nn.Parameter) for weight in layer._flat_weights)

    assert len(layer._flat_weights) == parameters_among_them() == 5
    prune.l1_unstructured(layer, "weight_ih_l0", 0.5)
    assert parameters_among_them() == 4
    prune.remove(layer, "weight_ih_l0")
    assert parameters_among_them() == 5 and "weight_ih_l0" in layer._parameters


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_a_traced_cell_takes_any_batch():
    cell = LSTMCell(3, 5)
    traced = torch.jit.trace(cell, torch.randn(2, 3))
    x = torch.randn(7, 3)
    torch.testing.assert_close(traced(x), cell(x))

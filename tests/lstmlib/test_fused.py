"""What the fused backend promises beside its numbers: what it keeps, what it refuses, that it stays linear in time."""

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode

from lstmlib import LSTM, PeepholeCell, backends
from lstmlib.fused import chunks, tanh_by_sigmoid


def saved_bytes(layer, x):
    """Bytes that autograd keeps for the backward pass, each storage once, weights and input left out."""
    storages = {}

    def pack(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(x)
    for own in [x, *layer.parameters()]:
        storages.pop(own.untyped_storage().data_ptr(), None)
    return sum(storages.values())


def test_keeps_c_and_the_output_of_each_step_and_nothing_else():
    time, batch, hidden = 20, 8, 32
    x = torch.randn(time, batch, 16)
    step = batch * hidden * 4
    fused = saved_bytes(LSTM(16, hidden, backend="fused"), x)
    assert fused == 2 * time * step + 2 * step  # and h_0, c_0
    assert fused < 0.4 * saved_bytes(LSTM(16, hidden, backend="loop"), x)


class Calls(TorchDispatchMode):
    """Counts the operators called and the numbers they make."""

    def __init__(self):
        super().__init__()
        self.made = 0
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        self.count += 1
        for one in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(one, torch.Tensor) and not function.is_view:
                self.made += one.numel()
        return made


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_work_of_a_train_step_is_linear_in_time(backend):
    layer = LSTM(4, 8, backend=backend)
    work = []
    for time in (32, 64, 128):
        x = torch.randn(time, 2, 4, requires_grad=True)
        with Calls() as calls:
            layer(x)[0].sum().backward()
        work.append((calls.count, calls.made))
    for (count, made), (count_twice, made_twice) in zip(work, work[1:]):
        assert count_twice < 2.1 * count and made_twice < 2.1 * made


def test_auto_is_fused_where_it_can_be_and_the_loop_elsewhere():
    assert backends.choose("auto", LSTM(2, 3).cell) is backends.BACKENDS["fused"].run
    assert backends.choose("auto", LSTM(2, 3, cell=PeepholeCell).cell) is backends.BACKENDS["loop"].run


def test_refuses_a_variant_by_name():
    with pytest.raises(ValueError, match="backend 'fused' cannot run PeepholeCell: its backward is that of LSTMCell"):
        LSTM(2, 3, cell=PeepholeCell, backend="fused")


@pytest.mark.parametrize("latest_first", [True, False])
@pytest.mark.parametrize("time, batch, hidden", [(1, 1, 1), (7, 64, 512), (100, 0, 3), (5, 10**4, 10**3)])
def test_chunks_cover_time_once(time, batch, hidden, latest_first):
    parts = chunks(time, batch, hidden, latest_first)
    steps = [t for part in parts for t in (reversed(range(time)[part]) if latest_first else range(time)[part])]
    assert steps == (list(range(time))[::-1] if latest_first else list(range(time)))


@pytest.mark.parametrize("dtype, bound", [(torch.float32, 3e-7), (torch.float64, 1e-15)])
def test_tanh_by_sigmoid(dtype, bound):
    a = torch.linspace(-20, 20, 10001, dtype=dtype)
    found = tanh_by_sigmoid(a, out=torch.empty_like(a))
    assert (found - torch.tanh(a.double())).abs().max() < bound

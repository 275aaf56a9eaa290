"""What code written for nn.LSTM relies on beside its numbers."""

import copy
import pickle
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from lstmlib import LSTM

CONFIGURATIONS = [
    dict(input_size=3, hidden_size=5),
    dict(input_size=3, hidden_size=5, num_layers=2, bias=False, batch_first=True),
    dict(input_size=3, hidden_size=5, num_layers=2, bidirectional=True, dropout=0.5),
    dict(input_size=3, hidden_size=5, num_layers=2, bidirectional=True, proj_size=2),
    dict(input_size=3, hidden_size=5, bias=False, proj_size=2, dtype=torch.float64),
]


@pytest.fixture(params=CONFIGURATIONS, ids=lambda c: " ".join(f"{k}={v}" for k, v in c.items()))
def config(request):
    return request.param


def test_same_seed_same_parameters_and_names(config):
    torch.manual_seed(7)
    theirs = nn.LSTM(**config)
    torch.manual_seed(7)
    ours = LSTM(**config)
    assert repr(ours) == repr(theirs)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    for mine, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, expected) and mine.dtype == expected.dtype
    theirs.reset_parameters()
    torch.manual_seed(1), theirs.reset_parameters(), torch.manual_seed(1), ours.reset_parameters()
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


def test_state_dict_strict_both_ways(config):
    theirs, ours = nn.LSTM(**config), LSTM(**config)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    again = nn.LSTM(**config)
    again.load_state_dict(ours.state_dict(), strict=True)
    assert all(map(torch.equal, again.parameters(), theirs.parameters()))
    assert list(ours.modules()) == [ours] and not list(ours.buffers())


def test_attributes(config):
    theirs, ours = nn.LSTM(**config), LSTM(**config)
    names = "mode input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size training"
    for name in names.split():
        assert getattr(ours, name) == getattr(theirs, name) and type(getattr(ours, name)) is type(getattr(theirs, name))
    shapes = [[[tuple(w.shape) for w in group] for group in layer.all_weights] for layer in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert ours.flatten_parameters() is None


def test_copies(config):
    layer = LSTM(**config).eval()
    x = torch.randn(4, 2, 3, dtype=config.get("dtype"))
    expected = layer(x)[0]
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], expected)
        assert not twin.cell.training
    twin.weight_ih_l0.data.zero_()
    assert torch.equal(layer(x)[0], expected)


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_functional_call(backend):
    theirs, ours = nn.LSTM(3, 5), LSTM(3, 5, backend=backend)
    x = torch.randn(4, 2, 3)
    expected = theirs(x)[0]
    found, _ = torch.func.functional_call(ours, theirs.state_dict(), (x,))
    torch.testing.assert_close(found, expected)


def test_weights_may_be_replaced_and_parametrised():
    theirs, ours = nn.LSTM(3, 5), LSTM(3, 5)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 2, 3)
    for layer in (theirs, ours):
        layer.weight_hh_l0 = nn.Parameter(layer.weight_hh_l0.detach() * 2)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])
    parametrizations.weight_norm(ours, "weight_hh_l0")
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])
    ours(x)[0].sum().backward()
    assert ours.parametrizations.weight_hh_l0.original0.grad is not None


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_meta(backend):
    theirs = nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2, device="meta")
    ours = LSTM(3, 5, 2, bidirectional=True, proj_size=2, device="meta", backend=backend)
    x = torch.empty(4, 6, 3, device="meta")
    for mine, expected in zip((ours(x)[0], *ours(x)[1]), (theirs(x)[0], *theirs(x)[1])):
        assert mine.is_meta and mine.shape == expected.shape and mine.dtype == expected.dtype
    ours(x)[0].sum().backward()
    assert ours.weight_ih_l0.grad.shape == ours.weight_ih_l0.shape
    real = ours.to_empty(device="cpu")
    real.reset_parameters()
    assert real(torch.zeros(4, 6, 3))[0].shape == (4, 6, 4)


def test_moves_and_casts():
    layer = LSTM(3, 5).double()
    assert layer(torch.zeros(2, 1, 3, dtype=torch.float64))[0].dtype == torch.float64
    assert layer.to(torch.bfloat16)(torch.zeros(2, 1, 3, dtype=torch.bfloat16))[1][1].dtype == torch.bfloat16


@pytest.mark.parametrize("backend", ["loop", "fused"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast(backend, dtype):
    theirs, ours = nn.LSTM(3, 5, dtype=dtype), LSTM(3, 5, dtype=dtype, backend=backend)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (a, states_a), (b, states_b) = ours(x), theirs(x)
    for mine, expected in zip((a, *states_a), (b, *states_b)):
        torch.testing.assert_close(mine, expected, rtol=2e-2, atol=2e-2)


def test_state_as_list_and_slices_of_autograd():
    theirs, ours = nn.LSTM(3, 5), LSTM(3, 5)
    ours.load_state_dict(theirs.state_dict())
    x, states = torch.randn(4, 2, 3), [torch.randn(1, 2, 5), torch.randn(1, 2, 5)]
    torch.testing.assert_close(ours(x, states)[0], theirs(x, states)[0])
    for layer in (ours, theirs):  # only h_n is used, so the output's gradient is None
        layer.zero_grad()
        layer(x)[1][0].sum().backward()
    torch.testing.assert_close(ours.weight_hh_l0.grad, theirs.weight_hh_l0.grad)


def test_frozen_weights_get_no_gradient():
    layer = LSTM(3, 5, backend="fused")
    layer.weight_ih_l0.requires_grad_(False)
    layer(torch.randn(4, 2, 3))[0].sum().backward()
    assert layer.weight_ih_l0.grad is None and layer.weight_hh_l0.grad is not None


class TestDropout:
    @settings(deadline=None, derandomize=True, max_examples=20)
    @given(st.integers(2, 3), st.booleans(), st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from(["loop", "fused"]))
    def test_same_masks_as_torch_from_the_same_seed(self, num_layers, bidirectional, dropout, backend):
        config = dict(num_layers=num_layers, bidirectional=bidirectional, dropout=dropout, dtype=torch.float64)
        theirs, ours = nn.LSTM(3, 5, **config), LSTM(3, 5, **config, backend=backend)
        ours.load_state_dict(theirs.state_dict())
        x = torch.randn(4, 2, 3, dtype=torch.float64)
        torch.manual_seed(11)
        expected = theirs(x)[0]
        torch.manual_seed(11)
        torch.testing.assert_close(ours(x)[0], expected, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(ours.eval()(x)[0], theirs.eval()(x)[0], rtol=1e-10, atol=1e-10)

    def test_from_a_given_generator(self):
        layer = LSTM(3, 50, 3, dropout=0.5)
        x = torch.randn(4, 2, 3)
        state = torch.get_rng_state()
        first = layer(x, generator=torch.Generator().manual_seed(5))[0]
        second = layer(x, generator=torch.Generator().manual_seed(5))[0]
        other = layer(x, generator=torch.Generator().manual_seed(6))[0]
        assert torch.equal(first, second) and not torch.equal(first, other)
        assert torch.equal(torch.get_rng_state(), state), "the global generator was drawn from"

    def test_of_a_generator_drops_its_share_and_scales_the_rest(self):
        layer = LSTM(4, 100, 2, dropout=0.25)
        seen = []

        def run(cell, x, state, weights, mask, reverse):
            seen.append(x)
            return torch.ones(x.size(0), x.size(1), 100), state

        layer.run_with(run, torch.randn(20, 10, 4), generator=torch.Generator().manual_seed(0))
        assert seen[1].unique().tolist() == [0.0, pytest.approx(4 / 3)]
        assert (seen[1] == 0).double().mean().item() == pytest.approx(0.25, abs=0.02)

    def test_warns_for_one_layer(self):
        with pytest.warns(UserWarning) as theirs:
            nn.LSTM(3, 5, dropout=0.5)
        with pytest.warns(UserWarning) as ours:
            LSTM(3, 5, dropout=0.5)
        assert str(ours[0].message) == str(theirs[0].message)
        assert ours[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            LSTM(3, 5, 2, dropout=0.5)


def test_training_mode_reaches_the_cell():
    layer = nn.Sequential(LSTM(3, 5))
    assert layer.eval()[0].cell.training is False
    assert layer.train()[0].cell.training is True


def test_unknown_and_unfit_backends_say_so():
    with pytest.raises(ValueError, match="backend should be one of auto, loop, fused; got 'triton'"):
        LSTM(3, 5, backend="triton")

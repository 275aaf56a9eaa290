"""chrono_: forget gates that last as long as the lags one expects."""

from functools import partial

import pytest
import torch
from torch import nn

from lstmlib import LSTM, ArrayCell, CoupledCell, GRUCell, LayerNormCell, init


@pytest.mark.parametrize("module", [nn.LSTM, LSTM])
def test_the_forget_bias_is_the_log_of_a_lag_and_the_input_bias_its_opposite(module):
    layer = init.chrono_(module(3, 400, num_layers=2, bidirectional=True), 100, torch.Generator().manual_seed(0))
    for suffix in ("l0", "l0_reverse", "l1", "l1_reverse"):
        i, f, _, _ = (getattr(layer, f"bias_ih_{suffix}") + getattr(layer, f"bias_hh_{suffix}")).chunk(4)
        assert torch.equal(i, -f)
        lags = f.exp()
        assert lags.min() >= 1 and lags.max() <= 99
        assert abs(lags.mean() - 50) < 6  # uniform on 1..99


def test_what_it_does_not_name_stays():
    layer = nn.LSTM(3, 4)
    before = {name: parameter.detach().clone() for name, parameter in layer.named_parameters()}
    init.chrono_(layer, 10)
    assert torch.equal(layer.weight_ih_l0, before["weight_ih_l0"])
    assert torch.equal(layer.bias_ih_l0[8:], before["bias_ih_l0"][8:])


def test_refuses_what_it_cannot_fill():
    with pytest.raises(ValueError, match="bias=False"):
        init.chrono_(nn.LSTM(3, 4, bias=False), 10)
    with pytest.raises(ValueError, match="more than 2, got 2"):
        init.chrono_(nn.LSTM(3, 4), 2)


def test_every_memory_of_an_array_has_its_forget_gate_opened():
    layer = init.forget_bias_(LSTM(3, 4, cell=partial(ArrayCell, memories=3)), 2.0)
    _, f, _, _ = layer.bias_ih_l0.chunk(4)
    assert len(f) == 12 and f.eq(2).all() and layer.bias_ih_l0.eq(2).sum() == 12


def test_other_biases_of_a_variant_stay():
    layer = init.chrono_(LSTM(3, 4, cell=LayerNormCell), 10)
    assert not layer.bias_c_l0.any()


@pytest.mark.parametrize("cell", [CoupledCell, GRUCell])
@pytest.mark.parametrize("fill", [init.forget_bias_, partial(init.chrono_, longest=10)])
def test_refuses_gates_that_are_not_i_f_g_o(fill, cell):
    layer = LSTM(3, 4, cell=cell)
    before = [parameter.detach().clone() for parameter in layer.parameters()]
    with pytest.raises(ValueError, match="bias_ih_l0 should hold the gates i, f, g, o, got 12 rows at hidden_size=4"):
        fill(layer)
    assert all(map(torch.equal, layer.parameters(), before))

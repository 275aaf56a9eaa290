"""The page-sized module against the library, weights carried over."""

from functools import partial

import torch

from lstmlib import LSTM, ArrayCell, StepwiseArrayLSTM, StepwiseLSTM

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)


def carry_over(module, layer):
    """The library's weights under the page's names."""
    linears = {"i2h": ("weight_ih_l0", "bias_ih_l0"), "h2h": ("weight_hh_l0", "bias_hh_l0")}
    for linear, (weight, bias) in linears.items():
        state = {"weight": getattr(layer, weight), "bias": getattr(layer, bias)}
        getattr(module, linear).load_state_dict(state, strict=True)


def gradients(loss, module):
    return torch.autograd.grad(loss, [module.i2h.weight, module.i2h.bias, module.h2h.weight, module.h2h.bias])


def compare(module, layer, width_of_c):
    x, h = torch.randn(2, 6, 3, dtype=F64), torch.randn(2, 4, dtype=F64)
    c = torch.randn(2, *width_of_c, dtype=F64)
    for hidden, state in ((None, None), ((h, c), (h.unsqueeze(0), c.flatten(1).unsqueeze(0)))):
        output, (h_n, c_n) = module(x, hidden)
        expected, (h_expected, c_expected) = layer(x, state)
        torch.testing.assert_close(output, expected, **CLOSE)
        torch.testing.assert_close(h_n, h_expected[0], **CLOSE)
        torch.testing.assert_close(c_n.flatten(1), c_expected[0], **CLOSE)
        weights = [layer.weight_ih_l0, layer.bias_ih_l0, layer.weight_hh_l0, layer.bias_hh_l0]
        theirs = torch.autograd.grad(expected.sin().sum(), weights)
        torch.testing.assert_close(gradients(output.sin().sum(), module), theirs, **CLOSE)


def test_lstm():
    module, layer = StepwiseLSTM(3, 4).double(), LSTM(3, 4, batch_first=True, dtype=F64)
    carry_over(module, layer)
    compare(module, layer, (4,))
    assert (module.input_size, module.hidden_size) == (3, 4)


def test_array_lstm():
    module = StepwiseArrayLSTM(3, 4, memories=3).double()
    layer = LSTM(3, 4, batch_first=True, dtype=F64, cell=partial(ArrayCell, memories=3))
    carry_over(module, layer)
    compare(module, layer, (3, 4))


def test_a_subclass_overrides_one_step():
    class Remembers(StepwiseLSTM):
        def forward_cell(self, x, hidden, state):
            return x, state + 1

    x = torch.randn(2, 6, 4)
    output, (h, c) = Remembers(4, 4)(x)
    assert torch.equal(output, x) and torch.equal(h, x[:, -1]) and c.eq(6).all()

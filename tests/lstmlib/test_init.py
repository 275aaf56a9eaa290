"""Initialisations, on torch's modules and on ours."""

import pytest
import torch
from torch import nn

import lstmlib
from lstmlib import init

MODULES = [
    lambda: nn.LSTM(3, 5, 2, bidirectional=True),
    lambda: lstmlib.LSTM(3, 5, 2, bidirectional=True),
    lambda: nn.LSTMCell(3, 5),
    lambda: lstmlib.LSTMCell(3, 5),
    lambda: lstmlib.LSTM(3, 5, proj_size=2),
]
every_module = pytest.mark.parametrize("make", MODULES)


@every_module
def test_uniform(make):
    module = init.uniform_(make(), torch.Generator().manual_seed(0))
    values = torch.cat([parameter.flatten() for parameter in module.parameters()])
    k = 5**-0.5
    assert values.min() >= -k and values.max() < k
    assert values.abs().mean().item() == pytest.approx(k / 2, rel=0.15)
    again = init.uniform_(make(), torch.Generator().manual_seed(0))
    assert all(map(torch.equal, module.parameters(), again.parameters()))


@every_module
def test_forget_bias(make):
    module = make()
    before = {name: value.clone() for name, value in module.named_parameters()}
    assert init.forget_bias_(module, 2.0) is module
    for name, value in module.named_parameters():
        if name.startswith("bias"):
            assert value[5:10].eq(2.0 if name.startswith("bias_ih") else 0.0).all()
            value = torch.cat([value[:5], value[10:]])
            before[name] = torch.cat([before[name][:5], before[name][10:]])
        assert torch.equal(value, before[name])


def test_forget_bias_needs_a_bias():
    with pytest.raises(ValueError, match="got a module built with bias=False"):
        init.forget_bias_(nn.LSTM(3, 5, bias=False))


@pytest.mark.parametrize("make", MODULES[:4])
def test_orthogonal(make):
    module = init.orthogonal_(make(), torch.Generator().manual_seed(0))
    for name, value in module.named_parameters():
        if name.startswith("weight_hh"):
            for block in value.split(5):
                torch.testing.assert_close(block @ block.T, torch.eye(5), rtol=0, atol=1e-5)
        elif name.startswith("bias"):
            assert not value.any()

"""The cell module against nn.LSTMCell: outputs, gradients, attributes, and the errors torch raises."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lstmlib
from lstmlib import GRUCell, LSTMCell

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)


def gradients(cell, x, states):
    cell.zero_grad()
    x = x.clone().requires_grad_()
    states = None if states is None else tuple(value.clone().requires_grad_() for value in states)
    h, c = cell(x, states)
    (h.sin().sum() + (c * c).sum()).backward()
    return [h, c, x.grad, *(value.grad for value in states or ()), *(value.grad for value in cell.parameters())]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(1, 5), st.integers(1, 6), st.booleans(), st.none() | st.integers(0, 4), st.booleans())
def test_equals_torch(input_size, hidden_size, bias, batch, with_states):
    theirs = nn.LSTMCell(input_size, hidden_size, bias, dtype=F64)
    ours = LSTMCell(input_size, hidden_size, bias, dtype=F64)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    lead = () if batch is None else (batch,)
    x = torch.randn(*lead, input_size, dtype=F64)
    states = [torch.randn(*lead, hidden_size, dtype=F64) for _ in "hc"] if with_states else None
    torch.testing.assert_close(gradients(ours, x, states), gradients(theirs, x, states), **CLOSE)


def test_gru_cell_equals_torch():
    theirs, ours = nn.GRUCell(3, 5, dtype=F64), GRUCell(3, 5, dtype=F64)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x, h = torch.randn(4, 3, dtype=F64), torch.randn(4, 5, dtype=F64)
    torch.testing.assert_close(ours(x, h), theirs(x, h), **CLOSE)
    torch.testing.assert_close(ours(x), theirs(x), **CLOSE)
    torch.testing.assert_close(ours(x[0], h[0]), theirs(x[0], h[0]), **CLOSE)


@pytest.mark.parametrize("bias", [True, False])
def test_same_seed_same_parameters(bias):
    torch.manual_seed(3)
    theirs = nn.LSTMCell(4, 5, bias)
    torch.manual_seed(3)
    ours = LSTMCell(4, 5, bias)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mine, expected in zip(ours.parameters(), theirs.parameters()):
        assert torch.equal(mine, expected)
    assert repr(ours) == repr(theirs)
    assert (ours.bias_ih is None) == (not bias)


def test_copies():
    cell = LSTMCell(3, 5)
    x = torch.randn(2, 3)
    for twin in (copy.deepcopy(cell), pickle.loads(pickle.dumps(cell))):
        assert torch.equal(twin(x)[0], cell(x)[0])


def test_meta_and_dtype():
    h, c = LSTMCell(3, 5, device="meta")(torch.empty(2, 3, device="meta"))
    assert h.is_meta and h.shape == c.shape == (2, 5)
    assert LSTMCell(3, 5, dtype=torch.bfloat16)(torch.zeros(2, 3, dtype=torch.bfloat16))[0].dtype == torch.bfloat16


def random(*shape, dtype=torch.float32):
    return torch.randn(shape, dtype=dtype)


REFUSED = {
    "0-D input": lambda cell: cell(torch.tensor(1.0)),
    "3-D input": lambda cell: cell(random(2, 2, 3)),
    "wrong width": lambda cell: cell(random(2, 4)),
    "wrong width, unbatched": lambda cell: cell(random(4)),
    "3-D h": lambda cell: cell(random(2, 3), (random(1, 2, 5), random(2, 5))),
    "3-D c": lambda cell: cell(random(2, 3), (random(2, 5), random(1, 2, 5))),
    "wrong h": lambda cell: cell(random(2, 3), (random(2, 6), random(2, 5))),
    "wrong c": lambda cell: cell(random(2, 3), (random(2, 5), random(2, 6))),
    "batch of h": lambda cell: cell(random(2, 3), (random(3, 5), random(2, 5))),
    "batch of c": lambda cell: cell(random(2, 3), (random(2, 5), random(3, 5))),
    "batch and width": lambda cell: cell(random(2, 3), (random(3, 6), random(3, 6))),
    "1-D states with a batch": lambda cell: cell(random(2, 3), (random(5), random(5))),
    "2-D states without one": lambda cell: cell(random(3), (random(2, 5), random(2, 5))),
    "unbatched width of c": lambda cell: cell(random(3), (random(5), random(4))),
    "one state": lambda cell: cell(random(2, 3), (random(2, 5),)),
    "three states": lambda cell: cell(random(2, 3), (random(2, 5),) * 3),
    "a tensor for states": lambda cell: cell(random(2, 3), random(2, 5)),
    "a 4-D tensor for states": lambda cell: cell(random(2, 3), random(2, 1, 2, 5)),
    "a number for states": lambda cell: cell(random(2, 3), 0),
    "a dict for states": lambda cell: cell(random(2, 3), {"h": random(2, 5), "c": random(2, 5)}),
    "unbatched, a tensor of wrong width for states": lambda cell: cell(random(3), random(2, 1, 5)),
    "dtype of x": lambda cell: cell(random(2, 3, dtype=F64)),
    "dtype of h": lambda cell: cell(random(2, 3), (random(2, 5, dtype=F64), random(2, 5))),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refuses_as_torch_does(call):
    with pytest.raises(Exception) as theirs:
        call(nn.LSTMCell(3, 5))
    with pytest.raises(type(theirs.value)) as ours:
        call(LSTMCell(3, 5))
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


def test_unbatched_states_in_one_tensor():
    theirs, ours = nn.LSTMCell(3, 5), LSTMCell(3, 5)
    ours.load_state_dict(theirs.state_dict())
    x, states = torch.randn(3), torch.randn(2, 5)
    torch.testing.assert_close(ours(x, states), theirs(x, states))


def test_its_docstring_names_the_hooks():
    for hook in ("blocks", "states", "parameter_shapes", "reset", "begin", "project", "step"):
        assert hasattr(lstmlib.LSTMCell, hook) and f"`{hook}" in lstmlib.LSTMCell.__doc__

"""Gate orders: round trips, named frameworks, and an LSTM written in each framework's own way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlib import LSTM, convert
from lstmlib.reference import sigmoid

orders = st.permutations("ifgo").map("".join) | st.sampled_from(sorted(convert.ORDERS))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(orders, orders, st.integers(1, 3), st.integers(0, 1), st.booleans())
def test_there_and_back(src, dst, hidden, dim, as_tensor):
    weight = torch.randn(4 * hidden, 4 * hidden) if as_tensor else np.random.default_rng(0).random((4 * hidden,) * 2)
    there = convert.reorder(weight, src, dst, dim)
    assert type(there) is type(weight)
    back = convert.reorder(there, dst, src, dim)
    assert bool((back == weight).all())
    assert bool((there == weight).all()) == (gates(src) == gates(dst))


def gates(order):
    return convert.ORDERS.get(order, order).replace("c", "g")


def run_in(order, x, kernel, recurrent, bias):
    """An LSTM as Keras writes it, with the gates in `order`: x @ kernel, one bias, weights (input, 4 * hidden)."""
    h = c = np.zeros((x.shape[1], recurrent.shape[0]))
    for x_t in x:
        part = dict(zip(gates(order), np.split(x_t @ kernel + h @ recurrent + bias, 4, axis=-1)))
        c = sigmoid(part["f"]) * c + sigmoid(part["i"]) * np.tanh(part["g"])
        h = sigmoid(part["o"]) * np.tanh(c)
    return h


@pytest.mark.parametrize("framework", sorted(convert.ORDERS))
def test_a_framework_gives_the_same_numbers_with_converted_weights(framework):
    layer = LSTM(3, 5, dtype=torch.float64)
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    kernel, recurrent = (
        convert.reorder(weight.detach().numpy().T, "torch", framework, dim=1)
        for weight in (layer.weight_ih_l0, layer.weight_hh_l0)
    )
    bias = convert.reorder(convert.merge_biases(layer.bias_ih_l0, layer.bias_hh_l0).detach(), "torch", framework)
    found = run_in(framework, x.numpy(), kernel, recurrent, bias.numpy())
    np.testing.assert_allclose(found, layer(x)[1][0][0].detach().numpy(), rtol=1e-12, atol=1e-12)


def test_biases():
    bias = torch.randn(8)
    assert torch.equal(convert.merge_biases(*convert.split_bias(bias)), bias)
    assert not convert.split_bias(bias)[1].any()


def test_gradients_pass_through():
    weight = torch.randn(8, 3, requires_grad=True)
    (grad,) = torch.autograd.grad(convert.reorder(weight)[2:4].sum(), weight)  # o in ONNX's order, rows 6 and 7 in ours
    assert grad.sum(1).tolist() == [0, 0, 0, 0, 0, 0, 3, 3]


@pytest.mark.parametrize("src, dst", [("ifgo", "ifg"), ("ifgo", "ifgx"), ("iigo", "iigo"), ("pytorch", "onnx")])
def test_orders_that_do_not_fit(src, dst):
    with pytest.raises(ValueError, match="should name the same gates, each once"):
        convert.reorder(torch.zeros(8), src, dst)


def test_rows_that_do_not_divide():
    with pytest.raises(ValueError, match="6 rows are no 4 blocks of one size: is dim=0 where the gates are stacked"):
        convert.reorder(torch.zeros(6, 8))

"""The oracle itself: its backward against finite differences of its own forward, and against torch."""

import numpy as np
import pytest
import torch
from torch import nn

from lstmlib import LSTMCell, reference

random = np.random.default_rng(0)


def flat(value):
    """Every array in nested tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        return [value]
    values = value.values() if isinstance(value, dict) else value
    return [array for one in values for array in flat(one)]


@pytest.mark.parametrize(
    "config", [{}, dict(num_layers=2, bidirectional=True), dict(proj_size=2, num_layers=2), dict(bias=False)], ids=str
)
def test_backward_is_the_slope_of_forward(config):
    weights = reference.weights_of(nn.LSTM(2, 3, dtype=torch.float64, **config))
    x = random.standard_normal((3, 2, 2))
    state = tuple(random.standard_normal(value.shape) for value in reference.zero_state(x, weights))
    output, final, tape = reference.lstm_forward(x, state, weights)
    outer = [random.standard_normal(value.shape) for value in (output, *final)]

    def loss():
        output, final, _ = reference.lstm_forward(x, state, weights)
        return sum((one * weight).sum() for one, weight in zip((output, *final), outer))

    grads = reference.lstm_backward(outer[0], outer[1:], tape, weights)
    for values, slopes in zip(flat((x, state, weights)), flat(grads), strict=True):
        for index in np.ndindex(values.shape):
            kept, step = values[index], 1e-6
            values[index] = kept + step
            above = loss()
            values[index] = kept - step
            below = loss()
            values[index] = kept
            assert slopes[index] == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-8)


def test_step_is_the_cell():
    cell = LSTMCell(3, 4, dtype=torch.float64)
    x, h, c = (torch.randn(2, width, dtype=torch.float64) for width in (3, 4, 4))
    found, seen = reference.lstm_step(x.numpy(), (h.numpy(), c.numpy()), reference.weights_of(cell)[0][0])
    for mine, expected in zip(found, cell(x, (h, c))):
        np.testing.assert_allclose(mine, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    assert {"i", "f", "g", "o", "c", "h"} <= set(seen)


def test_zero_state_is_the_default():
    weights = reference.weights_of(nn.LSTM(2, 3, 2, dtype=torch.float64))
    x = random.standard_normal((3, 2, 2))
    given = reference.lstm_forward(x, reference.zero_state(x, weights), weights)[0]
    np.testing.assert_array_equal(reference.lstm_forward(x, None, weights)[0], given)


def test_sigmoid_never_overflows():
    with np.errstate(all="raise"):
        np.testing.assert_allclose(reference.sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])

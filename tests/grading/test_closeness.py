"""assert_close: exact about types, shapes and dtypes, and its message names the difference."""

import math

import numpy as np
import pytest
import torch

from grading.closeness import assert_close

ONE = torch.ones(2, 3)


@pytest.mark.parametrize(
    "actual, expected",
    [
        (ONE, ONE + 1e-6),
        (ONE.bfloat16(), ONE.bfloat16() * 1.01),
        (ONE.double(), torch.nn.Parameter(ONE.double())),
        (ONE.clone().requires_grad_(), ONE),
        ((2, 3), ONE.shape),
        ((ONE, [1, "a", None, True]), (ONE, [1, "a", None, True])),
        ({"b": 1.0, "a": 2}, {"a": 2, "b": 1.0 + 1e-9}),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (torch.tensor([math.nan, math.inf]), torch.tensor([math.nan, math.inf])),
        (np.float32(1), np.float32(1)),
        (np.array([3], "uint64"), np.array([3], "uint64")),
        (torch.empty(0, 3), torch.empty(0, 3)),
        (torch.tensor([True]), torch.tensor([True])),
        (torch.tensor([1j]), torch.tensor([1j])),
    ],
    ids=repr,
)
def test_agreement(actual, expected):
    assert_close(actual, expected)


@pytest.mark.parametrize(
    "actual, expected, told",
    [
        (None, ONE, r"h: expected a Tensor of shape \(2, 3\), got None"),
        (ONE.numpy(), ONE, r"expected a Tensor of shape \(2, 3\), got a ndarray of shape \(2, 3\)"),
        (1, 1.0, "expected a value of type float, got a value of type int"),
        (True, 1, "type int, got a value of type bool"),
        (ONE.t(), ONE, r"expected shape \(2, 3\), got \(3, 2\)"),
        (ONE.double(), ONE, "expected dtype torch.float32, got torch.float64"),
        (ONE * 2, ONE, r"h: 6 of 6 values differ, most at \[0, 0\]: expected 1, got 2 \(allowed: 1.3e-06"),
        (torch.tensor([1.0, 1.5, 3.0]), torch.ones(3), r"2 of 3 values differ, most at \[2\]"),
        (torch.tensor([0.1]).double(), torch.tensor([0.1], dtype=torch.float64), "1 of 1 values differ"),  # was float32 on its way
        (torch.tensor([1.0, math.nan, 9.0]), torch.ones(3), r"most at \[1\]: expected 1, got nan"),
        (torch.tensor(math.inf), torch.tensor(1.0), "1 of 1 values differ, most: expected 1, got inf"),
        (torch.tensor(1.0), torch.tensor(math.nan), "expected nan, got 1"),
        (torch.tensor([0], dtype=torch.uint8), torch.tensor([255], dtype=torch.uint8), "expected 255, got 0"),
        (torch.tensor([True]), torch.tensor([False]), "expected 0, got 1"),
        (torch.tensor([1j]), torch.tensor([2j]), "1 of 1 values differ"),
        (np.array([3], "uint64"), np.array([4], "uint64"), "expected 4, got 3"),
        (0.5, 0.25, "expected 0.25, got 0.5"),
        ((ONE, ONE * 2), (ONE, ONE), r"h\[1\]: 6 of 6"),
        ([ONE], [ONE, ONE], "expected 2 items, got 1"),
        ((ONE,), [ONE], "type list, got a value of type tuple"),
        ({"a": 1}, {"b": 1}, r"expected keys \['b'\], got \['a'\]"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, r"h\['a'\]\['b'\]: expected 2, got 1"),
        ("a" * 200, "b", r"expected 'b', got 'a{76}\.\.\."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_disagreement_is_named(actual, expected, told):
    with pytest.raises(AssertionError, match=told):
        assert_close(actual, expected, "h")


def test_a_list_is_as_good_as_an_expected_tuple():
    assert_close([ONE, [ONE, ONE]], (ONE, (ONE, ONE)))


def test_given_tolerances_replace_the_defaults():
    assert_close(ONE * 1.05, ONE, rtol=0.1)
    assert_close(ONE + 0.05, ONE, atol=0.1, rtol=0)
    with pytest.raises(AssertionError, match="allowed: 0 relative, 0 absolute"):
        assert_close(ONE + 1e-6, ONE, rtol=0, atol=0)

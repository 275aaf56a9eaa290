"""Shapes by arithmetic against the shapes torch makes, for drawn arguments, the invalid ones included."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lstmlib import shapes

drawn = settings(deadline=None, derandomize=True, max_examples=200)
sizes = st.integers(-1, 6)
odd = st.sampled_from([2.0, "2", None, True, (2,)])
arguments = st.fixed_dictionaries(
    {"input_size": sizes | odd, "hidden_size": sizes | odd},
    optional={
        "num_layers": st.integers(-1, 3) | st.sampled_from([1.5, "2"]),
        "bias": st.booleans() | st.sampled_from([0, "no"]),
        "batch_first": st.booleans() | st.just(1),
        "dropout": st.sampled_from([0, 0.0, 0.5, 1, -0.1, 2, True, "a", "0.5", None, 1j]),
        "bidirectional": st.booleans(),
        "proj_size": st.integers(-1, 6) | st.sampled_from([2.5, "2", True]),
    },
)
valid = st.integers(1, 6).flatmap(
    lambda hidden: st.fixed_dictionaries(
        {"input_size": st.integers(1, 6), "hidden_size": st.just(hidden)},
        optional={
            "num_layers": st.integers(1, 3),
            "bias": st.booleans(),
            "batch_first": st.booleans(),
            "dropout": st.sampled_from([0.0, 0.5, 1]),
            "bidirectional": st.booleans(),
            "proj_size": st.integers(0, hidden - 1),
        },
    )
)


def torch_shapes(input_shape, arguments):
    layer = nn.LSTM(**arguments)
    output, (h, c) = layer(torch.zeros(input_shape))
    parameters = {name: tuple(value.shape) for name, value in layer.named_parameters()}
    return tuple(output.shape), tuple(h.shape), tuple(c.shape), parameters, sum(p.numel() for p in layer.parameters())


def outcome(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function()
        except Exception as error:  # whatever torch raises is what is compared
            return error


def assert_same_outcome(input_shape, arguments):
    theirs = outcome(lambda: torch_shapes(input_shape, arguments))
    ours = outcome(lambda: shapes(input_shape, **arguments))
    if not isinstance(theirs, Exception):
        assert (ours.output, ours.h_n, ours.c_n, ours.parameters, ours.count) == theirs
        assert list(ours.parameters) == list(theirs[3])
        return
    assert type(ours) is type(theirs), (ours, theirs)
    if "empty()" in str(theirs):  # torch fails late here, on making a weight; ours names the argument
        assert str(ours).startswith("proj_size should be of type int")
    else:
        assert str(ours) == str(theirs)


@drawn
@given(valid, st.integers(0, 4), st.none() | st.integers(0, 3), st.sampled_from([0, 0, 0, 1]))
def test_valid_arguments(arguments, time, batch, wider):
    width = arguments["input_size"] + wider
    if batch is None:
        return assert_same_outcome((time, width), arguments)
    lead = (batch, time) if arguments.get("batch_first") else (time, batch)
    return assert_same_outcome((*lead, width), arguments)


@drawn
@given(arguments)
def test_any_arguments(arguments):
    width = arguments["input_size"] if isinstance(arguments["input_size"], int) else 2
    assert_same_outcome((4, 2, max(width, 1)), arguments)


@pytest.mark.parametrize("shape", [(), (3,), (1, 4, 2, 3), (4, 2, 5), (4, 5), (0, 2, 3), (0, 3)])
def test_inputs_of_the_wrong_shape(shape):
    assert_same_outcome(shape, dict(input_size=3, hidden_size=5))


def test_no_memory_is_taken_for_a_layer_no_machine_holds():
    found = shapes((1, 1, 10**9), 10**9, 10**9)
    assert found.count == 2 * 4 * 10**18 + 8 * 10**9

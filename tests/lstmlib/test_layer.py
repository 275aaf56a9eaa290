"""The layer against nn.LSTM and against the NumPy reference: outputs, final states and every gradient, in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstmlib import LSTM, reference

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)
drawn = settings(deadline=None, derandomize=True, max_examples=60)
backends = st.sampled_from(["loop", "fused"])


@st.composite
def configurations(draw):
    hidden = draw(st.integers(1, 6))
    return dict(
        input_size=draw(st.integers(1, 5)),
        hidden_size=hidden,
        num_layers=draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.integers(0, hidden - 1)),
        dtype=F64,
    )


def pair(config, backend):
    theirs = nn.LSTM(**config)
    ours = LSTM(**config, backend=backend)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def random_states(config, batch):
    count = config["num_layers"] * (2 if config["bidirectional"] else 1)
    width = config["proj_size"] or config["hidden_size"]
    shapes = (count, *batch, width), (count, *batch, config["hidden_size"])
    return [torch.randn(shape, dtype=F64) for shape in shapes]


def results(layer, x, states, arrange=lambda x: x, read=lambda y: y, **options):
    """Everything that comes out of a layer and of a backward pass through it, by name."""
    layer.zero_grad()
    x = x.clone().requires_grad_()
    states = states and [value.clone().requires_grad_() for value in states]
    output, (h, c) = layer(arrange(x), states and tuple(states), **options)
    output = read(output)
    weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
    ((output * weight).sum() + (h * h).sum() + (c * 0.3).sin().sum()).backward()
    found = {"output": output, "h": h, "c": c, "x.grad": x.grad}
    found |= {f"{name}.grad": value.grad for name, value in zip("hc", states or ())}
    return found | {f"{name}.grad": value.grad for name, value in layer.named_parameters()}


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], **CLOSE, msg=lambda text: f"{name}: {text}")


@drawn
@given(configurations(), backends, st.integers(1, 6), st.integers(0, 4), st.booleans())
def test_padded(config, backend, time, batch, with_states):
    theirs, ours = pair(config, backend)
    shape = (batch, time) if config["batch_first"] else (time, batch)
    x = torch.randn(*shape, config["input_size"], dtype=F64)
    states = random_states(config, (batch,)) if with_states else None
    assert_same(results(ours, x, states), results(theirs, x, states))


@drawn
@given(configurations(), backends, st.integers(1, 6), st.booleans())
def test_unbatched(config, backend, time, with_states):
    theirs, ours = pair(config, backend)
    x = torch.randn(time, config["input_size"], dtype=F64)
    states = random_states(config, ()) if with_states else None
    assert_same(results(ours, x, states), results(theirs, x, states))


lengths_of = st.lists(st.integers(1, 6), min_size=1, max_size=5)


@drawn
@given(configurations(), backends, lengths_of, st.booleans(), st.booleans())
def test_packed(config, backend, lengths, is_sorted, with_states):
    theirs, ours = pair(config, backend)
    lengths = sorted(lengths, reverse=True) if is_sorted else lengths
    x = torch.randn(max(lengths), len(lengths), config["input_size"], dtype=F64)
    states = random_states(config, (len(lengths),)) if with_states else None

    def packed(x):
        return pack_padded_sequence(x, lengths, enforce_sorted=is_sorted)

    packs = [layer(packed(x))[0] for layer in (ours, theirs)]
    for ours_field, theirs_field in zip(packs[0][1:], packs[1][1:]):
        assert (ours_field is None and theirs_field is None) or torch.equal(ours_field, theirs_field)
    both = [results(layer, x, states, packed, lambda y: y.data) for layer in (ours, theirs)]
    assert_same(*both)


@drawn
@given(configurations(), backends, lengths_of, st.integers(0, 2), st.booleans())
def test_lengths_are_packing_without_the_copy(config, backend, lengths, spare, with_states):
    theirs, ours = pair(config, backend)
    time = max(lengths) + spare  # padding may be longer than the longest sequence
    shape = (len(lengths), time) if config["batch_first"] else (time, len(lengths))
    x = torch.randn(*shape, config["input_size"], dtype=F64)
    states = random_states(config, (len(lengths),)) if with_states else None
    first = config["batch_first"]

    def packed(x):
        return pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=False)

    def unpacked(y):
        return pad_packed_sequence(y, batch_first=first, total_length=time)[0]

    expected = results(theirs, x, states, packed, unpacked)
    for given_lengths in (lengths, torch.tensor(lengths)):
        assert_same(results(ours, x, states, lengths=given_lengths), expected)


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_padding_may_hold_anything(backend):
    layer = LSTM(3, 4, 2, bidirectional=True, dtype=F64, backend=backend)
    x = torch.randn(5, 2, 3, dtype=F64)
    x[2:, 1] = 0
    clean = results(layer, x, None, lengths=[5, 2])
    x[2:, 1] = float("nan")
    assert_same(results(layer, x, None, lengths=[5, 2]), clean)


@drawn
@given(configurations(), backends, st.integers(1, 5), st.integers(1, 3))
def test_equals_the_reference(config, backend, time, batch):
    config = config | {"batch_first": False}
    layer = LSTM(**config, backend=backend)
    x = torch.randn(time, batch, config["input_size"], dtype=F64, requires_grad=True)
    states = [value.requires_grad_() for value in random_states(config, (batch,))]
    output, (h, c) = layer(x, tuple(states))
    weights = reference.weights_of(layer)
    arrays = [value.detach().numpy() for value in (x, *states)]
    y, (h_n, c_n), tape = reference.lstm_forward(arrays[0], arrays[1:], weights)
    for ours, theirs in [(output, y), (h, h_n), (c, c_n)]:
        np.testing.assert_allclose(ours.detach().numpy(), theirs, **CLOSE)

    grads = [torch.randn_like(value) for value in (output, h, c)]
    torch.autograd.backward((output, h, c), grads)
    dy, dh, dc = (grad.numpy() for grad in grads)
    dx, (dh_0, dc_0), d_weights = reference.lstm_backward(dy, (dh, dc), tape, weights)
    for ours, theirs in zip((x, *states), (dx, dh_0, dc_0)):
        np.testing.assert_allclose(ours.grad.numpy(), theirs, **CLOSE)
    for layer_index, layer_grads in enumerate(d_weights):
        for direction, own in enumerate(layer_grads):
            for name, value in layer.weights(layer_index, direction).items():
                np.testing.assert_allclose(value.grad.numpy(), own[name], **CLOSE)


@pytest.mark.parametrize("backend", ["loop", "fused"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_other_dtypes(backend, dtype, tolerance):
    theirs = nn.LSTM(6, 8, 2, bidirectional=True, dtype=dtype)
    ours = LSTM(6, 8, 2, bidirectional=True, dtype=dtype, backend=backend)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(7, 3, 6, dtype=dtype)
    for (name, mine), expected in zip(results(ours, x, None).items(), results(theirs, x, None).values()):
        assert mine.dtype == dtype
        scale = expected.abs().max().item()
        torch.testing.assert_close(mine, expected, rtol=tolerance, atol=tolerance * scale, msg=lambda t: f"{name}: {t}")


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_many_values_at_once(backend):
    """Large enough for several chunks and for the tanh that goes through the sigmoid."""
    theirs, ours = pair(dict(input_size=8, hidden_size=64, dtype=F64), backend)
    x = torch.randn(100, 40, 8, dtype=F64)
    assert_same(results(ours, x, None), results(theirs, x, None))
    with torch.no_grad():
        torch.testing.assert_close(ours(x)[0], theirs(x)[0], **CLOSE)


@drawn
@given(configurations(), lengths_of)
def test_backends_agree_without_gradients(config, lengths):
    loop = LSTM(**config, backend="loop")
    fused = LSTM(**config, backend="fused")
    fused.load_state_dict(loop.state_dict())
    time = max(lengths)
    shape = (len(lengths), time) if config["batch_first"] else (time, len(lengths))
    x = torch.randn(*shape, config["input_size"], dtype=F64)
    with torch.no_grad():
        for options in ({}, {"lengths": lengths}):
            (a, states_a), (b, states_b) = loop(x, **options), fused(x, **options)
            torch.testing.assert_close((a, *states_a), (b, *states_b), **CLOSE)

"""ONNX's own LSTM node vectors, and its reference evaluator on random weights, through `convert`."""

import numpy as np
import onnx
import pytest
import torch
from onnx.backend.test.case.node import lstm as vectors
from onnx.reference import ReferenceEvaluator

from lstmlib import LSTM, PeepholeCell, convert

VECTORS = ["defaults", "initial_bias", "peepholes", "batchwise", "reverse", "bidirectional"]


def run_ours(node, inputs):
    """What our layer gives for an ONNX LSTM node, by ONNX's output names."""
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    given = {name: value for name, value in zip(node.input, inputs) if name}
    X, W, R, P = given["X"], given["W"], given["R"], given.get("P")
    direction = attributes.get("direction", b"forward").decode()
    layer = LSTM(
        W.shape[-1],
        R.shape[-1],
        bias="B" in given,
        batch_first=bool(attributes.get("layout", 0)),
        bidirectional=direction == "bidirectional",
        cell=PeepholeCell if P is not None else LSTM.__init__.__kwdefaults__["cell"],
    )
    layer.load_state_dict(convert.from_onnx(W, R, given.get("B"), P), strict=True)
    x = torch.tensor(X)
    time = 1 if layer.batch_first else 0
    states = [torch.tensor(given[name]) for name in ("initial_h", "initial_c") if name in given] or None
    lengths = given["sequence_lens"].tolist() if "sequence_lens" in given else None
    output, (h, c) = layer(x.flip(time) if direction == "reverse" else x, states, lengths=lengths)
    output = output.flip(time) if direction == "reverse" else output
    y = output.unflatten(-1, (len(W), -1))  # (.., .., directions, hidden)
    if layer.batch_first:
        return {"Y": y, "Y_h": h.transpose(0, 1), "Y_c": c.transpose(0, 1)}
    return {"Y": y.transpose(1, 2), "Y_h": h, "Y_c": c}


@pytest.mark.parametrize("name", VECTORS)
def test_node_vector(name, monkeypatch):
    seen = []
    monkeypatch.setattr(vectors, "expect", lambda node, inputs, outputs, name: seen.append((node, inputs, outputs)))
    getattr(vectors.LSTM, f"export_{name}")()
    (node, inputs, outputs), *rest = seen
    assert not rest
    found = run_ours(node, inputs)
    for key, expected in zip([key for key in node.output if key], outputs, strict=True):
        np.testing.assert_allclose(found[key].detach().numpy(), expected, rtol=1e-6, atol=1e-6)


def test_every_vector_there_is():
    assert {key for key in vars(vectors.LSTM) if key.startswith("export_")} == {f"export_{name}" for name in VECTORS}


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("with_peepholes", [True, False])
def test_random_weights(direction, layout, with_peepholes):
    random = np.random.default_rng(0)
    directions, hidden, width, time, batch = 2 if direction == "bidirectional" else 1, 4, 3, 5, 2

    def draw(*shape):
        return random.standard_normal(shape).astype(np.float32)

    names = ["X", "W", "R", "B", "", "initial_h", "initial_c", "P"][: 8 if with_peepholes else 7]
    node = onnx.helper.make_node(
        "LSTM", names, ["Y", "Y_h", "Y_c"], hidden_size=hidden, direction=direction, layout=layout
    )
    lead = (batch, time) if layout else (time, batch)
    state = (batch, directions, hidden) if layout else (directions, batch, hidden)
    inputs = [draw(*lead, width), draw(directions, 4 * hidden, width), draw(directions, 4 * hidden, hidden)]
    inputs += [draw(directions, 8 * hidden), None, draw(*state), draw(*state), draw(directions, 3 * hidden)]
    feed = {name: value for name, value in zip(names, inputs) if name}
    expected = ReferenceEvaluator(node).run(None, feed)
    if layout:  # our states are (layers, batch, hidden) also with batch_first
        inputs[5:7] = [value.swapaxes(0, 1) for value in inputs[5:7]]
    found = run_ours(node, inputs)
    for key, value in zip(("Y", "Y_h", "Y_c"), expected):
        np.testing.assert_allclose(found[key].detach().numpy(), value, rtol=1e-5, atol=1e-5)

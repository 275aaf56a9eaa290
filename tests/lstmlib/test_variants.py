"""Each variant against an oracle of its own in NumPy float64, and in every place where a cell may stand."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import lstmlib
from lstmlib import LSTM, trace
from lstmlib.reference import sigmoid

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)
INPUT, HIDDEN, MEMORIES = 3, 4, 3
CELLS = {
    "peephole": lstmlib.PeepholeCell,
    "coupled": lstmlib.CoupledCell,
    "layer norm": lstmlib.LayerNormCell,
    "recurrent dropout": partial(lstmlib.RecurrentDropoutCell, dropout=0.4),
    "zoneout": partial(lstmlib.ZoneoutCell, zoneout_c=0.5, zoneout_h=0.25),
    "array": partial(lstmlib.ArrayCell, memories=MEMORIES),
    "stochastic array": partial(lstmlib.StochasticArrayCell, memories=MEMORIES),
    "gru": lstmlib.GRUCell,
}
every_cell = pytest.mark.parametrize("name", CELLS)
modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def make(name, **options):
    layer = LSTM(INPUT, HIDDEN, cell=CELLS[name], dtype=F64, **options)
    with torch.no_grad():  # away from what `reset` puts at one and zero
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return layer


# The oracles: one step each, from x, the state and the weights as arrays; `draw` gives what the cell drew.


def sums(x, h, w):
    return x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]


def lstm(a, c):
    i, f, g, o = np.split(a, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def peephole(x, h, c, w, draw):
    i, f, g, o = np.split(sums(x, h, w), 4, axis=-1)
    new = sigmoid(f + w["peephole_f"] * c) * c + sigmoid(i + w["peephole_i"] * c) * np.tanh(g)
    return sigmoid(o + w["peephole_o"] * new) * np.tanh(new), new


def coupled(x, h, c, w, draw):
    i, g, o = np.split(sums(x, h, w), 3, axis=-1)
    new = (1 - sigmoid(i)) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(new), new


def standardised(a):
    return (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5)


def layer_norm(x, h, c, w, draw):
    a = standardised(x @ w["weight_ih"].T) * w["norm_ih"] + w["bias_ih"]
    a = a + standardised(h @ w["weight_hh"].T) * w["norm_hh"] + w["bias_hh"]
    i, f, g, o = np.split(a, 4, axis=-1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(standardised(new) * w["norm_c"] + w["bias_c"]), new


def recurrent_dropout(x, h, c, w, draw):
    return lstm(sums(x, h * draw("mask"), w), c)


def zoneout(x, h, c, w, draw):
    h_new, c_new = lstm(sums(x, h, w), c)
    d_c, d_h = draw("stay", 0.5), draw("stay", 0.25)
    return d_h * h + (1 - d_h) * h_new, d_c * c + (1 - d_c) * c_new


def per_memory(x, h, c, w):
    """o_k * tanh(c_k), o_k and c_k for each memory k, each with weights of its own."""
    i, f, g, o = (part.reshape(len(x), MEMORIES, HIDDEN) for part in np.split(sums(x, h, w), 4, axis=-1))
    c = c.reshape(len(x), MEMORIES, HIDDEN)
    for k in range(MEMORIES):
        new = sigmoid(f[:, k]) * c[:, k] + sigmoid(i[:, k]) * np.tanh(g[:, k])
        yield sigmoid(o[:, k]) * np.tanh(new), sigmoid(o[:, k]), new


def array(x, h, c, w, draw):
    memories = list(per_memory(x, h, c, w))
    return sum(shown for shown, _, _ in memories), np.concatenate([c for _, _, c in memories], axis=-1)


def stochastic_array(x, h, c, w, draw):
    shown, o, new = (np.stack(values, axis=1) for values in zip(*per_memory(x, h, c, w)))
    p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
    return (draw("pool", p) * shown).sum(axis=1), np.concatenate(list(new.swapaxes(0, 1)), axis=-1)


def gru(x, h, w):
    x_r, x_z, x_n = np.split(x @ w["weight_ih"].T + w["bias_ih"], 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ w["weight_hh"].T + w["bias_hh"], 3, axis=-1)
    z = sigmoid(x_z + h_z)
    return (1 - z) * np.tanh(x_n + sigmoid(x_r + h_r) * h_n) + z * h


ORACLES = {
    "peephole": peephole,
    "coupled": coupled,
    "layer norm": layer_norm,
    "recurrent dropout": recurrent_dropout,
    "zoneout": zoneout,
    "array": array,
    "stochastic array": stochastic_array,
}


def drawer(training, batch, generator):
    """What a cell draws, in the order in which it draws; in evaluation the means."""
    mask = None
    if training:
        mask = (torch.rand(batch, HIDDEN, generator=generator.clone_state(), dtype=F64) >= 0.4).numpy() / 0.6

    def draw(kind, p=None):
        if kind == "mask":
            return mask if training else 1.0
        if kind == "stay":
            return (torch.rand(batch, HIDDEN, generator=generator) < p).numpy() if training else p
        if not training:
            return p
        clocks = torch.empty(p.shape, dtype=F64).exponential_(generator=generator).numpy() / p
        return clocks == clocks.min(axis=1, keepdims=True)

    return draw


@modes
@pytest.mark.parametrize("name", ORACLES)
def test_oracle(name, training):
    layer = make(name).train(training)
    x = torch.randn(6, 2, INPUT, dtype=F64)
    h, c = (torch.randn(1, 2, width, dtype=F64) for width in layer.cell.states.values())
    output, (h_n, c_n) = layer(x, (h, c), generator=torch.Generator().manual_seed(4))
    weights = {name: value.detach().numpy() for name, value in layer.weights(0).items()}
    draw = drawer(training, 2, torch.Generator().manual_seed(4))
    h, c, expected = h[0].numpy(), c[0].numpy(), []
    for x_t in x.numpy():
        h, c = ORACLES[name](x_t, h, c, weights, draw)
        expected.append(h)
    np.testing.assert_allclose(output.detach().numpy(), np.stack(expected), **CLOSE)
    np.testing.assert_allclose(h_n[0].detach().numpy(), h, **CLOSE)
    np.testing.assert_allclose(c_n[0].detach().numpy(), c, **CLOSE)


def test_gru_oracle_and_torch():
    layer = make("gru", num_layers=2, bidirectional=True)
    theirs = nn.GRU(INPUT, HIDDEN, 2, bidirectional=True, dtype=F64)
    theirs.load_state_dict(layer.state_dict(), strict=True)
    x, h = torch.randn(5, 2, INPUT, dtype=F64), torch.randn(4, 2, HIDDEN, dtype=F64)
    torch.testing.assert_close(layer(x, h), theirs(x, h), **CLOSE)
    torch.testing.assert_close(layer(x), theirs(x), **CLOSE)

    single = make("gru")
    weights, state = {name: value.detach().numpy() for name, value in single.weights(0).items()}, np.zeros((2, HIDDEN))
    for x_t in x.numpy():
        state = gru(x_t, state, weights)
    np.testing.assert_allclose(single(x)[1][0].detach().numpy(), state, **CLOSE)
    with pytest.raises(RuntimeError, match=r"For batched 3-D input, hx should also be 3-D but got 2-D tensor"):
        single(x, h[0])


@every_cell
@modes
def test_gradcheck_and_gradgradcheck(name, training):
    layer = make(name).train(training)
    x = torch.randn(3, 2, INPUT, dtype=F64, requires_grad=True)
    parameters = list(layer.parameters())
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *parameters):
        options = {"generator": torch.Generator().manual_seed(0)}
        output, state = torch.func.functional_call(layer, dict(zip(names, parameters)), (x,), options)
        return (output, *state) if isinstance(state, tuple) else (output, state)

    assert gradcheck(run, (x, *parameters))
    assert gradgradcheck(run, (x, *parameters), fast_mode=True)


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


@every_cell
def test_cell_alone_is_a_layer_of_one_step(name):
    layer = make(name).eval()
    cell = CELLS[name](INPUT, HIDDEN, dtype=F64).eval()
    cell.load_state_dict(layer.weights(0))
    x = torch.randn(2, INPUT, dtype=F64)
    found = as_tuple(cell(x))
    torch.testing.assert_close(found, tuple(value[0] for value in as_tuple(layer(x.unsqueeze(0))[1])), **CLOSE)
    torch.testing.assert_close(as_tuple(cell(x[0]))[0], found[0][0], **CLOSE)
    assert all(one.shape == (2, width) for one, width in zip(found, cell.states.values()))


@every_cell
def test_stacked_and_bidirectional_is_one_layer_after_another(name):
    layer = make(name, num_layers=2, bidirectional=True).eval()
    x = torch.randn(5, 2, INPUT, dtype=F64)
    output, state = layer(x)
    below, finals = x, []
    for index in range(2):
        directions = []
        for reverse in (False, True):
            alone = LSTM(below.size(-1), HIDDEN, cell=CELLS[name], dtype=F64).eval()
            alone.load_state_dict({f"{key}_l0": value for key, value in layer.weights(index, int(reverse)).items()})
            one, final = alone(below.flip(0) if reverse else below)
            directions.append(one.flip(0) if reverse else one)
            finals.append(as_tuple(final)[0])
        below = torch.cat(directions, dim=-1)
    torch.testing.assert_close(output, below, **CLOSE)
    torch.testing.assert_close(as_tuple(state)[0], torch.cat(finals), **CLOSE)


@every_cell
@pytest.mark.parametrize("lengths", [[4, 1, 5], [5, 4, 1]], ids=str)
def test_packed_and_padded_is_each_sequence_alone(name, lengths):
    layer = make(name, bidirectional=True).eval()
    x = torch.randn(5, 3, INPUT, dtype=F64)
    packed, state = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
    output, _ = pad_packed_sequence(packed)
    padded, padded_state = layer(x, lengths=lengths)
    torch.testing.assert_close(padded, output, **CLOSE)
    torch.testing.assert_close(as_tuple(padded_state), as_tuple(state), **CLOSE)
    for index, length in enumerate(lengths):
        alone, final = layer(x[:length, index])
        torch.testing.assert_close(output[:length, index], alone, **CLOSE)
        assert not output[length:, index].any()
        for one, own in zip(as_tuple(state), as_tuple(final)):
            torch.testing.assert_close(one[:, index], own, **CLOSE)


@every_cell
def test_traced(name):
    layer = make(name, num_layers=2, bidirectional=True)
    x = torch.randn(5, 2, INPUT, dtype=F64)
    seen = trace(layer, x, generator=torch.Generator().manual_seed(1))
    output, state = layer(x, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(seen.output, output, **CLOSE)
    torch.testing.assert_close(torch.cat([seen.h[1, 0], seen.h[1, 1]], dim=-1), output, **CLOSE)
    torch.testing.assert_close(as_tuple(seen.state), as_tuple(state), **CLOSE)
    gates = set("rzn") if name == "gru" else set("ifgo")
    assert set(seen.names) == gates | set(layer.cell.states)


@pytest.mark.parametrize("name", [name for name in CELLS if name not in ("zoneout", "gru")])
def test_projected(name):
    layer = make(name, proj_size=2)
    output, (h, c) = layer(torch.randn(5, 2, INPUT, dtype=F64))
    assert output.shape == (5, 2, 2) and h.shape == (1, 2, 2) and c.size(-1) == layer.cell.states["c"]


@pytest.mark.parametrize("name", ["zoneout", "gru"])
def test_what_mixes_h_with_its_old_self_cannot_be_projected(name):
    with pytest.raises(ValueError, match="keeps h as wide as hidden_size: proj_size must be 0"):
        make(name, proj_size=2)


@every_cell
def test_without_bias(name):
    layer = LSTM(INPUT, HIDDEN, bias=False, cell=CELLS[name])
    assert not [key for key, _ in layer.named_parameters() if key.startswith(("bias_ih", "bias_hh"))]
    assert layer(torch.randn(5, 2, INPUT))[0].shape == (5, 2, HIDDEN)


def test_one_memory_is_an_lstm():
    plain = LSTM(INPUT, HIDDEN, dtype=F64)
    one = LSTM(INPUT, HIDDEN, dtype=F64, cell=partial(lstmlib.ArrayCell, memories=1))
    one.load_state_dict(plain.state_dict(), strict=True)
    x = torch.randn(5, 2, INPUT, dtype=F64)
    torch.testing.assert_close(one(x), plain(x), **CLOSE)


def test_shares_of_what_is_drawn():
    generator = torch.Generator().manual_seed(0)
    cell = lstmlib.RecurrentDropoutCell(2, 100, dropout=0.3)
    mask = cell.begin(100, generator)["mask"]
    assert (mask == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert mask.unique().tolist() == [0.0, pytest.approx(1 / 0.7)]

    state = {"h": torch.full((100, 100), 7.0), "c": torch.full((100, 100), 9.0)}
    cell = lstmlib.ZoneoutCell(2, 100, zoneout_c=0.5, zoneout_h=0.1)
    new = cell.step(torch.zeros(100, 400), state | {"generator": generator}, cell.weights())
    assert (new["c"] == 9).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert (new["h"] == 7).float().mean().item() == pytest.approx(0.1, abs=0.02)

    cell = lstmlib.StochasticArrayCell(2, 100, memories=2)
    o = torch.tensor([0.9, 0.1]).view(1, 2, 1).expand(100, 2, 100)
    shown = torch.tensor([1.0, 0.0]).view(1, 2, 1).expand(100, 2, 100)
    mean = cell.pool(shown, o, {"generator": generator}).mean().item()
    expected = 1 / (1 + np.exp(0.1 - 0.9))
    assert mean == pytest.approx(expected, abs=0.02)
    assert cell.eval().pool(shown, o, {})[0, 0].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "make_it, message",
    [
        (lambda: lstmlib.ZoneoutCell(2, 3, zoneout_c=1.5), "zoneout_c should be a probability"),
        (lambda: lstmlib.RecurrentDropoutCell(2, 3, dropout=1), "dropout should be a probability"),
        (lambda: lstmlib.ArrayCell(2, 3, memories=0), "memories should be a whole number"),
        (lambda: lstmlib.ArrayCell(2, 3, memories=2.0), "memories should be a whole number"),
    ],
)
def test_options_are_checked(make_it, message):
    with pytest.raises(ValueError, match=message):
        make_it()


def test_layer_norm_starts_as_plain_normalisation():
    cell = lstmlib.LayerNormCell(2, 3)
    assert cell.norm_ih.eq(1).all() and cell.norm_hh.eq(1).all() and cell.norm_c.eq(1).all() and not cell.bias_c.any()

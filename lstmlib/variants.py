"""Variants of the LSTM cell, each what differs from `LSTMCell` and nothing else.

All take (input_size, hidden_size, bias, device, dtype) and options by name, run alone as `LSTMCell` does, and in a
layer as `LSTM(..., cell=PeepholeCell)` or `LSTM(..., cell=functools.partial(ZoneoutCell, zoneout_c=0.5))`: stacked,
in both directions, over packed and padded sequences, traced.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lstmlib.cell import LSTMCell


class PeepholeCell(LSTMCell):
    """The gates see the cell too (Gers & Schmidhuber 2000, "Recurrent nets that time and count").

    i = sigmoid(.. + p_i * c_prev), f = sigmoid(.. + p_f * c_prev), o = sigmoid(.. + p_o * c).
    Parameters beside torch's: `peephole_i`, `peephole_f`, `peephole_o`, each (hidden_size,).
    """

    def parameter_shapes(self, input_size):
        """Torch's parameters and one peephole vector for each of i, f, o."""
        peepholes = {name: (self.hidden_size,) for name in ("peephole_i", "peephole_f", "peephole_o")}
        return super().parameter_shapes(input_size) | peepholes

    def step(self, gates_x, state, weights):
        """i and f look at the old cell, o at the new one."""
        h_prev, c_prev = state["h"], state["c"]
        gates = gates_x + F.linear(h_prev, weights["weight_hh"], weights.get("bias_hh"))
        i, f, g, o = gates.chunk(4, dim=-1)  # each (batch, hidden)

        i = torch.sigmoid(i + weights["peephole_i"] * c_prev)
        f = torch.sigmoid(f + weights["peephole_f"] * c_prev)
        g = torch.tanh(g)
        c = f * c_prev + i * g
        o = torch.sigmoid(o + weights["peephole_o"] * c)
        h = o * torch.tanh(c)
        return {"h": h, "c": c, "i": i, "f": f, "g": g, "o": o}


class CoupledCell(LSTMCell):
    """Coupled input and forget gates, CIFG (Greff et al. 2017, "LSTM: a search space odyssey"): f = 1 - i.

    What is written is what is forgotten, and the rows of the weights hold three blocks: i, g, o.
    """

    blocks = 3

    def step(self, gates_x, state, weights):
        """The equations with f = 1 - i."""
        gates = gates_x + F.linear(state["h"], weights["weight_hh"], weights.get("bias_hh"))
        i, g, o = gates.chunk(3, dim=-1)  # each (batch, hidden)

        i = torch.sigmoid(i)
        f = 1 - i
        g = torch.tanh(g)
        o = torch.sigmoid(o)
        c = f * state["c"] + i * g
        h = o * torch.tanh(c)
        return {"h": h, "c": c, "i": i, "f": f, "g": g, "o": o}


class LayerNormCell(LSTMCell):
    """Layer normalisation of both products and of the cell (Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 20-22).

    a = LN(W_ih x) * norm_ih + b_ih + LN(W_hh h) * norm_hh + b_hh, and h = o * tanh(LN(c) * norm_c + bias_c), where LN
    takes away the mean and divides by the standard deviation over the last dimension.
    Parameters beside torch's: `norm_ih`, `norm_hh` (4 * hidden_size,), `norm_c`, `bias_c` (hidden_size,).
    """

    def parameter_shapes(self, input_size):
        """Torch's parameters, a gain for each product, and gain and bias of the normalised cell."""
        rows, hidden = (self.blocks * self.hidden_size,), (self.hidden_size,)
        norms = {"norm_ih": rows, "norm_hh": rows, "norm_c": hidden, "bias_c": hidden}
        return super().parameter_shapes(input_size) | norms

    def reset(self, weights):
        """As torch, but the gains to one and the cell's bias to zero."""
        super().reset(weights)
        for name in ("norm_ih", "norm_hh", "norm_c"):
            nn.init.ones_(weights[name])
        nn.init.zeros_(weights["bias_c"])

    def project(self, x, weights):
        """The input's part of the gates, normalised; the bias comes after."""
        return _normalised(F.linear(x, weights["weight_ih"]), weights["norm_ih"], weights.get("bias_ih"))

    def step(self, gates_x, state, weights):
        """The equations with a normalised recurrent product and a normalised view of c."""
        recurrent = F.linear(state["h"], weights["weight_hh"])
        gates = gates_x + _normalised(recurrent, weights["norm_hh"], weights.get("bias_hh"))
        i, f, g, o = gates.chunk(4, dim=-1)  # each (batch, hidden)

        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * state["c"] + i * g
        h = o * torch.tanh(_normalised(c, weights["norm_c"], weights["bias_c"]))
        return {"h": h, "c": c, "i": i, "f": f, "g": g, "o": o}


def _normalised(a, gain, bias):
    return F.layer_norm(a, a.shape[-1:], gain, bias)


class RecurrentDropoutCell(LSTMCell):
    """Dropout on h_prev with one mask for the whole sequence (Gal & Ghahramani 2016, arXiv:1512.05287).

    `dropout` is the probability that a unit of h is hidden from the gates, at every step of a sequence alike; what
    remains is scaled by 1 / (1 - dropout). Nothing is dropped in evaluation.
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None, *, dropout=0.25):
        self.dropout = _probability("dropout", dropout)
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def begin(self, batch, generator=None, device=None, dtype=None):
        """Zero states, and in training the mask (batch, width of h) that lasts the sequence."""
        state = super().begin(batch, generator, device, dtype)
        if self.training:
            keep = torch.rand(state["h"].shape, generator=generator, device=device, dtype=dtype) >= self.dropout
            state["mask"] = keep.to(state["h"].dtype) / (1 - self.dropout)
        return state

    def step(self, gates_x, state, weights):
        """The equations with what the mask leaves of h_prev."""
        seen = state | {"h": state["h"] * state["mask"]} if "mask" in state else state
        return super().step(gates_x, seen, weights)


class ZoneoutCell(LSTMCell):
    """Some units keep their old value for a step (Krueger et al. 2017, arXiv:1606.01305).

    c = d_c * c_prev + (1 - d_c) * c_new and h = d_h * h_prev + (1 - d_h) * h_new, where d is 1 with probability
    `zoneout_c`, `zoneout_h`, drawn anew at every step; in evaluation d is its mean.
    """

    projects = False  # h_prev and h_new must be of one width

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None, *, zoneout_c=0.5, zoneout_h=0.05):
        self.zoneout = {"c": _probability("zoneout_c", zoneout_c), "h": _probability("zoneout_h", zoneout_h)}
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def begin(self, batch, generator=None, device=None, dtype=None):
        """Zero states, and the generator that each step draws from."""
        return super().begin(batch, generator, device, dtype) | {"generator": generator}

    def step(self, gates_x, state, weights):
        """The equations, and then what zones out stays as it was."""
        new = super().step(gates_x, state, weights)
        for name, p in self.zoneout.items():
            stay = p
            if self.training:
                drawn = torch.rand(new[name].shape, generator=state["generator"], device=gates_x.device)
                stay = (drawn < p).to(gates_x.dtype)
            new[name] = stay * state[name] + (1 - stay) * new[name]
        return new


def _probability(name, value):
    if not 0 <= value < 1:
        raise ValueError(f"{name} should be a probability from 0 to below 1, got {value}")
    return float(value)

"""The gated recurrent unit, for comparison: three gate blocks and no cell state."""

import torch
from torch.nn import functional as F

from lstmlib.cell import LSTMCell


class GRUCell(LSTMCell):
    """A gated recurrent unit, for comparison: a drop-in for `torch.nn.GRUCell` (Cho et al. 2014, arXiv:1406.1078).

    r = sigmoid(..), z = sigmoid(..), n = tanh(W x + b + r * (W h + b)), h = (1 - z) * n + z * h_prev: no cell state,
    so a layer takes and returns h alone; the rows of the weights hold r, z, n.
    """

    blocks = 3
    projects = False  # h_prev and n must be of one width

    @property
    def states(self):
        """h alone."""
        return {"h": self.hidden_size}

    def step(self, gates_x, state, weights):
        """The four equations; r acts on the recurrent product of n, so the two products come in apart."""
        recurrent = F.linear(state["h"], weights["weight_hh"], weights.get("bias_hh"))
        x_r, x_z, x_n = gates_x.chunk(3, dim=-1)  # each (batch, hidden)
        h_r, h_z, h_n = recurrent.chunk(3, dim=-1)

        r = torch.sigmoid(x_r + h_r)
        z = torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        h = (1 - z) * n + z * state["h"]
        return {"h": h, "r": r, "z": z, "n": n}

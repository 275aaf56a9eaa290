"""One step of an LSTM: the cell that every layer, backend and variant of this library draws on."""

import torch
from torch import nn
from torch.nn import functional as F

from lstmlib.arguments import check_cell_input, check_cell_sizes


class LSTMCell(nn.Module):
    """One step of an LSTM, a drop-in for `torch.nn.LSTMCell` (Hochreiter & Schmidhuber 1997, Gers et al. 2000).

    Input (batch, input_size) or (input_size,); state (h, c), each (batch, hidden_size) or (hidden_size,), zero if
    left out. Returns the next (h, c). Raises torch's errors for inputs and states of the wrong size.

    A variant subclasses it and overrides what differs, most often `step` alone. The hooks take their weights as an
    argument because inside a layer the layer owns them:

    - `blocks`: how many gate blocks the rows of `weight_ih` and `weight_hh` hold;
    - `states`: the name and width of each state; the first is the output;
    - `parameter_shapes(input_size)`: the name and shape of each parameter;
    - `reset(weights)`: fill them;
    - `begin(batch, generator)`: what lasts a sequence: the zero states, dropout masks;
    - `project(x, weights)`: the input's part of the gates, of one step or of all at once;
    - `step(gates_x, state, weights)`: the equations.

    >>> cell = LSTMCell(10, 20)
    >>> h, c = cell(torch.zeros(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    blocks = 4  # i, f, g, o, stacked along the rows of weight_ih and weight_hh
    projects = True  # whether a layer may narrow h with proj_size

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size  # the width of h; a layer with proj_size narrows it
        self.bias = bias
        for name, shape in self.parameter_shapes(input_size).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
        if not bias:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    @property
    def states(self):
        """The name and width of each state, the output first."""
        return {"h": self.output_size, "c": self.hidden_size}

    def parameter_shapes(self, input_size):
        """The name and shape of each parameter for an input of this width."""
        rows = self.blocks * self.hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, self.output_size)}
        return shapes | {"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else shapes

    def reset(self, weights):
        """Fill the weights from U(-k, k), k = 1 / sqrt(hidden_size), as torch does."""
        k = self.hidden_size**-0.5 if self.hidden_size > 0 else 0.0
        for weight in weights.values():
            nn.init.uniform_(weight, -k, k)

    def begin(self, batch, generator=None, device=None, dtype=None):
        """What a sequence starts with, by name: zero states (batch, width); a variant adds what it draws once."""
        return {name: torch.zeros(batch, width, device=device, dtype=dtype) for name, width in self.states.items()}

    def project(self, x, weights):
        """The input's part of the gates: x (..., input_size) to (..., blocks * hidden_size)."""
        return F.linear(x, weights["weight_ih"], weights.get("bias_ih"))

    def step(self, gates_x, state, weights):
        """The six equations: from gates_x (batch, 4 * hidden) and the state before to the state after.

        Returns the new h and c, and the gates beside them for whoever looks on (`lstmlib.trace`).
        """
        h_prev, c_prev = state["h"], state["c"]
        gates = gates_x + F.linear(h_prev, weights["weight_hh"], weights.get("bias_hh"))
        i, f, g, o = gates.chunk(4, dim=-1)  # each (batch, hidden)

        i = torch.sigmoid(i)  # input gate: how much of the candidate enters the cell
        f = torch.sigmoid(f)  # forget gate: how much of the old cell stays
        g = torch.tanh(g)  # candidate: what could be written
        o = torch.sigmoid(o)  # output gate: how much of the cell is shown
        c = f * c_prev + i * g
        h = o * torch.tanh(c)
        return {"h": h, "c": c, "i": i, "f": f, "g": g, "o": o}

    def weights(self):
        """The cell's own parameters by name, as the hooks take them."""
        return {name: getattr(self, name) for name in self.parameter_shapes(self.input_size)}

    def reset_parameters(self):
        """Fill the cell's own parameters anew."""
        with torch.no_grad():
            self.reset(self.weights())

    def forward(self, input, hx=None, *, generator=None):
        """One step; see the class. `generator` is for variants that draw at random."""
        names = list(self.states)
        hx = check_cell_input(input, hx, names, type(self).__name__)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)  # (1, input_size)
            hx = hx and [value.unsqueeze(0) for value in hx]  # each (1, width)
        check_cell_sizes(input, hx, self)
        state = self.begin(input.size(0), generator, input.device, input.dtype)
        state.update(zip(names, hx or ()))
        weights = self.weights()
        new = self.step(self.project(input, weights), state, weights)
        final = tuple(new[name] if batched else new[name].squeeze(0) for name in names)
        return final if len(final) > 1 else final[0]

    def extra_repr(self):
        """Sizes, and bias when there is none, as torch prints them."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")

"""A whole LSTM on one page: a batch-first module of two Linear maps, whose one step a subclass overrides.

It runs one layer in one direction and is slow; `lstmlib.LSTM` is what to use. It is here to be read, and to show that
nothing is hidden: `lstmlib`'s tests carry its weights over and compare.
"""

import torch
from torch import nn


class StepwiseLSTM(nn.Module):
    """An LSTM over x (batch, time, input_size), in the manner of many research modules.

    Attributes: `input_size`, `hidden_size`; `i2h` (input_size to 4 * hidden_size) and `h2h` (hidden_size to
    4 * hidden_size), whose rows hold the gates i, f, g, o as torch's do.
    """

    gates = 4

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, self.gates * hidden_size)
        self.h2h = nn.Linear(hidden_size, self.gates * hidden_size)

    def initial(self, batch, like):
        """The state before the first step: h and c, each (batch, hidden_size), zero."""
        return like.new_zeros(batch, self.hidden_size), like.new_zeros(batch, self.hidden_size)

    def forward(self, x, hidden=None):
        """Run x (batch, time, input_size); `hidden` is (h, c), zero if None.

        Returns the outputs (batch, time, hidden_size) and the final (h, c).
        """
        h, c = self.initial(len(x), x) if hidden is None else hidden
        outputs = []
        for x_t in x.unbind(1):  # (batch, input_size)
            h, c = self.forward_cell(x_t, h, c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c)

    def forward_cell(self, x, hidden, state):
        """One step, the part that subclasses override: x (batch, input_size), hidden and state (batch, hidden_size)."""
        i, f, g, o = (self.i2h(x) + self.h2h(hidden)).chunk(4, dim=-1)  # each (batch, hidden_size)
        state = torch.sigmoid(f) * state + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(state), state


class StepwiseArrayLSTM(StepwiseLSTM):
    """Array LSTM (Rocki 2016, arXiv:1607.03085): `memories` cells for each hidden unit, h the sum of what they show.

    The state c is (batch, memories, hidden_size); see `lstmlib.ArrayCell` for the library's own.
    """

    def __init__(self, input_size, hidden_size, memories=2):
        self.gates = 4 * memories
        super().__init__(input_size, hidden_size)
        self.memories = memories

    def initial(self, batch, like):
        """h as ever; c with a row for each memory."""
        h, _ = super().initial(batch, like)
        return h, like.new_zeros(batch, self.memories, self.hidden_size)

    def forward_cell(self, x, hidden, state):
        """Every memory takes its own step; all of them show."""
        sums = (self.i2h(x) + self.h2h(hidden)).unflatten(-1, (4, self.memories, self.hidden_size))
        i, f, g, o = sums.unbind(1)  # each (batch, memories, hidden_size)
        state = torch.sigmoid(f) * state + torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(state)).sum(1), state

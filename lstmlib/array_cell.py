"""Array LSTM: several memory cells for each hidden unit, all of them shown or one drawn at random."""

import torch

from lstmlib.cell import LSTMCell


class ArrayCell(LSTMCell):
    """Several memory cells for each hidden unit, Array LSTM (Rocki 2016, arXiv:1607.03085).

    Every memory k has gates of its own: c_k = f_k * c_k_prev + i_k * g_k, and h = sum over k of o_k * tanh(c_k).
    c is (batch, memories * hidden_size), memory after memory, and so is each gate's block of rows.
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None, *, memories=2):
        if not isinstance(memories, int) or memories < 1:
            raise ValueError(f"memories should be a whole number of cells for each hidden unit, got {memories!r}")
        self.memories = memories
        self.blocks = 4 * memories
        super().__init__(input_size, hidden_size, bias, device, dtype)

    @property
    def states(self):
        """h, and a c as wide as all memories."""
        return super().states | {"c": self.memories * self.hidden_size}

    def step(self, gates_x, state, weights):
        """The six equations for all memories at once; then h pools what they show."""
        new = super().step(gates_x, state, weights)
        each = (self.memories, self.hidden_size)
        shown, o = new["h"].unflatten(-1, each), new["o"].unflatten(-1, each)  # (batch, memories, hidden)
        return new | {"h": self.pool(shown, o, state)}

    def begin(self, batch, generator=None, device=None, dtype=None):
        """Zero states, and the generator that a pooling may draw from."""
        return super().begin(batch, generator, device, dtype) | {"generator": generator}

    def pool(self, shown, o, state):
        """h (batch, hidden) from o_k * tanh(c_k), each (batch, memories, hidden): their sum."""
        return shown.sum(-2)


class StochasticArrayCell(ArrayCell):
    """Array LSTM with stochastic output pooling (Rocki 2016, arXiv:1607.03085): one memory shows itself at a time.

    In training memory k is drawn for each hidden unit and step with probability p_k = softmax over k of o_k, and
    h = o_k * tanh(c_k); in evaluation h is the mean, the sum of p_k * o_k * tanh(c_k).
    """

    def pool(self, shown, o, state):
        """h (batch, hidden) of one drawn memory, or in evaluation the mean over what could be drawn."""
        p = torch.softmax(o, dim=-2)  # (batch, memories, hidden)
        if not self.training:
            return (p * shown).sum(-2)
        # The first of exponential clocks of rates p_k to ring is k with probability p_k.
        clocks = torch.empty_like(p).exponential_(generator=state["generator"]) / p.detach()
        drawn = clocks.argmin(-2, keepdim=True)  # (batch, 1, hidden)
        return shown.gather(-2, drawn).squeeze(-2)

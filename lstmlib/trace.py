"""Look inside a layer: every gate and state of every step."""

import torch

from lstmlib import loop


class Trace:
    """What a layer computed: `i, f, g, o, c, h` (or what its cell calls its gates), `output` and `state`.

    Each gate and state is (layers, directions, time, batch, hidden), along time as the input is, also for the
    reverse direction; zero where a sequence has ended. All are differentiable.
    """

    def __init__(self, quantities, output, state):
        self.names = tuple(quantities)
        self.output = output
        self.state = state
        for name, value in quantities.items():
            setattr(self, name, value)

    def __repr__(self):
        shapes = ", ".join(f"{name} {tuple(getattr(self, name).shape)}" for name in self.names)
        return f"Trace({shapes})"


def trace(layer, x, state=None, *, lengths=None, generator=None):
    """Run `layer` on x as its `forward` does and return a `Trace` of every gate and state.

    >>> from lstmlib import LSTM
    >>> seen = trace(LSTM(3, 5, num_layers=2), torch.zeros(4, 1, 3))
    >>> seen.f.shape
    torch.Size([2, 1, 4, 1, 5])
    """
    seen = []

    def run(cell, x, state, weights, mask, reverse):
        steps = list(loop.unroll(cell, x, state, weights, mask, reverse))
        final = {name: steps[-1][name] for name in cell.states}
        if reverse:
            steps.reverse()
        lasting = set(state) - set(cell.states)  # masks and generators: no quantity of a step
        stacked = {name: torch.stack([step[name] for step in steps]) for name in steps[0] if name not in lasting}
        if mask is not None:
            stacked = {name: value.masked_fill(~mask.unsqueeze(-1), 0) for name, value in stacked.items()}
        seen.append(stacked)
        return stacked["h"], final

    output, final = layer.run_with(run, x, state, lengths, generator)
    grid = (layer.num_layers, layer.directions)
    quantities = {name: torch.stack([one[name] for one in seen]).unflatten(0, grid) for name in seen[0]}
    return Trace(quantities, output, final)


def gradient_flow(layer, x, loss, state=None):
    """How much of a loss's gradient reaches each step: the gradients by every h_t and c_t, later steps included.

    `loss(output, final_state)` gives one number. Returns a dict from the name of each state to its gradients (layers,
    directions, time, batch, width). The gradient by c_t of a loss at the end is what the constant error carousel
    carries back (Hochreiter & Schmidhuber 1997). Sequences must be of one length.
    """
    seen = []

    def run(cell, x, state, weights, mask, reverse):
        steps = list(loop.unroll(cell, x, state, weights, mask, reverse))
        final = {name: steps[-1][name] for name in cell.states}
        if reverse:
            steps.reverse()
        seen.append(steps)
        return torch.stack([step["h"] for step in steps]), final

    value = loss(*layer.run_with(run, x, state))
    names, grid = list(layer.cell.states), (layer.num_layers, layer.directions)
    flow = {}
    for name in names:
        values = [step[name] for steps in seen for step in steps]
        found = torch.autograd.grad(value, values, retain_graph=True, materialize_grads=True)
        flow[name] = torch.stack(found).unflatten(0, (*grid, -1))  # (layers, directions, time, batch, width)
    return flow

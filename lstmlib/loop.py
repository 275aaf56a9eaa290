"""The readable backend: one call of the cell's `step` for each time step, autograd does the rest."""

import torch
from torch.nn import functional as F


def refusal(cell):
    """Why this backend cannot run a cell: never."""
    return None


def unroll(cell, x, state, weights, mask=None, reverse=False):
    """Yield the state after each step of x (time, batch, features), last step first if `reverse`.

    `mask` (time, batch) is false where a sequence has ended: there the states stay as they are.
    """
    # unbind, not x[t]: the backward of an index fills a tensor of the whole sequence for every step.
    steps = list(cell.project(x, weights).unbind(0))
    active = [None] * len(steps) if mask is None else list(mask.unsqueeze(-1).unbind(0))  # each (batch, 1)
    if reverse:
        steps.reverse()
        active.reverse()
    for gates_x, here in zip(steps, active):
        new = cell.step(gates_x, state, weights)
        if "weight_hr" in weights:
            new["h"] = F.linear(new["h"], weights["weight_hr"])
        if here is not None:
            new |= {name: torch.where(here, new[name], state[name]) for name in cell.states}
        state = state | new  # what `begin` drew and `step` did not change lasts
        yield state


def run(cell, x, state, weights, mask=None, reverse=False):
    """Run one layer in one direction: the output (time, batch, width of h) and the final state by name."""
    outputs = []
    for state in unroll(cell, x, state, weights, mask, reverse):
        outputs.append(state["h"])
    if reverse:
        outputs.reverse()
    output = torch.stack(outputs)  # (time, batch, width of h)
    if mask is not None:
        output = output.masked_fill(~mask.unsqueeze(-1), 0)
    return output, {name: state[name] for name in cell.states}

"""The fast backend: one product for many steps' inputs, and a backward pass written by hand.

Forward keeps c of every step and the output, nothing else; the gates are made again when they are needed, since once h
is known no step waits for another. Backward walks time once, a chunk of steps at a time: what does not depend on the
step before (the gates, their slopes, the products that give the gradients of x and of the weights) is done for the
whole chunk at once.

Where autograd's own rules are needed (double backward, many gradients at once as `jacobian(vectorize=True)` asks for,
`torch.func`, forward mode, `torch.compile`) the loop runs.
"""

from itertools import cycle, repeat

import torch
from torch.autograd import forward_ad

from lstmlib import loop
from lstmlib.cell import LSTMCell
from lstmlib.products import Product

CHUNK = 2**19  # gate values in one chunk: 2 MiB in float32, so that what one product writes the next finds in cache
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def refusal(cell):
    """Why this backend cannot run a cell, or None if it can."""
    if type(cell) is LSTMCell:
        return None
    return f"its backward is that of LSTMCell's six equations, not of {type(cell).__name__}'s"


def run(cell, x, state, weights, mask=None, reverse=False):
    """Run one layer in one direction: the output (time, batch, width of h) and the final state by name."""
    if _needs_autograd_rules():
        return loop.run(cell, x, state, weights, mask, reverse)
    tensors = (x, state["h"], state["c"], *(weights.get(name) for name in NAMES))
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors):
        output, h, c = Fused.apply(cell, mask, reverse, *tensors)
    else:
        hs, h, c, _ = forward(mask, reverse, *tensors, keep=False)
        output = zero_ended(hs, mask)
    return output, {"h": h, "c": c}


def _needs_autograd_rules():
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or torch._C._are_functorch_transforms_active()  # what autograd.Function itself asks; there is no public name
        or forward_ad._current_level >= 0
    )


class Fused(torch.autograd.Function):
    """The whole walk of one direction as one node of autograd's graph."""

    @staticmethod
    def forward(ctx, cell, mask, reverse, *tensors):
        hs, h, c, cells = forward(mask, reverse, *tensors, keep=True)
        ctx.cell, ctx.mask, ctx.reverse = cell, mask, reverse
        ctx.save_for_backward(*tensors, hs, cells)
        return zero_ended(hs, mask), h, c

    @staticmethod
    def backward(ctx, *grads):
        from lstmlib.fused_backward import backward  # it imports this module

        *tensors, hs, cells = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]
        # create_graph: these gradients are to be differentiated in their turn; batched: the steps in place cannot be
        if torch.is_grad_enabled() or _batched(grads):
            found = differentiable(ctx.cell, ctx.mask, ctx.reverse, tensors, grads, wanted)
        else:
            found = backward(ctx.mask, ctx.reverse, tensors, hs, cells, grads, wanted)
        return None, None, None, *found


def _batched(grads):
    """Whether vmap runs the backward pass: torch's own, or the one behind `is_grads_batched`."""
    return torch._C._are_functorch_transforms_active() or any(map(torch._C._functorch.is_legacy_batchedtensor, grads))


def differentiable(cell, mask, reverse, tensors, grads, wanted):
    """The gradients as autograd finds them through the loop, so that they have gradients themselves if need be."""
    with torch.enable_grad():
        # Aliases: where h_0 was computed from x, the gradient of x must not take in what comes through h_0.
        aliases = [tensor if tensor is None else tensor.view_as(tensor) for tensor in tensors]
        x, h, c, *weights = aliases
        weights = {name: weight for name, weight in zip(NAMES, weights) if weight is not None}
        output, final = loop.run(cell, x, {"h": h, "c": c}, weights, mask, reverse)
    asked = [alias for alias, want in zip(aliases, wanted) if want]
    made = output, final["h"], final["c"]
    found = iter(torch.autograd.grad(made, asked, grads, create_graph=torch.is_grad_enabled()))
    return [next(found) if want else None for want in wanted]


def forward(mask, reverse, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, keep):
    """Every step's h, the final h and c, and every step's c if `keep`, else room for two."""
    (time, batch, _), hidden = x.shape, c.size(-1)
    hs = x.new_empty(time, batch, h.size(-1))
    cells = x.new_empty(time if keep else 2, batch, hidden)
    room = views(x.new_empty(batch, 4 * hidden)), torch.empty_like(c)  # for the gates of one step, for tanh c
    bias = None if bias_ih is None else bias_ih + bias_hh
    for part in chunks(time, batch, hidden, reverse):
        rows = x[part].reshape(-1, x.size(-1))  # (steps * batch, input_size)
        before = Product(weight_ih, rows, bias)(rows).view(*x[part].shape[:2], 4 * hidden).unbind(0)
        slots = cells[part].unbind(0) if keep else cycle(cells.unbind(0))
        active = repeat(None) if mask is None else mask[part].unsqueeze(-1).unbind(0)
        steps = list(zip(before, slots, hs[part].unbind(0), active))
        h, c = walk(steps[::-1] if reverse else steps, h, c, weight_hh, weight_hr, *room)
    return hs, h.clone(), c.clone(), cells


def zero_ended(hs, mask):
    """The output: h of every step, zero where a sequence has ended and its h is only handed on."""
    return hs if mask is None else hs.masked_fill(~mask.unsqueeze(-1), 0)


def chunks(time, batch, hidden, latest_first):
    """Slices of time of about CHUNK gate values each, in the order walked."""
    size = max(1, CHUNK // max(1, 4 * batch * hidden))
    slices = [slice(start, min(start + size, time)) for start in range(0, time, size)]
    return slices[::-1] if latest_first else slices


def views(gates):
    """The gates themselves, i and f as one, and each of i, f, g, o: views made once, not in every step."""
    hidden = gates.size(-1) // 4
    return gates, gates[..., : 2 * hidden], *gates.split(hidden, -1)


def activate(gates, tanh):
    """The sums inside the gates to i, f, g, o, in place."""
    _, input_forget, _, _, g, o = gates
    input_forget.sigmoid_()
    tanh(g, out=g)
    o.sigmoid_()


def walk(steps, h, c, weight_hh, weight_hr, gates, shown):
    """The six equations in place, step by step; `gates` and `shown` are room for the gates and for tanh c."""
    recurrent = Product(weight_hh, h)
    tanh = tanh_for(c)
    sums, _, i, f, g, o = gates
    for before, c_next, h_next, active in steps:
        recurrent.add(before, h, out=sums)
        activate(gates, tanh)
        torch.mul(f, c, out=c_next).addcmul_(i, g)
        tanh(c_next, out=shown)
        if weight_hr is None:
            torch.mul(o, shown, out=h_next)
        else:
            torch.mm(shown.mul_(o), weight_hr.t(), out=h_next)
        if active is not None:
            torch.where(active, c_next, c, out=c_next)
            torch.where(active, h_next, h, out=h_next)
        h, c = h_next, c_next
    return h, c


def tanh_for(a):
    """tanh(a, out=...) for tensors like a: of many values on a CPU torch's sigmoid is quicker than its tanh."""
    if a.numel() < 2048 or a.is_cuda or a.dtype not in (torch.float32, torch.float64):
        return torch.tanh
    return tanh_by_sigmoid


def tanh_by_sigmoid(a, out):
    """tanh(a) = 2 * sigmoid(2a) - 1, good to one unit in the last place of 1."""
    return torch.mul(a, 2, out=out).sigmoid_().mul_(2).sub_(1)

"""The backward pass of the fused backend: backpropagation through time, derived by hand.

With dh and dc the gradients of the loss by h_t and c_t, later steps included, and a the sums inside the gates:

    dc += dh * o * (1 - tanh(c)^2)
    da_i = dc * g * i * (1 - i)       da_f = dc * c_prev * f * (1 - f)
    da_g = dc * i * (1 - g^2)         da_o = dh * tanh(c) * o * (1 - o)
    dc_prev = dc * f                  dh_prev = da @ weight_hh

The factors of dc and dh are known from h and c of the forward pass, so they are made for a chunk of steps at once.
`reference.lstm_backward` is the same in NumPy, a step at a time.
"""

import torch

from lstmlib.fused import activate, chunks, tanh_for, views
from lstmlib.products import Product

aten = torch.ops.aten


def backward(mask, reverse, tensors, hs, cells, grads, wanted):
    """The gradients of `tensors`: x, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr; None if unwanted."""
    x, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr = tensors
    weight = torch.cat([weight_ih, weight_hh], dim=1)  # (4 * hidden, input + width of h)
    bias = None if bias_ih is None else bias_ih + bias_hh
    dh, dc = grads[1], grads[2].clone()
    dx = x.new_empty(x.shape) if wanted[0] else None
    # The weights' gradient is summed transposed: read^T @ da is a faster product than da^T @ read.
    dw, db = x.new_zeros(weight.shape[::-1]), x.new_zeros(len(weight))
    dw_hr = None if weight_hr is None else torch.zeros_like(weight_hr)
    for part in chunks(len(x), x.size(1), c_0.size(-1), not reverse):
        active = None if mask is None else mask[part].unsqueeze(-1)
        total = gradients_by_h(grads[0][part], dh, active, reverse)
        read = torch.cat([x[part], previous(hs, h_0, part, reverse)], dim=-1)  # what the gates of each step read
        gates = gates_of(read, weight, bias)
        shown = tanh_for(cells)(cells[part], out=torch.empty_like(cells[part]))
        factors = slopes(gates, shown, previous(cells, c_0, part, reverse), active)
        retrace(*factors, total, dc, weight_hh, weight_hr, active, reverse)
        dh = total[-1 if reverse else 0]
        da, rows = factors[0].flatten(0, 1), read.flatten(0, 1).t()  # (steps * batch, ..), (.., steps * batch)
        dw.addmm_(rows, da)
        db += da.sum(0)
        if dx is not None:
            dx[part] = Product(weight_ih.t(), da)(da).view(x[part].shape)
        if dw_hr is not None:
            narrow = total[:-1] if reverse else total[1:]
            narrow = narrow if active is None else narrow * active
            dw_hr += narrow.flatten(0, 1).t() @ (gates[..., -c_0.size(-1) :] * shown).flatten(0, 1)
    dw_ih, dw_hh = dw.t().split([x.size(-1), h_0.size(-1)], dim=1)
    found = dx, dh, dc, dw_ih, dw_hh, db, db.clone(), dw_hr
    return [grad.contiguous() if want else None for grad, want in zip(found, wanted)]  # dw lies transposed


def previous(values, first, part, reverse):
    """What each step of a part saw as the state before: `values` one step earlier in the walk, first of all `first`."""
    first = first.unsqueeze(0)
    if reverse:
        after = values[part.start + 1 : part.stop + 1]
        return torch.cat([after, first]) if part.stop == len(values) else after
    if part.start == 0:
        return torch.cat([first, values[: part.stop - 1]])
    return values[part.start - 1 : part.stop - 1]


def gates_of(read, weight, bias):
    """The gates i, f, g, o of each step of a part, made again from what they read (steps, batch, input + width)."""
    rows = read.flatten(0, 1)  # (steps * batch, input + width of h)
    gates = Product(weight, rows, bias)(rows).view(*read.shape[:2], len(weight))
    activate(views(gates), tanh_for(gates))
    return gates


def slopes(gates, shown, c_prev, active):
    """The factors of dc in da_i, da_f, da_g and of dh in da_o (one tensor), of dh in dc, and of dc in dc_prev.

    `shown` is tanh(c).
    """
    i, f, g, o = gates.split(shown.size(-1), -1)
    da = torch.empty_like(gates)
    da_i, da_f, da_g, da_o = da.split(shown.size(-1), -1)
    aten.sigmoid_backward(g, i, grad_input=da_i)
    aten.sigmoid_backward(c_prev, f, grad_input=da_f)
    aten.tanh_backward(i, g, grad_input=da_g)
    aten.sigmoid_backward(shown, o, grad_input=da_o)
    into_c = aten.tanh_backward(o, shown)
    if active is None:
        return da, into_c, f
    return da.mul_(active), into_c.mul_(active), torch.where(active, f, 1)  # an ended sequence hands dc on


def gradients_by_h(grad_output, dh, active, reverse):
    """Room for dh of each step and of what went before the part (steps + 1, batch, width), filled with what is known.

    That is the gradient of the output, and at the step walked last what comes from later parts.
    """
    steps = len(grad_output)
    total = grad_output.new_zeros(steps + 1, *grad_output.shape[1:])
    own = total[:-1] if reverse else total[1:]
    own.copy_(grad_output if active is None else grad_output.masked_fill(~active, 0))
    own[0 if reverse else -1] += dh
    return total


def retrace(da, into_c, kept, total, dc, weight_hh, weight_hr, active, reverse):
    """Walk the part against time: turns the factors in `da` into gradients, completes `total` and dc, in place."""
    hidden = dc.size(-1)
    blocks = da.unflatten(-1, (4, hidden))  # (steps, batch, 4, hidden)
    one = into_c.unsqueeze(-2), kept.unsqueeze(-2), blocks[..., :3, :], blocks[..., 3:, :]  # dc stands for each gate
    own, before = (total[:-1], total[1:]) if reverse else (total[1:], total[:-1])
    ended = own if active is None else ~active
    steps = list(zip(da.unbind(0), *(values.unbind(0) for values in (*one, own, before, ended))))
    dc = dc.unsqueeze(1)  # (batch, 1, hidden)
    into_h = Product(weight_hh.t(), da[0])
    for da_t, into_c_t, kept_t, ifg_t, o_t, dh_t, dh_before, ended_t in steps if reverse else reversed(steps):
        dm = (dh_t if weight_hr is None else dh_t @ weight_hr).unsqueeze(1)  # by o * tanh(c), before the projection
        dc.addcmul_(dm, into_c_t)
        ifg_t.mul_(dc)
        o_t.mul_(dm)
        dc.mul_(kept_t)
        into_h.add(dh_before, da_t, out=dh_before)
        if active is not None:
            dh_before.addcmul_(dh_t, ended_t.to(dh_t.dtype))

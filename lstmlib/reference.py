"""The oracle: an LSTM in NumPy float64, forward and backward derived by hand. Written to be read, not to be fast.

`weights[layer][direction]` is a dict of arrays under the cell's names: weight_ih, weight_hh and, where there are
any, bias_ih, bias_hh, weight_hr. `weights_of` takes them from a torch module.
"""

import numpy as np


def sigmoid(a):
    """The logistic function, from tanh so that it never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * a))


def lstm_step(x, state, weights):
    """One step of x (batch, input) from state (h, c); returns the next (h, c) and all its quantities by name."""
    h_prev, c_prev = state
    gates = x @ weights["weight_ih"].T + h_prev @ weights["weight_hh"].T  # (batch, 4 * hidden)
    gates = gates + weights.get("bias_ih", 0.0) + weights.get("bias_hh", 0.0)
    i, f, g, o = np.split(gates, 4, axis=-1)  # each (batch, hidden)
    i = sigmoid(i)
    f = sigmoid(f)
    g = np.tanh(g)
    o = sigmoid(o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    seen = {"x": x, "h_prev": h_prev, "c_prev": c_prev, "i": i, "f": f, "g": g, "o": o, "c": c, "h_full": h}
    if "weight_hr" in weights:
        h = h @ weights["weight_hr"].T  # (batch, proj_size)
    return (h, c), seen | {"h": h}


def lstm_forward(x, state, weights):
    """Run x (time, batch, input) through every layer and direction.

    `state` is (h_0, c_0), each (layers * directions, batch, width), or None for zeros. Returns the output (time,
    batch, directions * width of h), the final (h_n, c_n), and the tape: for each layer and direction what every step
    saw, in the order walked.
    """
    h_0, c_0 = zero_state(x, weights) if state is None else state
    h_n, c_n, tape = [], [], []
    for layer in weights:
        outputs = []
        for direction, own in enumerate(layer):
            h, c, seen = h_0[len(tape)], c_0[len(tape)], []
            for x_t in x[::-1] if direction else x:
                (h, c), step = lstm_step(x_t, (h, c), own)
                seen.append(step)
            walked = np.stack([step["h"] for step in seen])  # (time, batch, width of h)
            outputs.append(walked[::-1] if direction else walked)
            h_n.append(h)
            c_n.append(c)
            tape.append(seen)
        x = np.concatenate(outputs, axis=-1)  # (time, batch, directions * width of h)
    return x, (np.stack(h_n), np.stack(c_n)), tape


def lstm_step_backward(dh, dc, seen, weights, grads):
    """Backpropagation through one step.

    dh (batch, width of h) and dc (batch, hidden) are the gradients of the loss by the step's h and c, what comes
    through later steps included; `seen` is what `lstm_step` saw. Adds to the weights' gradients in `grads` and
    returns the gradients by x, h_prev and c_prev.
    """
    i, f, g, o, tanh_c = seen["i"], seen["f"], seen["g"], seen["o"], np.tanh(seen["c"])
    if "weight_hr" in weights:
        grads["weight_hr"] += dh.T @ seen["h_full"]
        dh = dh @ weights["weight_hr"]  # (batch, hidden)
    dc = dc + dh * o * (1 - tanh_c**2)  # h = o * tanh(c)
    da_i = dc * g * i * (1 - i)  # c = f * c_prev + i * g, and sigmoid' = s * (1 - s)
    da_f = dc * seen["c_prev"] * f * (1 - f)
    da_g = dc * i * (1 - g**2)  # tanh' = 1 - tanh^2
    da_o = dh * tanh_c * o * (1 - o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)  # (batch, 4 * hidden)
    grads["weight_ih"] += da.T @ seen["x"]
    grads["weight_hh"] += da.T @ seen["h_prev"]
    for name in {"bias_ih", "bias_hh"} & set(weights):
        grads[name] += da.sum(axis=0)
    return da @ weights["weight_ih"], da @ weights["weight_hh"], dc * f


def lstm_backward(grad_output, grad_state, tape, weights):
    """Backpropagation through time, layers and directions, from the tape of `lstm_forward`.

    `grad_output` (time, batch, directions * width of h) and `grad_state` = (dh_n, dc_n) are the gradients of the loss
    by what `lstm_forward` returned. Returns the gradients by x, by (h_0, c_0), and by the weights, nested as they are.
    """
    dh_0, dc_0 = np.array(grad_state[0]), np.array(grad_state[1])
    grads = [[{name: np.zeros_like(value) for name, value in own.items()} for own in layer] for layer in weights]
    dy = grad_output
    for layer in reversed(range(len(weights))):
        directions = len(weights[layer])
        dx = np.zeros(dy.shape[:2] + (weights[layer][0]["weight_ih"].shape[1],))
        for direction, dy_own in enumerate(np.split(dy, directions, axis=-1)):
            k = layer * directions + direction
            dh, dc, own = dh_0[k], dc_0[k], weights[layer][direction]
            walked = range(len(dy))[::-1] if direction else range(len(dy))
            for t, seen in reversed(list(zip(walked, tape[k]))):
                dx_t, dh, dc = lstm_step_backward(dh + dy_own[t], dc, seen, own, grads[layer][direction])
                dx[t] += dx_t
            dh_0[k], dc_0[k] = dh, dc
        dy = dx
    return dy, (dh_0, dc_0), grads


def zero_state(x, weights):
    """The (h_0, c_0) that a sequence starts with unless told otherwise."""
    count, batch, own = sum(map(len, weights)), x.shape[1], weights[0][0]
    hidden, width = own["weight_hh"].shape[0] // 4, own["weight_hh"].shape[1]
    return np.zeros((count, batch, width)), np.zeros((count, batch, hidden))


def weights_of(module):
    """The weights of an LSTM or LSTMCell, torch's or this library's, as `lstm_forward` takes them, in float64."""
    layers = {}
    for name, parameter in module.named_parameters():
        name, _, place = name.partition("_l")  # weight_ih_l0_reverse: ("weight_ih", "0_reverse"); a cell has no place
        layer, _, reverse = place.partition("_")
        own = layers.setdefault(int(layer or 0), {}).setdefault(bool(reverse), {})
        own[name] = parameter.detach().cpu().double().numpy()
    return [[directions[key] for key in sorted(directions)] for _, directions in sorted(layers.items())]

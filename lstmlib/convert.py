"""Weights from and to other frameworks, which stack the gates in other orders and keep one bias or two."""

import numpy as np
import torch

# The order of the gate blocks; ONNX and Keras write c for the candidate g.
ORDERS = {"torch": "ifgo", "cs231n": "ifog", "fastai": "ifog", "onnx": "iofc", "keras": "ifco"}


def reorder(weight, src="ifgo", dst="iofc", dim=0):
    """The gate blocks of a weight or bias, tensor or array, in another order; g and c name the same gate.

    `src` and `dst` spell the orders, or name a framework of `ORDERS`; `dim` is where the blocks are stacked (1 for
    Keras, whose kernels are (input, 4 * hidden)). Raises ValueError for orders that do not name the same gates, and
    for a size that the blocks do not divide.

    >>> reorder(torch.tensor([1, 2, 3, 4]), "ifgo", "iofc")
    tensor([1, 4, 2, 3])
    """
    have, want = (ORDERS.get(order, order).replace("c", "g") for order in (src, dst))
    if sorted(have) != sorted(want) or len(set(have)) != len(have):
        raise ValueError(f"src and dst should name the same gates, each once, got {src!r} and {dst!r}")
    size, left = divmod(weight.shape[dim], len(have))
    if left:
        raise ValueError(
            f"{weight.shape[dim]} rows are no {len(have)} blocks of one size: is dim={dim} where the gates are stacked?"
        )
    places = np.concatenate([np.arange(size) + size * have.index(gate) for gate in want])
    if isinstance(weight, torch.Tensor):
        return weight.index_select(dim, torch.as_tensor(places, device=weight.device))
    return np.take(weight, places, axis=dim)


def merge_biases(bias_ih, bias_hh):
    """The one bias that does what two do: they are only ever added."""
    return bias_ih + bias_hh


def split_bias(bias):
    """The two biases that do what one does: (bias_ih, bias_hh), the second zero."""
    return bias, bias * 0


def from_onnx(W, R, B=None, P=None):
    """The parameters of a one-layer LSTM by name, from the inputs of ONNX's LSTM operator.

    W (directions, 4 * hidden, input), R (directions, 4 * hidden, hidden), B (directions, 8 * hidden): the input's
    biases, then the recurrent; P (directions, 3 * hidden) in the order i, o, f, for a layer of `PeepholeCell`.
    Returns tensors for `load_state_dict`. Source: onnx.ai/onnx/operators/onnx__LSTM.html.
    """
    parameters = {}
    for direction, suffix in zip(range(len(W)), ("_l0", "_l0_reverse")):
        own = {"weight_ih": W[direction], "weight_hh": R[direction]}
        if B is not None:
            own["bias_ih"], own["bias_hh"] = np.split(np.asarray(B[direction]), 2)
        for name, value in own.items():
            parameters[name + suffix] = reorder(torch.tensor(np.asarray(value)), "onnx", "torch")
        if P is not None:
            for gate, value in zip("iof", np.split(np.asarray(P[direction]), 3)):
                parameters[f"peephole_{gate}{suffix}"] = torch.tensor(value)
    return parameters

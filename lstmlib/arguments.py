"""What the layers refuse, in torch's own order and words; `shapes` draws on the same checks."""

import numbers
import warnings

import torch


def check_sizes(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size):
    """Refuse what the constructor of `torch.nn.LSTM` refuses; warn of dropout that can do nothing."""
    float(dropout)  # torch's first complaint
    if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
            f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=3,
        )
    for name, value, kind in [("bias", bias, bool), ("batch_first", batch_first, bool)]:
        _check_type(name, value, kind)
    for name, value in [("input_size", input_size), ("hidden_size", hidden_size)]:
        _check_type(name, value, int)
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _check_type(name, value, kind):
    if not isinstance(value, kind):
        raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")


def check_rank(dims):
    """Refuse an input that is neither (time, features) nor (time, batch, features)."""
    if dims not in (2, 3):
        raise ValueError(f"LSTM: Expected input to be 2D or 3D, got {dims}D instead")


def check_packed_rank(dims):
    """Refuse packed data that is not (total steps, features)."""
    if dims != 2:
        raise RuntimeError(f"input must have 2 dimensions, got {dims}")


def check_dtype(dtype, weight_dtype, packed):
    """Refuse an input of another dtype than the weights; the error's type is torch's, which differs for packed data."""
    if dtype != weight_dtype:
        raise (RuntimeError if packed else ValueError)(
            f"RNN input dtype ({dtype}) does not match weight dtype ({weight_dtype}). "
            f"Convert input: input.to({weight_dtype}), or convert model: model.to({dtype})"
        )


def check_width(width, input_size):
    """Refuse an input of another width than the layer was built for."""
    if width != input_size:
        raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {input_size}, got {width}")


def check_time(steps):
    """Refuse a sequence of no steps."""
    if steps == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")


def check_device(x, weight):
    """Refuse an input on another device than the weights."""
    if x.device != weight.device:
        raise RuntimeError(
            "Input and parameter tensors are not at the same device, "
            f"found input tensor at {x.device} and parameter tensor at {weight.device}"
        )


def check_lengths(lengths, time, batch):
    """Refuse lengths that are not one whole number from 1 to `time` for each sequence of the batch."""
    if lengths.shape != (batch,):
        raise ValueError(f"lengths should be ({batch},), one for each sequence, got {tuple(lengths.shape)}")
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise TypeError(f"lengths should be whole numbers of steps, got {lengths.dtype}")
    if torch.compiler.is_compiling() or lengths.is_meta:
        return  # values are not known there
    for index, length in enumerate(lengths.tolist()):
        if not 1 <= length <= time:
            raise ValueError(
                f"lengths should be from 1 to the {time} steps of the input, got lengths[{index}] = {length}"
            )


def states_of(hx, count):
    """The list of the `count` states in hx, or None; a cell with one state takes and gives it bare."""
    if hx is None or count == 1:
        return hx if hx is None else [hx]
    given = [hx[index] for index in range(count)]
    if len(hx) != count and isinstance(hx, (tuple, list)):
        raise RuntimeError("lstm expects two hidden states")
    return given


def check_state_ranks(given, dims):
    """Refuse states that are not 3-D with a batch, 2-D without one."""
    ranks = [value.dim() for value in given]
    if any(rank != dims for rank in ranks):
        kind = "batched 3-D" if dims == 3 else "unbatched 2-D"
        names = "hx and cx" if len(ranks) == 2 else "hx"
        got = f"({ranks[0]}-D, {ranks[1]}-D) tensors" if len(ranks) == 2 else f"{ranks[0]}-D tensor"
        raise RuntimeError(f"For {kind} input, {names} should also be {dims}-D but got {got}")


def check_states(given, shapes, like, any_dtype=False):
    """Refuse states of other sizes, devices or dtypes than those `shapes` and the input `like` ask for."""
    for index, (value, shape) in enumerate(zip(given, shapes)):
        if tuple(value.shape) != shape:
            name = f"hidden[{index}]" if len(shapes) > 1 else "hidden"
            raise RuntimeError(f"Expected {name} size {shape}, got {list(value.shape)}")
    for index, value in enumerate(given):
        if value.device != like.device:
            raise RuntimeError(
                "Input and hidden tensors are not at the same device, "
                f"found input tensor at {like.device} and hidden tensor at {value.device}"
            )
        if value.dtype != like.dtype and not any_dtype:
            raise RuntimeError(
                f"Expected hidden[{index}] of dtype {like.dtype}, as the input is, got {value.dtype}. "
                f"Convert it: hx[{index}].to({like.dtype})"
            )


def check_cell_input(input, hx, names, kind):
    """Refuse what `torch.nn.LSTMCell` refuses before it looks at sizes; returns hx as a list, or None."""
    if input.dim() not in (1, 2):
        raise ValueError(f"{kind}: Expected input to be 1D or 2D, got {input.dim()}D instead")
    if hx is None:
        return None
    if len(names) == 1:
        hx = [hx]
    for index, value in enumerate(hx):
        if value.dim() not in (1, 2):
            name = "hidden" if len(names) == 1 else f"hx[{index}]"
            raise ValueError(f"{kind}: Expected {name} to be 1D or 2D, got {value.dim()}D instead")
    if input.dim() == 2 and not isinstance(hx, (tuple, list)):
        raise TypeError(f"lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not {type(hx).__name__}")
    if len(hx) != len(names):
        raise RuntimeError("lstm_cell expects two hidden states")
    return list(hx)


def check_cell_sizes(input, hx, cell):
    """Refuse an input (batch, input_size) and states (batch, width) of sizes that do not fit the cell."""
    if input.size(1) != cell.input_size:
        raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {cell.input_size}")
    for index, (value, width) in enumerate(zip(hx or (), cell.states.values())):
        if value.size(0) != input.size(0):
            raise RuntimeError(
                f"Input batch size {input.size(0)} doesn't match hidden{index} batch size {value.size(0)}"
            )
        if value.size(1) != width:
            raise RuntimeError(
                f"hidden{index} has inconsistent hidden_size: got {value.size(1)}, expected {width}"
            )

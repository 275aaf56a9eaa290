"""Comparing a student's answer with the expected one, with a message that names the difference."""

import math

import numpy as np
import torch

# What torch.testing allows by default: relative and absolute, by dtype. But float64 means float64 throughout: what went
# through float32 on its way is off by about 6e-8, which torch.testing lets pass.
_ALLOWED = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-9, 1e-9),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-9, 1e-9),
}


def assert_close(actual, expected, what: str = "the answer", rtol=None, atol=None) -> None:
    """Raise `AssertionError` unless type, shape, dtype and, within the tolerances, values agree.

    Works on whatever a student's kernel can send, nested too. Without `rtol` and `atol` the
    tolerances are those of `torch.testing.assert_close`, in float64 a hundred times closer;
    integers, bools and strings are compared exactly. NaN agrees with NaN alone. An expected parameter counts as a tensor and an expected
    `torch.Size` as a tuple, for that is what arrives. A list is as good as an expected tuple:
    code that unpacks a pair `(h, c)` cannot tell them apart.
    """
    if isinstance(expected, torch.nn.Parameter):
        expected = expected.detach()
    elif isinstance(expected, torch.Size):
        expected = tuple(expected)
    if type(actual) is list and type(expected) is tuple:
        actual = tuple(actual)
    if type(actual) is not type(expected):
        raise AssertionError(f"{what}: expected {_kind(expected)}, got {_kind(actual)}")
    if isinstance(expected, dict):
        if set(actual) != set(expected):
            keys = f"expected keys {_short(list(expected))}, got {_short(list(actual))}"
            raise AssertionError(f"{what}: {keys}")
        for key, value in expected.items():
            assert_close(actual[key], value, f"{what}[{key!r}]", rtol, atol)
    elif isinstance(expected, (tuple, list)):
        if len(actual) != len(expected):
            raise AssertionError(f"{what}: expected {len(expected)} items, got {len(actual)}")
        for number, (one, other) in enumerate(zip(actual, expected)):
            assert_close(one, other, f"{what}[{number}]", rtol, atol)
    elif isinstance(expected, (torch.Tensor, np.ndarray, np.generic)):
        _compare_arrays(actual, expected, what, rtol, atol)
    elif isinstance(expected, float):
        _compare_values(_tensor(actual), _tensor(expected), what, rtol, atol)
    elif actual != expected:
        raise AssertionError(f"{what}: expected {_short(expected)}, got {_short(actual)}")


def _compare_arrays(actual, expected, what: str, rtol, atol) -> None:
    for quantity in ("shape", "dtype"):
        found, wanted = getattr(actual, quantity), getattr(expected, quantity)
        if found != wanted:
            if quantity == "shape":
                found, wanted = tuple(found), tuple(wanted)
            raise AssertionError(f"{what}: expected {quantity} {wanted}, got {found}")
    if isinstance(expected, torch.Tensor):
        _compare_values(actual.detach(), expected.detach(), what, rtol, atol)
    else:
        _compare_values(_tensor(actual), _tensor(expected), what, rtol, atol)


def _compare_values(actual: torch.Tensor, expected: torch.Tensor, what: str, rtol, atol) -> None:
    default_rtol, default_atol = _ALLOWED.get(expected.dtype, (0.0, 0.0))
    rtol = default_rtol if rtol is None else rtol
    atol = default_atol if atol is None else atol
    wrong = ~torch.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    wide = torch.complex128 if expected.is_complex() else torch.float64
    difference = torch.where(wrong, (actual.to(wide) - expected.to(wide)).abs(), 0.0)
    # NaN or inf on one side only is further away than any number
    difference = torch.nan_to_num(difference, nan=math.inf)
    index = tuple(int(n) for n in np.unravel_index(int(difference.argmax()), tuple(wrong.shape)))
    where = f" at {list(index)}" if index else ""
    pair = f"expected {expected[index].item():.6g}, got {actual[index].item():.6g}"
    allowed = f"allowed: {rtol:g} relative, {atol:g} absolute"
    count = f"{int(wrong.sum())} of {wrong.numel()} values differ"
    raise AssertionError(f"{what}: {count}, most{where}: {pair} ({allowed})")


def _tensor(value) -> torch.Tensor:
    array = np.array(value)  # a copy: torch warns of read-only memory
    # torch compares no unsigned integers but bytes
    return torch.from_numpy(array.astype(np.int64) if array.dtype.kind == "u" else array)


def _kind(value) -> str:
    name = type(value).__name__
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"a {name} of shape {tuple(value.shape)}"
    return "None" if value is None else f"a value of type {name}"


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

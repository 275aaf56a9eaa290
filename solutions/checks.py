"""What the check cells of every exercise share; the release generator puts this text into each notebook."""
import traceback
import warnings
from contextlib import redirect_stderr
from copy import deepcopy
from io import StringIO

import torch
from numpy import unravel_index  # torch's own loads a computer algebra system first


class CheckFailed(AssertionError):
    """A check that did not hold; shown as its message alone, without the check's own code."""

    def _render_traceback_(self):
        return str(self).splitlines()


def fail(what, expected, actual, likely="no usual mistake gives this; follow one number through the equations by hand"):
    raise CheckFailed(f"{what}\n  expected: {expected}\n  actual:   {actual}\n  likely:   {likely}")


def outline(value):
    """What went into a call: a tensor by its shape, plain values as they are."""
    if isinstance(value, torch.Tensor):
        return str(tuple(value.shape))
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {outline(v)}" for key, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        shown = [*map(outline, value[:2]), f"... {len(value)} in all"] if len(value) > 4 else map(outline, value)
        return "(" + ", ".join(shown) + ")"
    return type(value).__name__


def attempt(function, *args, **named):
    """Call the student's function. Warnings and stderr are shown as notes and cost nothing; changed inputs are told."""
    name = getattr(function, "__name__", f"your {type(function).__name__}")
    stderr, before = StringIO(), deepcopy((args, named))
    with warnings.catch_warnings(record=True) as caught, redirect_stderr(stderr):
        warnings.simplefilter("always")
        try:
            result = function(*args, **named)
        except NotImplementedError as error:
            inner = traceback.extract_tb(error.__traceback__)[-1].name
            what = name if inner in ("__init__", "forward") else inner
            raise CheckFailed(f"{what} is not written yet: your code goes in the place of `raise NotImplementedError()`") from None
        except Exception as error:
            lines = [f"line {frame.lineno} of {frame.name}: {frame.line}" for frame in traceback.extract_tb(error.__traceback__)[1:]
                     if "site-packages" not in frame.filename]  # fmt: skip
            given = [*map(outline, args), *(f"{key}={outline(value)}" for key, value in named.items())]
            called = f"the check called it with {', '.join(given)}"
            raise CheckFailed("\n  ".join([f"{name} stops with {type(error).__name__}: {error}", *lines, called])) from error
    for note in dict.fromkeys([*(str(w.message) for w in caught), *stderr.getvalue().splitlines()]):
        print("note: your code says:", note)
    if inputs_changed(before, (args, named)):
        fail(f"{name} changes what it is given", "the same numbers in its inputs", "other ones",
             "an operation in place, such as `+=`, `mul_`, `x[...] =`, or a list's `sort` or `pop`")
    return result


def inputs_changed(before, after):
    """Whether a tensor, or a key, among the inputs is another than before the call; modules may change."""
    if isinstance(before, torch.Tensor):
        return before.shape != after.shape or not torch.allclose(before, after, rtol=0, atol=0, equal_nan=True)
    if isinstance(before, dict):
        return before.keys() != after.keys() or any(inputs_changed(before[key], after[key]) for key in before)
    return isinstance(before, tuple | list) and (len(before) != len(after) or any(map(inputs_changed, before, after)))


def named(what, actual, names):
    """The student's result as a dict: the names say how many values there must be and in which order."""
    if isinstance(actual, dict) and set(actual) == set(names):
        return actual
    if len(names) == 1 and isinstance(actual, torch.Tensor):
        return dict(zip(names, [actual]))
    if isinstance(actual, tuple | list) and len(actual) == len(names) > 1:
        return dict(zip(names, actual))
    size = f" with {', '.join(map(str, actual))}" if isinstance(actual, dict) else (
        f" of {len(actual)}" if isinstance(actual, tuple | list) else "")
    fail(f"{what} returns another kind of thing", f"({', '.join(names)})", f"a {type(actual).__name__}{size}",
         "nothing is returned" if actual is None else "look at the return line")


def same(actual, expected):
    return actual.shape == expected.shape and torch.allclose(actual.double(), expected.double(), rtol=1e-4, atol=1e-5)


def compare(what, actual, expected, mistakes=()):
    """Check `actual` against the dict `expected`; `mistakes` are pairs (cause, what that mistake would give)."""
    actual = named(what, actual, list(expected))
    for name, right in expected.items():
        got = actual[name]
        if not isinstance(got, torch.Tensor):
            several = isinstance(got, list | tuple) and any(isinstance(item, torch.Tensor) for item in got)
            maker = "torch.stack" if several else "torch.tensor"
            cause = f"`{maker}(...)` around it is missing" if isinstance(got, int | float | list | tuple) else "a conversion too many"
            fail(f"{what}: {name} is not a tensor", "a torch.Tensor", f"a {type(got).__name__}", cause)
        if got.dtype != right.dtype:
            fail(f"{what}: {name} has another dtype", right.dtype, got.dtype, "a tensor made with a fixed dtype")
        if not torch.isfinite(got).all():
            fail(f"{what}: {name} is not finite", "numbers", "inf or nan", "an exp that overflows, or a division by 0")
    found = {name: actual[name].detach() for name in expected}
    if all(same(found[name], right) for name, right in expected.items()):
        return
    likely = [cause for cause, wrong in mistakes if all(same(found[name], wrong[name]) for name in expected)]
    name = next(name for name, right in expected.items() if not same(found[name], right))
    explain(f"{what}: {name}", found[name], expected[name], likely)


def explain(what, got, right, likely):
    if got.shape != right.shape:
        sizes = [size for size in got.shape if size != 1] == [size for size in right.shape if size != 1]
        cause = "a dimension of size 1 too many, or one missing" if sizes else "dimensions exchanged, or one too many or missing"
        fail(f"{what} has another shape", tuple(right.shape), tuple(got.shape), *likely[:1] or [cause])
    where = unravel_index(int((got.double() - right.double()).abs().argmax()), tuple(right.shape))
    index = f", furthest at [{', '.join(str(int(k)) for k in where)}]" if where else ""
    expected, actual = (f"{value[where].item():.4f}" if value.is_floating_point() else f"{value[where].item()}" for value in (right, got))
    fail(f"{what} is not right{index}", expected, actual, *likely[:1])

"""What the shared checks tell a student: quantity, expected, actual, likely cause."""

import sys
import warnings

import pytest
import torch

from grading import release


@pytest.fixture
def checks():
    """The names that the shared text leaves in a notebook."""
    namespace = {}
    exec(compile((release.SOURCES / "checks.py").read_text(encoding="utf-8"), "checks.py", "exec"), namespace)
    return type("Checks", (), {name: staticmethod(value) if callable(value) else value for name, value in namespace.items()})


def message(checks, what, actual, expected, mistakes=()):
    with pytest.raises(checks.CheckFailed) as failure:
        checks.compare(what, actual, expected, mistakes)
    return str(failure.value)


def test_equal_results_pass_as_tensor_tuple_and_dict(checks):
    h, c = torch.randn(2, 3), torch.randn(2, 3)
    checks.compare("step", (h.clone(), c), {"h": h, "c": c})
    checks.compare("step", {"c": c, "h": h}, {"h": h, "c": c})
    checks.compare("step", h, {"h": h})
    checks.compare("step", h.requires_grad_(), {"h": h.detach()})


def test_names_the_place_the_numbers_and_the_mistake_that_gives_them(checks):
    right, wrong = torch.zeros(2, 3), torch.zeros(2, 3)
    wrong[1, 2] = 0.5
    said = message(checks, "step", (right, wrong), {"h": right, "c": right}, [
        ("the bias is left out", {"h": right + 1, "c": right}),
        ("the old c is left out", {"h": right, "c": wrong}),
    ])  # fmt: skip
    assert said.splitlines() == [
        "step: c is not right, furthest at [1, 2]", "  expected: 0.0000", "  actual:   0.5000", "  likely:   the old c is left out",
    ]


@pytest.mark.parametrize("actual, words", [
    (None, ["(h, c)", "NoneType", "nothing is returned"]),
    ((torch.zeros(2), torch.zeros(2), torch.zeros(2)), ["(h, c)", "a tuple of 3"]),
    ({"h": torch.zeros(2)}, ["a dict with h"]),
    ((torch.zeros(2),), ["a tuple of 1"]),
    ((torch.zeros(2), [0.0, 0.0]), ["c is not a tensor", "a list", "`torch.tensor(...)` around it is missing"]),
    ((torch.zeros(2), [torch.tensor(0.0), torch.tensor(0.0)]), ["c is not a tensor", "a list", "`torch.stack(...)` around it is missing"]),
    ((torch.zeros(2), torch.zeros(2, dtype=torch.float64)), ["c has another dtype", "torch.float32", "torch.float64"]),
    ((torch.zeros(2), torch.tensor([0.0, float("nan")])), ["c is not finite", "overflows"]),
    ((torch.zeros(1, 2), torch.zeros(2)), ["h has another shape", "(2,)", "(1, 2)", "a dimension of size 1 too many"]),
    ((torch.zeros(3), torch.zeros(2)), ["h has another shape", "(3,)", "dimensions exchanged"]),
    ((torch.zeros(2), torch.ones(2)), ["c is not right", "0.0000", "1.0000", "no usual mistake"]),
])  # fmt: skip
def test_other_kinds_of_wrong(checks, actual, words):
    said = message(checks, "step", actual, {"h": torch.zeros(2), "c": torch.zeros(2)})
    assert all(word in said for word in words), said


@pytest.mark.parametrize("got, right, lines", [
    (torch.tensor([True, True]), torch.tensor([True, False]), ["mask is not right, furthest at [1]", "expected: False", "actual:   True"]),
    (torch.tensor([3, 4]), torch.tensor([3, 5]), ["mask is not right, furthest at [1]", "expected: 5", "actual:   4"]),
    (torch.tensor(0.25), torch.tensor(0.5), ["mask is not right", "expected: 0.5000", "actual:   0.2500"]),
])  # fmt: skip
def test_masks_whole_numbers_and_single_numbers(checks, got, right, lines):
    checks.compare("pad", right.clone(), {"mask": right})
    said = message(checks, "pad", got, {"mask": right}).splitlines()
    assert [line.strip().removeprefix("pad: ") for line in said[:3]] == lines
    assert "a tuple of 1" in message(checks, "pad", (right,), {"mask": right}), "the exam does not take it for the tensor"


def test_an_input_that_holds_nan_is_unchanged(checks):
    x = torch.tensor([float("nan"), 1.0])
    assert checks.attempt(lambda x: x.isnan().sum(), x) == 1
    with pytest.raises(checks.CheckFailed, match="changes what it is given"):
        checks.attempt(lambda x: x.nan_to_num_(), x)


def test_warnings_and_stderr_are_notes(checks, capsys):
    def noisy(x):
        warnings.warn("old spelling", DeprecationWarning)
        print("half way", file=sys.stderr)
        return x

    assert checks.attempt(noisy, 3) == 3
    said = capsys.readouterr()
    assert said.err == "" and "old spelling" in said.out and "half way" in said.out


def test_unwritten_tasks_are_told_as_such(checks):
    def lstm_step(x):
        raise NotImplementedError()

    with pytest.raises(checks.CheckFailed, match="lstm_step is not written yet"):
        checks.attempt(lstm_step, 1)

    class Cell:
        def forward(self):
            raise NotImplementedError()

        def __call__(self, x):
            return self.forward() if x is None else lstm_step(x)

    with pytest.raises(checks.CheckFailed, match="your Cell is not written yet"):
        checks.attempt(Cell(), None)
    with pytest.raises(checks.CheckFailed, match="lstm_step is not written yet"):
        checks.attempt(Cell(), 1)


def test_an_error_of_the_students_code_names_its_line_and_the_call(checks):
    def lstm_step(x, state, steps, batch_first):
        return x @ state[0]

    with pytest.raises(checks.CheckFailed) as failure:
        checks.attempt(lstm_step, torch.zeros(2, 3), [torch.zeros(2, 5), None], 4, batch_first=True)
    first, line, called = str(failure.value).splitlines()
    assert first.startswith("lstm_step stops with RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert line.endswith("of lstm_step: return x @ state[0]") and isinstance(failure.value.__cause__, RuntimeError)
    assert called == "  the check called it with (2, 3), ((2, 5), None), 4, batch_first=True"


def test_changed_inputs_are_told(checks):
    def in_place(x, state, weights):
        state[1].mul_(2)
        return x

    state = torch.ones(2), torch.ones(2)
    with pytest.raises(checks.CheckFailed, match="changes what it is given"):
        checks.attempt(in_place, torch.ones(2), state, {"bias": torch.ones(2)})
    for taken in ({"bias": torch.ones(2)}, [torch.ones(2)]):
        with pytest.raises(checks.CheckFailed, match="changes what it is given"):
            checks.attempt(lambda given: given.pop(*given if isinstance(given, dict) else ()), taken)
    checks.attempt(lambda module: module.weight.data.zero_(), torch.nn.Linear(2, 2))


def test_a_failed_check_is_shown_as_its_message_alone(checks):
    with pytest.raises(checks.CheckFailed) as failure:
        checks.fail("h is not right", 1, 2, "the bias")
    assert failure.value._render_traceback_() == str(failure.value).splitlines()

"""Which option of a question is right: found by running the question's code in torch.

A question's options are of one of three kinds:
    values   the question's `answer`, run after its code, equals exactly one option's `value`
    codes    each option's own code is run; the `outcome` of exactly one is the question's `goal`
    claims   each option's `claim` is run after the code; exactly one is true

`verify(question)` also runs every wrong option's named mistake, with every set of parameters.
    python -m grading.bank_truth [FOLDER]    verifies a whole bank
"""

import ast
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from grading.bank import Bank, BankError, Question
from grading.drawn import Drawn


def raised(call) -> str | None:
    """The name of the error that a call ends in, None where it runs through."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return None


def run(source: str, space: dict):
    """Run Python in `space`; return the value of its last line if that is an expression."""
    body = ast.parse(str(source)).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<question>", "exec"), space)
    return eval(compile(ast.Expression(last.value), "<question>", "eval"), space) if last else None


def plain(value):
    """A value of torch's as Python's own: sizes as tuples, tensors as numbers and lists."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value] if isinstance(value, list) else tuple(plain(v) for v in value)
    return value


def same(a, b) -> bool:
    """Equal values; floats to float32's accuracy, and 1 is not True."""
    a, b = plain(a), plain(b)
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)
    return type(a) is type(b) and a == b


@contextmanager
def on_its_own() -> Iterator[None]:
    """Seeded, and the caller's random numbers left as they were. Warnings are no outcome: some come once a process."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        torch.manual_seed(0)
        warnings.simplefilter("ignore")
        yield


def prepare(drawn: Drawn) -> dict:
    """A fresh namespace in which the question's code and evidence have run."""
    question, space = drawn.question, {"torch": torch, "nn": nn, "math": math, "raised": raised, **drawn.names}
    expected, error = question.spec.get("raises"), None
    try:
        run(drawn.code, space)
    except Exception as stopped:
        error = space["error"] = stopped
    if (type(error).__name__ if error else None) != expected:
        raise question.error("code", f"should end with {expected or 'no error'}, ended with {error!r}; {drawn.params}")
    try:
        run(drawn.evidence, space)
    except Exception as stopped:
        raise question.error("evidence", f"stops with {stopped!r}; {drawn.params}") from stopped
    return space


def after(drawn: Drawn, source, field: str):
    """The value of `source`, run after the question's code."""
    with on_its_own():
        space = prepare(drawn)
        try:
            return plain(run(drawn.question.fill(str(source), drawn.names, field), space))
        except Exception as error:
            raise drawn.question.error(field, f"{source!r} stops with {error!r}; {drawn.params}") from error


def outcome(drawn: Drawn, k: int):
    """What option k's own code, its value at hand as `result`, leads to: the `outcome`, or an error's name."""
    question, spec = drawn.question, drawn.question.spec
    code = question.fill(spec["options"][k]["code"], drawn.names, f"options[{k}].code")
    wanted = question.fill(spec["outcome"], drawn.names, "outcome")
    with on_its_own():
        space = prepare(drawn)
        try:
            space["result"] = run(code, space)
            return plain(run(wanted, space))
        except Exception as error:
            return type(error).__name__


def findings(drawn: Drawn) -> tuple[object, list]:
    """What the code came to, and what each option says or comes to, in the file's order."""
    question, spec = drawn.question, drawn.question.spec
    options = range(len(spec["options"]))
    if "answer" in spec:
        return after(drawn, spec["answer"], "answer"), [drawn.value(k) for k in options]
    if "goal" in spec:
        return question.evaluate(spec["goal"], drawn.names, "goal"), [outcome(drawn, k) for k in options]
    return True, [after(drawn, spec["options"][k]["claim"], f"options[{k}].claim") for k in options]


def judge(drawn: Drawn) -> tuple[int, object]:
    """The one option, counted in the file's order, that agrees with the code, and what the code came to."""
    truth, found = findings(drawn)
    agree = [k for k, value in enumerate(found) if same(truth, value)]
    if len(agree) != 1:
        message = f"{len(agree)} of them agree with what the code gives, {truth}: they come to {found}; {drawn.params}"
        raise drawn.question.error("options", message)
    return agree[0], truth


def verify_draw(drawn: Drawn) -> None:
    """One option is right, each wrong one is what its named mistake gives, and the check is the answer."""
    question, options = drawn.question, drawn.question.spec["options"]
    written = (drawn.ask, drawn.options, drawn.hint, drawn.steps, drawn.mistakes)  # options: no two alike
    if "{{" in repr(written):
        raise question.error("text", f"a placeholder is left unfilled: {written}")
    right, truth = judge(drawn)
    for k, spec in enumerate(options):
        if k != right and "mistake" not in spec:
            raise question.error(f"options[{k}]", f"is wrong with {drawn.params} and names no mistake")
        if k != right and "value" in spec:
            made = after(drawn, spec.get("made_by", "None"), f"options[{k}].made_by")
            if not same(made, drawn.value(k)):
                message = f"the mistake gives {made}, the option says {drawn.value(k)}; {drawn.params}"
                raise question.error(f"options[{k}].made_by", message)
    check = after(drawn, drawn.check, "check")
    if check is not True and not same(check, truth):
        raise question.error("check", f"gives {check}, the code gives {truth}; {drawn.params}")


def verify(question: Question) -> int:
    """Verify every set of parameters; return how many there are."""
    for params in question.sets:
        verify_draw(Drawn(question, params, ""))
    return len(question.sets)


def told_on_page(question: Question) -> bool:
    """Whether a page's right option reads as a graded one's does: no question to grade where the book asks it."""
    page, graded = ({right_text(Drawn(question, params, "")) for params in half} for half in question.halves)
    return bool(page & graded)


def right_text(drawn: Drawn) -> str:
    return next(option.text for option in drawn.options if option.letter == drawn.answer)


def main(arguments: list[str]) -> int:
    try:
        bank = Bank.load(*arguments)
        for question in bank:
            told = "  (its answer can be read off a page)" if told_on_page(question) else ""
            print(f"{question.topic:<14} {question.level:<6} {question.id:<40} {verify(question):>4} sets{told}")
    except BankError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(bank)} questions in {len(bank.titles)} topics: every answer and every mistake run.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

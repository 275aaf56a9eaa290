"""Writing hidden tests: the `exam` decorator and the `student` that each test is handed.

    from grading.exam import assert_close, exam

    @exam("test_lstm_step", weight=2, hint="One step, three units: compare each gate with its equation.")
    def one_step(student, rng):
        x = torch.from_numpy(rng.standard_normal((4, 3)))
        assert_close(student.call("lstm_step", x), expected(x), what="h")

The test runs in the examiner's process, `student` speaks with the kernel that ran the
student's notebook, and only data crosses (see `grading.wire`). Each part starts from the state
in which the notebook left the kernel, whatever the parts before it did.
"""

import builtins
import hashlib
import inspect
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from grading import frames, wire
from grading.closeness import assert_close
from grading.outcome import Limits

__all__ = ["ExamError", "Student", "StudentError", "assert_close", "exam", "load"]


class ExamError(Exception):
    """An `exam.py` that cannot be used: the instructor's to mend, never a student's zero."""


class StudentError(Exception):
    """The student's code gave no usable answer.

    `reason` says so in words that may be shown to the student; `raised` is the name of the
    built-in exception that the code raised, if it did.
    """

    def __init__(self, message: str, reason: str, raised: str = ""):
        super().__init__(message)
        self.reason, self.raised = reason, raised


@dataclass(frozen=True)
class Part:
    grade_id: str
    name: str
    weight: float
    hint: str
    function: Callable


@dataclass(frozen=True)
class Exam:
    parts: tuple[Part, ...]
    limits: dict[str, float]


_collected: list[Part] = []  # by the exam.py that `load` is executing


def exam(grade_id: str, *, weight: float = 1, hint: str) -> Callable:
    """Make a function `(student, rng)` one part of the hidden test of cell `grade_id`.

    The parts of a cell share its points by weight. `hint` is what a student who fails it reads.
    """
    if not weight > 0 or not hint.strip():
        raise ExamError(f"a part of {grade_id!r} needs a weight above 0 and a hint for the student")

    def register(function: Callable) -> Callable:
        if list(inspect.signature(function).parameters) != ["student", "rng"]:
            raise ExamError(f"{function.__name__} needs exactly the arguments (student, rng)")
        if any(part.name == function.__name__ for part in _collected):
            raise ExamError(f"two parts are called {function.__name__}; each needs its own name")
        _collected.append(Part(grade_id, function.__name__, weight, hint, function))
        return function

    return register


def load(path: Path) -> Exam:
    """Execute an `exam.py` and return its parts in order; raise `ExamError` naming what is wrong."""
    _collected.clear()
    names = {"__name__": f"exam of {path.parent.name}", "__file__": str(path)}
    try:
        exec(compile(path.read_bytes(), path, "exec"), names)
    except Exception as error:
        raise ExamError(f"{path.name} does not load: {type(error).__name__}: {error}") from error
    limits = names.get("LIMITS", {})
    unknown = set(limits) - {f.name for f in fields(Limits)}
    if unknown or not _collected:
        what = f"LIMITS names {sorted(unknown)}" if unknown else "it has no part"
        raise ExamError(f"{path.name}: {what}")
    return Exam(tuple(_collected), dict(limits))


def derive(secret: bytes | int | str, *names: str | int) -> str:
    """Make a seed that depends on every argument and gives none of them away."""
    digest = hashlib.sha256()
    for item in (secret, *names):
        data = item if isinstance(item, bytes) else str(item).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def generator(seed: str) -> np.random.Generator:
    """The random draws that belong to a seed of `derive`."""
    return np.random.default_rng(int(seed, 16))


class Student:
    """The student's notebook after it ran, for one part of the exam.

    The first request has `connect` open the way to a fork of the notebook's kernel, the part's own.

    Every method raises `StudentError` if the code raises, takes longer than the part may, ends
    its process, or answers with something other than data. Left uncaught it fails the part.
    """

    def __init__(self, connect: Callable[[], socket.socket], limits: Limits, seed: str = "0"):
        self._connect, self._limits, self._seed = connect, limits, seed
        self._channel: socket.socket | None = None
        self._seconds = limits.part_seconds
        self._refused: tuple[str, ...] = ()

    def __enter__(self) -> "Student":
        return self

    def __exit__(self, *exception) -> None:
        if self._channel is not None:
            self._channel.close()

    def put(self, name: str, data) -> None:
        """Assign data to a variable of the notebook."""
        self._ask("put", name, data)

    def run(self, code: str) -> None:
        """Execute code in the notebook's namespace."""
        self._ask("run", code)

    def call(self, function: str, /, *args, **kwargs):
        """Call a function of the notebook by its name and return its answer."""
        return self._ask("call", function, args, kwargs)

    def value(self, expression: str):
        """Evaluate an expression in the notebook's namespace and return it."""
        return self._ask("value", expression)

    def refusing(self, *names: str) -> None:
        """Fail the part if the code uses `names` from here on, caught or not.

        "nn.LSTM", "nn.GRU" and "nn.RNN" stand for the layers, their cells and their functional
        and operator forms; any other name is a package of which no function may run, such as
        "lstmlib". This is enforced in the student's own process: it holds against a shortcut,
        not against someone who takes that process apart, starts another one, or has recorded the
        layer as a graph of other operators before the exam (`torch.jit.trace`, `torch.export`).
        """
        self._refused += names
        self._ask("refusing", names)

    def _ask(self, verb: str, *what):
        if self._channel is None:
            self._begin()
        limit = self._limits.answer_mb * frames.MEBIBYTE
        request = wire.encode((verb, *what), limit)
        started = time.monotonic()
        try:
            frames.send(self._channel, request, started + self._seconds)
            answer = frames.receive(self._channel, limit, started + self._seconds)
            return self._open(wire.decode(answer), what)
        except TimeoutError as error:
            seconds = f"{self._limits.part_seconds:g} s"
            raise StudentError(f"no answer within {seconds}", f"Your code took more than {seconds}.") from error
        except frames.Closed as error:
            raise StudentError("the process answering this part died", "Your code ended its process.") from error
        except (frames.TooLarge, wire.WireError) as error:
            raise _unusable(str(error)) from error
        finally:
            self._seconds -= time.monotonic() - started

    def _begin(self) -> None:
        self._channel = self._connect()
        try:
            self._ask("begin", int(self._seed, 16) % 2**32)
        except StudentError as error:  # not what a part may be waiting for its request to raise
            raise StudentError(str(error), error.reason) from error

    def _open(self, reply, what: tuple):
        match reply:
            case ("value", value):
                return value
            case ("undefined", str(name)) if name == what[0]:
                reason = f"`{name}` is not defined after the notebook has run from top to bottom."
                raise StudentError(f"{name} is not defined", reason, "NameError")
            case ("refused", str(name)) if name in self._refused:
                raise StudentError(f"used {name}", f"Your code used {name}, which this task refuses.")
            case ("error", str(kind), str(text)):
                raise _raised(kind, text)
            case ("unusable", str(text)):
                raise _unusable(text)
        raise _unusable("a reply that is none")


def _raised(kind: str, text: str) -> StudentError:
    known = getattr(builtins, kind, None)
    name = kind if isinstance(known, type) and issubclass(known, BaseException) else ""
    if name == "NotImplementedError":
        reason = "This task is not filled in yet."
    else:
        reason = f"Your code raised {name or 'an exception'}."
    return StudentError(f"{clean(kind)}: {clean(text)}", reason, name)


def _unusable(text: str) -> StudentError:
    return StudentError(clean(text), "Your answer is of a type or size that cannot be graded.")


def clean(text: str, length: int = 500) -> str:
    """Make text from a student's process fit for one line of a report."""
    line = "".join(c if c.isprintable() else " " for c in text[:length])
    return line + ("..." if len(text) > length else "")

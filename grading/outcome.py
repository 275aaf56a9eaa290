"""What goes into the grading of one submission, and what comes out of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal[
    "graded",
    "timeout",
    "out-of-memory",
    "crashed",
    "rejected",
    "tampered",
    "infrastructure-error",
]


@dataclass(frozen=True)
class Limits:
    """What one submission may use; `LIMITS` at the top of an `exam.py` changes single entries."""

    seconds: float = 60  # wall-clock from the first cell to the last part, whatever runs
    part_seconds: float = 10  # waiting for the student's code within one part
    start_seconds: float = 120  # until the sandbox is ready; over it is our fault, not the student's
    memory_mb: int = 2048  # all processes together
    disk_mb: int = 256  # each of the two places that can be written to, /tmp and /dev/shm
    output_mb: int = 4  # outputs of the whole notebook
    answer_mb: int = 64  # one answer to the exam, or one message from it
    processes: int = 128  # threads count too
    open_files: int = 512


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    `notebook` is the submission with the instructor's cells restored, `points` the most that each
    automatically graded cell can give, `seed` the course's secret. `helpers` are files, and
    packages such as `lstmlib`, that the instructor lays beside the notebook. `extras` is a folder
    of the student's other files: they are copied there, so that her cells may write them again.
    """

    student: str
    assignment: str
    attempt: int
    notebook: Path
    exam: Path
    points: dict[str, float]
    seed: bytes | int
    helpers: tuple[Path, ...] = ()
    extras: Path | None = None
    sandboxed: bool = True
    limits: Limits = Limits()


@dataclass(frozen=True)
class PartResult:
    """One hidden test: `hint` and `reason` are for the student, `message` for the instructor alone."""

    grade_id: str
    name: str
    weight: float
    passed: bool
    hint: str
    message: str = ""
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """One graded submission; `scores` and `notebook` mean nothing under `infrastructure-error`.

    `notebook` is the submission as run, an `nbformat` node whose outputs are safe to show;
    `seed` names the draws of this attempt without giving the course's secret away.
    """

    status: Status
    message: str = ""
    parts: tuple[PartResult, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    notebook: Any = None
    seconds: float = 0.0
    seed: str = ""

"""One submission in, one result out.

The notebook runs from top to bottom in a sandbox; then each hidden test asks the kernel for
answers and compares them here, where the expected values are. What the notebook's own checks
said is shown to the student and counts for nothing.
"""

import contextlib
import json
import resource
import socket
import time
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path

import nbformat
import torch

from grading import frames, outputs
from grading.exam import Exam, ExamError, Part, Student, StudentError, clean, derive, generator, load
from grading.outcome import Job, Limits, Outcome, PartResult
from grading.sandbox import Sandbox

_NOT_RUN = "Your notebook did not run to its end."
_NOT_REACHED = "The run ended before this check."
_ROOM = 2 << 30  # bytes that one hidden test may take here, whatever shapes an answer has


def grade(job: Job) -> Outcome:
    """Run and examine one submission; never raises for what a student handed in.

    What is wrong on our side, an `exam.py` that does not load or a sandbox that cannot be made,
    is an `infrastructure-error`. If a limit is passed or the kernel dies while the exam runs,
    the parts that had passed keep their points.
    """
    started = time.monotonic()
    seed = derive(job.seed, job.student, job.assignment, job.attempt)
    try:
        exam = load(job.exam)
        _check_points(job, exam)
        notebook = nbformat.read(job.notebook, as_version=4)
        with torch.random.fork_rng(devices=[]):
            outcome = _run(job, exam, notebook, seed)
    except Exception as error:  # one submission never stops the others
        outcome = Outcome("infrastructure-error", f"{type(error).__name__}: {error}")
    return replace(outcome, seconds=time.monotonic() - started, seed=seed)


def _check_points(job: Job, exam: Exam) -> None:
    """No graded cell may be without a hidden test, or it would give points unseen, or none."""
    examined = {part.grade_id for part in exam.parts}
    if examined != set(job.points):
        raise ExamError(
            f"{job.exam.name} examines {sorted(examined)}, "
            f"the notebook's automatically graded cells are {sorted(job.points)}"
        )


def _run(job: Job, exam: Exam, notebook, seed: str) -> Outcome:
    limits = replace(job.limits, **exam.limits)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with Sandbox(limits, job.helpers, (job.exam, job.notebook), job.sandboxed, job.extras) as box:
        box.begin()
        shown = _execute(box, [cell.source for cell in code])
        whole = len(shown) == len(code)
        parts = tuple(_examine_all(box, exam, seed) if whole else ())
        alive = whole and _still_serving(box)
    status = box.verdict or ("graded" if alive else "crashed")
    message = _say(status, limits, code, len(shown))
    reached = {part.name for part in parts}
    missed = [part for part in exam.parts if part.name not in reached]
    reason = _NOT_REACHED if whole else _NOT_RUN
    parts += tuple(_failed(part, f"not examined: {message}", reason) for part in missed)
    scores = _scores(job, parts)
    annotated = outputs.annotate(notebook, shown, parts, scores, job.points, message)
    return Outcome(status, message, parts, scores, annotated)


def _execute(box: Sandbox, sources: list[str]) -> list[list]:
    """Run the cells; return the outputs of those that ran to their end."""
    room = (2 * box.limits.output_mb + 1) * frames.MEBIBYTE  # for all cells: who cuts them is not trusted
    shown = []
    try:
        frames.send(box.report, json.dumps(sources).encode())
        while len(shown) < len(sources):
            said = frames.receive(box.report, room)
            room -= len(said)
            shown.append(list(json.loads(said)["outputs"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return shown  # killed, died, or speaking nonsense: its own end in each case
    return shown


def _examine_all(box: Sandbox, exam: Exam, seed: str):
    for part in exam.parts:
        if box.verdict or not box.alive():
            return
        yield _examine(box, part, derive(seed, part.grade_id, part.name))


def _examine(box: Sandbox, part: Part, seed: str) -> PartResult:
    started = time.monotonic()
    torch.manual_seed(int(seed, 16) % 2**63)
    message = reason = ""
    try:
        with Student(partial(_fork, box), box.limits, seed) as student, _bounded():
            part.function(student, generator(seed))
    except StudentError as error:
        message, reason = str(error), error.reason
    except AssertionError as error:
        message = clean(str(error)) or f"failed: {_line(error)}"
    except Exception as error:
        message = f"the exam could not use the answer: {clean(f'{type(error).__name__}: {error}')}"
    seconds = time.monotonic() - started
    result = PartResult(part.grade_id, part.name, part.weight, not message, part.hint)
    return replace(result, message=message, reason=reason, seconds=seconds)


@contextlib.contextmanager
def _bounded():
    """Have an answer whose shapes blow up in the test's own arithmetic raise here, not fill the machine."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        used = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
    except OSError:  # not Linux: grading without a sandbox, by choice
        yield
        return
    most = used + _ROOM
    if before[0] != resource.RLIM_INFINITY:
        most = min(most, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _fork(box: Sandbox) -> socket.socket:
    """Have the kernel fork for one part and return the socket to the fork."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            box.control.settimeout(box.limits.part_seconds)
            socket.send_fds(box.control, [b"p"], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise StudentError(f"the kernel no longer answers: {error}", _NOT_REACHED) from error
    return ours


def _still_serving(box: Sandbox) -> bool:
    """End the exam; whether the kernel lived to see it."""
    try:
        box.control.settimeout(box.limits.part_seconds)
        box.control.sendall(b"e")
        return frames.receive(box.control, 1024, time.monotonic() + box.limits.part_seconds) == b"end"
    except (OSError, ValueError):
        return False


def _line(error: Exception) -> str:
    return traceback.extract_tb(error.__traceback__)[-1].line or "an assertion"


def _failed(part: Part, message: str, reason: str) -> PartResult:
    return PartResult(part.grade_id, part.name, part.weight, False, part.hint, message, reason)


def _scores(job: Job, parts: tuple[PartResult, ...]) -> dict[str, float]:
    """Share each cell's points by weight over its parts that passed."""
    scores = {}
    for grade_id, most in job.points.items():
        mine = [part for part in parts if part.grade_id == grade_id]
        passed = sum(part.weight for part in mine if part.passed)
        scores[grade_id] = float(most) * passed / sum(part.weight for part in mine)
    return scores


def _say(status: str, limits: Limits, code: list, done: int) -> str:
    """What ended the run and where, in words for the student."""
    where = "while the hidden checks ran"
    if done < len(code):
        about = code[done].metadata.get("nbgrader", {}).get("grade_id")
        where = f"in code cell {done + 1}" + (f" ({about})" if about else "")
    return {
        "graded": "",
        "timeout": f"The {limits.seconds:g} s for the whole run were over {where}.",
        "out-of-memory": f"More than {limits.memory_mb} MB of memory were used {where}.",
        "crashed": f"The kernel died {where}.",
    }[status]

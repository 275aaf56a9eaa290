"""Grade many submissions in worker processes: one submission in, one outcome out, and no one's accident is another's."""

import gc
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import nbformat

from grading.course import Released
from grading.intake import Rejected, Submission
from grading.outcome import Job, Outcome
from grading.restore import restore


@dataclass(frozen=True)
class Task:
    """One submission, read and bounded by the intake, with all that grading it needs."""

    student: str
    attempt: int
    submission: Submission
    release: Released
    secret: bytes
    sandboxed: bool = True


def grade_all(tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Outcome]]:
    """The outcomes as they come. A task whose worker dies is tried once more alone, then given up."""
    tasks = iter(tasks)
    while suspects := (yield from _until_a_worker_dies(tasks, workers)):
        for task in suspects:
            yield task, _grade_alone(task)


def _until_a_worker_dies(tasks: Iterator[Task], workers: int):
    """Keep the workers busy; returns the tasks that were running when one of them died."""
    running: dict[Future, Task] = {}
    with _pool(workers) as pool:
        for task in islice(tasks, workers):
            running[pool.submit(grade_one, task)] = task
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(running.values())
                yield running.pop(future), _outcome(future)
                for task in islice(tasks, 1):
                    running[_submit(pool, task)] = task
    return []


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future:
    """A pool found broken on submission gives a broken future, like one found broken later."""
    try:
        return pool.submit(grade_one, task)
    except BrokenProcessPool as error:
        future = Future()
        future.set_exception(error)
        return future


def _pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes, not forks: the caller may be a Jupyter server with threads and an event loop."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_load)


def _load() -> None:
    """Load torch, which the process that only hands out tasks does without."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported; more workers, not more threads, use the cores
    gc.disable()
    with suppress(Exception):  # `grade_one` meets it again, and says so
        import grading.examiner  # noqa: F401  for what it loads
    gc.freeze()  # nothing of it is garbage: looking for some, now and at the end, takes as long as half of loading it
    gc.enable()


def _grade_alone(task: Task) -> Outcome:
    with _pool(1) as pool:
        return _outcome(pool.submit(grade_one, task))


def _outcome(future: Future) -> Outcome:
    """The worker's outcome, or why there is none; an error of ours is never a student's score."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        return Outcome("infrastructure-error", "the grading process died")
    return Outcome("infrastructure-error", f"grading failed: {type(error).__name__}: {error}")


def grade_one(task: Task) -> Outcome:
    """Restore, lay out, examine. Runs in a worker."""
    from grading.examiner import grade  # not at the top, see `_load`

    try:
        restored = restore(task.submission, task.release.assignment, task.release.notebook)
    except Rejected as reason:
        return Outcome("rejected", str(reason))
    folder = Path(tempfile.mkdtemp(prefix="grading-"))
    try:
        outcome = grade(lay_out(task, restored.notebook, folder))
    finally:
        shutil.rmtree(folder)
    if outcome.status != "infrastructure-error":
        changed = "put back as released: " + ", ".join(restored.changes) if restored.changes else ""
        others = f"{task.release.assignment}.ipynb was graded, not " + ", ".join(restored.ungraded) if restored.ungraded else ""
        status = "tampered" if changed and outcome.status == "graded" else outcome.status
        outcome = replace(outcome, status=status, message="; ".join(filter(None, (changed, outcome.message, others))))
    return outcome if outcome.notebook is not None else replace(outcome, notebook=restored.notebook)


def lay_out(task: Task, notebook: nbformat.NotebookNode, folder: Path) -> Job:
    """Write the restored notebook and the student's other files; what the instructor released is not overruled."""
    assignment = task.release.assignment
    nbformat.write(notebook, folder / f"{assignment}.ipynb")
    not_hers = {helper.name for helper in task.release.helpers} | {"timestamp.txt", "submission_secret.txt"}
    extras = folder / "extras"
    extras.mkdir()
    for name, content in task.submission.files.items():
        first = Path(name).parts[0]
        if name.endswith(".ipynb") or first in not_hers or first.startswith("."):
            continue
        path = extras / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in (extras, *extras.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask: as root, her code runs as somebody else
    return Job(
        student=task.student,
        assignment=assignment,
        attempt=task.attempt,
        notebook=folder / f"{assignment}.ipynb",
        exam=task.release.exam,
        points=task.release.points,
        seed=task.secret,
        helpers=task.release.helpers,
        extras=extras,
        sandboxed=task.sandboxed,
    )

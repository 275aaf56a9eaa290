"""Write one outcome where nbgrader looks for it: scores in the gradebook, the notebook as run in autograded/."""

import os
import re
import secrets
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, InvalidEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import OperationalError, SAWarning
from traitlets.config import LoggingConfigurable

from grading.course import Released
from grading.intake import Submission, handed_in_at, small_file
from grading.outcome import Outcome
from grading.pages import for_browser

TRIES = 6  # sqlite itself waits 5 s for another writer each time
PICTURES = {".png", ".jpg", ".jpeg", ".gif"}  # a file of a kind that holds scripts would run on the instructor's origin


@dataclass(frozen=True)
class Total:
    """A submission's score as the gradebook has it, None where nothing was scored; and what a person must look at."""

    score: float | None
    max_score: float
    to_read: tuple[str, ...] = ()


def record(
    course: CourseDirectory,
    release: Released,
    student: str,
    submission: Submission | None,
    outcome: Outcome,
    parent: LoggingConfigurable,
) -> Total:
    """Make gradebook, autograded/ and feedback/ agree with this outcome, and with nothing older."""
    handed_in = handed_in_at(Path(course.format_path(course.submitted_directory, student, release.assignment)))
    total = _patiently(lambda: _write_scores(course, release, student, outcome, handed_in))
    if total.score is not None:
        _patiently(lambda: _assign_late_penalty(course, release, student, parent))
    _write_notebook(course, release, student, submission, outcome, handed_in)
    shutil.rmtree(course.format_path(course.feedback_directory, student, release.assignment), ignore_errors=True)
    return total


def _patiently(write: Callable):
    """Try again while another process holds the database: formgrader may be saving a grade."""
    for pause in (*(0.5 * 2**n for n in range(TRIES - 1)), None):
        try:
            return write()
        except (OperationalError, InvalidEntry) as error:
            if "locked" not in str(error) or pause is None:
                raise
            time.sleep(pause)


def _write_scores(
    course: CourseDirectory, release: Released, student: str, outcome: Outcome, handed_in: datetime | None
) -> Total:
    """All scores in one transaction: the exam's as automatic ones, a person's kept where they are for this very answer."""
    scored = outcome.status != "infrastructure-error"
    before, answers = _answers(_graded_before(course, release, student)), _answers(outcome.notebook)
    blank = set(answers.items()) & set(_answers(release.notebook).items())
    waiting = {grade_id for grade_id in release.by_hand if grade_id in answers and (grade_id, answers[grade_id]) not in blank}
    with warnings.catch_warnings(), Gradebook(course.db_url, course.course_id) as book:
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's way of adding a submission, harmless and loud
        book.update_or_create_student(student)
        book.update_or_create_submission(release.assignment, student, timestamp=handed_in)
        notebook = book.find_submission_notebook(release.assignment, release.assignment, student)
        for grade in notebook.grades:
            own = grade.name in waiting and before.get(grade.name) == answers[grade.name]
            if outcome.status == "rejected" or (scored and before and before != answers and not own):
                grade.manual_score = grade.extra_credit = None  # given for another answer
            read = grade.manual_score is not None
            grade.auto_score = float(outcome.scores.get(grade.name, 0.0)) if scored and grade.name not in waiting else None
            grade.needs_manual_grade = not (own and scored) if read else grade.auto_score is None
        for comment in notebook.comments:
            comment.auto_comment = "No response." if (comment.name, answers.get(comment.name)) in blank else None
        book.db.commit()
        book.db.refresh(notebook)
        to_read = sorted(grade.name for grade in notebook.grades if grade.needs_manual_grade)
        return Total(notebook.score if scored else None, notebook.max_score, tuple(to_read) if scored else ())


def _answers(notebook: nbformat.NotebookNode | None) -> dict[str, str]:
    """What the cells hold that a student fills in."""
    cells = [] if notebook is None else [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {cell.metadata.nbgrader.grade_id: cell.source.strip() for cell in cells if cell.metadata.nbgrader.solution}


def _graded_before(course: CourseDirectory, release: Released, student: str) -> nbformat.NotebookNode | None:
    """The notebook that the gradebook's present scores belong to."""
    path = Path(course.format_path(course.autograded_directory, student, release.assignment), f"{release.assignment}.ipynb")
    return nbformat.read(path, as_version=4) if path.is_file() else None


def _assign_late_penalty(course: CourseDirectory, release: Released, student: str, parent: LoggingConfigurable) -> None:
    """nbgrader's own plugin for late hand-ins; by default it takes nothing off."""
    where = {"notebook": release.assignment, "assignment": release.assignment, "student": student, "db_url": course.db_url}
    AssignLatePenalties(parent=parent).preprocess(new_notebook(), {"nbgrader": where})


def _write_notebook(
    course: CourseDirectory,
    release: Released,
    student: str,
    submission: Submission | None,
    outcome: Outcome,
    handed_in: datetime | None,
) -> None:
    """autograded/<student>/<assignment>/, replaced as a whole; nothing there if nothing was scored."""
    place = Path(course.format_path(course.autograded_directory, student, release.assignment))
    draft = place.with_name(f".{place.name}.new")
    for old in (draft, place):
        shutil.rmtree(old, ignore_errors=True)
    if outcome.status == "infrastructure-error":
        return
    draft.mkdir(parents=True)
    notebook = for_browser(outcome.notebook or new_notebook())
    if outcome.status != "graded" or outcome.message:
        notebook.cells.insert(0, new_markdown_cell(_notice(outcome), id="grading-status"))
    nbformat.write(notebook, draft / f"{release.assignment}.ipynb")
    # nbgrader's release_feedback opens both files for every student, and stops for all where one is missing.
    submitted = Path(course.format_path(course.submitted_directory, student, release.assignment))
    (draft / "timestamp.txt").write_text(f"{handed_in} UTC" if handed_in else "", encoding="utf-8")
    own_secret = small_file(submitted, "submission_secret.txt")
    (draft / "submission_secret.txt").write_text(own_secret or secrets.token_hex(32), encoding="utf-8")
    for path, content in (submission.files if submission else {}).items():
        ours = (draft / PurePosixPath(path).parts[0]).is_file()  # a folder of hers may be called timestamp.txt
        if PurePosixPath(path).suffix.lower() in PICTURES and not ours:
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(content)
    for file in draft.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o444)
    os.replace(draft, place)


def _notice(outcome: Outcome) -> str:
    """The first lines of a page with more to say than its points: for the student, and for whoever reads it in formgrader."""
    message = re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", outcome.message)
    return f"**Grading status: {outcome.status}.** {message}"

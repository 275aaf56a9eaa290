"""A class folder: its nbgrader configuration, the assignments released into it, the secret behind its seeds."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from grading.intake import LEFT_OUT

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIG = "nbgrader_config.py"
SECRET = ".grading-secret"


class CourseError(Exception):
    """The class folder is not ready for what was asked; the text says what to type."""


@dataclass(frozen=True)
class Released:
    """One assignment as the gradebook registered it: the notebook, its points, its helper files, its exam."""

    assignment: str
    notebook: NotebookNode
    points: dict[str, float]  # what the exam gives
    by_hand: dict[str, float]  # what a person gives
    helpers: tuple[Path, ...]  # what lies beside the released notebook
    exam: Path


def open_course(folder: Path = REPOSITORY) -> CourseDirectory:
    """nbgrader's view of a class folder. A folder without a configuration gets one that points at this course's."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # it will hold grades
    config = folder / CONFIG
    if not config.exists():
        config.write_text(f"load_subconfig({str(REPOSITORY / CONFIG)!r})\n", encoding="utf-8")
    loaded = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    loaded.CourseDirectory.root = str(folder)
    return CourseDirectory(config=loaded)


def released(course: CourseDirectory, assignment: str) -> Released:
    """The assignment as released; raises CourseError where the gradebook and the release do not fit together."""
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    exam = Path(course.format_path(course.source_directory, ".", assignment)) / "exam.py"
    for needed in (folder / f"{assignment}.ipynb", exam):
        if not needed.is_file():
            raise CourseError(f"{needed} is missing; is {assignment!r} the name of an assignment?")
    notebook = nbformat.read(folder / f"{assignment}.ipynb", as_version=4)
    _compare_with_gradebook(course, assignment, notebook)
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    return Released(
        assignment,
        notebook,
        points={mark.grade_id: float(mark.points) for mark in marks if mark.grade and not mark.solution},
        by_hand={mark.grade_id: float(mark.points) for mark in marks if mark.get("task") or (mark.grade and mark.solution)},
        helpers=tuple(path for path in sorted(folder.iterdir()) if path.suffix != ".ipynb" and path.name not in LEFT_OUT),
        exam=exam,
    )


def _compare_with_gradebook(course: CourseDirectory, assignment: str, notebook: NotebookNode) -> None:
    """Points and cells must be the ones the gradebook knows, or scores would be recorded against another release."""
    remedy = f"run `python -m grading release{course_option(course)}`"
    if not gradebook_exists(course):
        raise CourseError(f"{course.root} has no gradebook yet: {remedy}")
    with Gradebook(course.db_url, course.course_id) as book:
        try:
            registered = {cell.name: cell.checksum for cell in book.find_notebook(assignment, assignment).source_cells}
        except MissingEntry as error:
            raise CourseError(f"{assignment} is not in the gradebook of {course.root}: {remedy}") from error
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    if registered != {mark.grade_id: mark.get("checksum") for mark in marks}:
        raise CourseError(f"the release of {assignment} is not the one in the gradebook of {course.root}: {remedy}")


def gradebook_exists(course: CourseDirectory) -> bool:
    """Opening a gradebook makes it; reading commands must not leave an empty one behind."""
    prefix = "sqlite:///"
    return not course.db_url.startswith(prefix) or Path(course.db_url[len(prefix):]).is_file()


def course_option(course: CourseDirectory) -> str:
    """What to add to a command so that it means this class folder."""
    return "" if Path(course.root) == REPOSITORY else f" --course {course.root}"


def secret(course: CourseDirectory) -> bytes:
    """What the seeds of all attempts are made of: drawn on first use, readable by its owner alone."""
    path = Path(course.root) / SECRET
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was first: its secret stands
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()

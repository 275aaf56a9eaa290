"""Look at what grading needs before a class depends on it: one line for each thing, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from grading.course import CONFIG, SECRET, CourseError, course_option, gradebook_exists, released
from grading.exam import ExamError, load
from grading.outcome import Limits
from grading.sandbox import Sandbox, SandboxUnavailable, require

PACKAGES = ("torch", "numpy", "nbgrader", "jupyter_client", "ipykernel", "jupytext")


@dataclass(frozen=True)
class Finding:
    good: bool
    line: str

    def __str__(self) -> str:
        return f"{'ok     ' if self.good else 'PROBLEM'}  {self.line}"


def examine_setup(course: CourseDirectory) -> Iterator[Finding]:
    """Everything between a submission and its grade, from Python to the gradebook."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding((3, 11) <= sys.version_info < (3, 14), f"Python {version} (3.11 to 3.13 are supported)")
    for package in PACKAGES:
        yield _package(package)
    alembic = shutil.which("alembic")
    yield Finding(bool(alembic), f"alembic at {alembic}" if alembic else "alembic is not on PATH: put the .venv's bin there")
    yield _sandbox()
    yield from _class_folder(course)
    for assignment in _assignments(course):
        yield _assignment(course, assignment)


def _package(name: str) -> Finding:
    try:
        return Finding(True, f"{name} {metadata.version(name)}")
    except metadata.PackageNotFoundError:
        return Finding(False, f"{name} is not installed: run `make exercises`, which sets up .venv")


def _sandbox() -> Finding:
    """Not only whether bubblewrap is there: a kernel is started in it, as for a submission."""
    try:
        require()
        with Sandbox(Limits()):
            return Finding(True, "the sandbox starts a kernel")
    except SandboxUnavailable as reason:
        return Finding(False, str(reason))


def _class_folder(course: CourseDirectory) -> Iterator[Finding]:
    root = Path(course.root)
    writable = os.access(root, os.W_OK)
    yield Finding(writable, f"class folder {root} is {'' if writable else 'not '}writable")
    yield Finding((root / CONFIG).is_file(), f"{root / CONFIG}: nbgrader grades through the sandbox")
    if not gradebook_exists(course):
        yield Finding(False, f"no gradebook in {root}: run `python -m grading release{course_option(course)}`")
        return
    try:
        with Gradebook(course.db_url, course.course_id) as book:
            book.db.commit()
            yield Finding(True, f"gradebook with {len(book.assignments)} assignments and {len(book.students)} students")
    except SQLAlchemyError as error:
        yield Finding(False, f"the gradebook {course.db_url} does not open: {type(error).__name__}")
    secret = root / SECRET
    if secret.exists():
        private = not secret.stat().st_mode & 0o077
        yield Finding(private, f"{secret} is readable by {'its owner alone' if private else 'others: chmod 600'}")


def _assignments(course: CourseDirectory) -> list[str]:
    return sorted(path.parent.name for path in Path(course.root, course.source_directory).glob("*/exam.py"))


def _assignment(course: CourseDirectory, assignment: str) -> Finding:
    """Whether the release is registered and every graded cell has its hidden tests."""
    try:
        release = released(course, assignment)
        exam = load(release.exam)
    except (CourseError, ExamError) as reason:
        return Finding(False, f"{assignment}: {reason}")
    examined, graded = {part.grade_id for part in exam.parts}, set(release.points)
    if examined != graded:
        return Finding(False, f"{assignment}: the exam examines {sorted(examined)}, the graded cells are {sorted(graded)}")
    points = sum(release.points.values()) + sum(release.by_hand.values())
    return Finding(True, f"{assignment}: {len(exam.parts)} hidden tests, {points:g} points, {len(release.by_hand)} answers to read")

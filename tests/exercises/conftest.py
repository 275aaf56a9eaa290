"""Every exercise released once into a class folder of the tests' own, and the cells of a notebook run in this process."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from grading import answers, release

ASSIGNMENTS = sorted(folder.name for folder in release.SOURCES.glob("[0-9][0-9]_*"))


def pytest_generate_tests(metafunc):
    own = any("assignment" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "assignment" in metafunc.fixturenames and not own:
        metafunc.parametrize("assignment", ASSIGNMENTS)


@dataclass(frozen=True)
class Exercise:
    """One assignment: its source folder, its release as generated now, and the solution's cells."""

    name: str
    source: Path
    path: Path

    @property
    def blank(self):
        return nbformat.read(self.path, as_version=4)

    @property
    def solved(self):
        return self.filled({})

    def filled(self, cells):
        """The release with the solution in it, but for these cells."""
        return answers.fill(self.blank, answers.solution(self.name) | cells)

    @property
    def points(self):
        """Grade id -> points of every cell that the examiner grades."""
        marks = [cell.metadata.nbgrader for cell in self.blank.cells if "nbgrader" in cell.metadata]
        return {mark.grade_id: float(mark.points) for mark in marks if mark.grade and not mark.solution}


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A folder into which every exercise has been released."""
    folder = tmp_path_factory.mktemp("course")
    release.release(course=folder)
    return folder


@pytest.fixture
def exercise(course, assignment):
    return Exercise(assignment, release.SOURCES / assignment, course / "exercises" / assignment / f"{assignment}.ipynb")


@pytest.fixture(scope="session")
def run_here():
    """Run a notebook's code cells in this process; returns the error of each cell that raised, by cell id."""

    def run(notebook):
        namespace, errors = {"__name__": "__main__"}, {}
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(cell.source, cell.id, "exec"), namespace)
            except Exception as error:
                errors[cell.id] = error
        return errors

    return run

"""A tiny assignment in a class folder of its own, for tests of what lies around the exam."""

import dataclasses
import datetime
import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ASSIGNMENT = "00_tiny"
SOURCE = '''\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A tiny exercise

```{code-cell} ipython3
---
nbgrader: {cell_type: code, grade: false, grade_id: double, locked: false, schema_version: 3, solution: true, task: false}
---
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {cell_type: code, grade: true, grade_id: test_double, locked: true, points: 4, schema_version: 3, solution: false, task: false}
---
assert double(1) == 2, f"double(1) is {double(1)}; expected 2"
```

```{code-cell} ipython3
---
nbgrader: {cell_type: code, grade: false, grade_id: triple, locked: false, schema_version: 3, solution: true, task: false}
---
def triple(x):
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {cell_type: code, grade: true, grade_id: test_triple, locked: true, points: 2, schema_version: 3, solution: false, task: false}
---
assert triple(1) == 3, f"triple(1) is {triple(1)}; expected 3"
```

+++ {"nbgrader": {"cell_type": "markdown", "grade": true, "grade_id": "why", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}}

### BEGIN SOLUTION
Because two is one and one.
### END SOLUTION
'''
EXAM = '''\
from grading.exam import exam

LIMITS = {"seconds": 12, "part_seconds": 10}


@exam("test_double", weight=3, hint="Double numbers other than one.")
def doubles_numbers(student, rng):
    n = int(rng.integers(10, 10_000))
    assert student.call("double", n) == 2 * n, f"SECRET of the exam: {n}"


@exam("test_double", weight=1, hint="Double zero.")
def doubles_zero(student, rng):
    assert student.call("double", 0) == 0


@exam("test_triple", hint="Triple numbers other than one.")
def triples(student, rng):
    n = int(rng.integers(10, 10_000))
    assert student.call("triple", n) == 3 * n
'''


class TinyClass:
    """A class folder with the tiny assignment released into it."""

    def __init__(self, folder: Path, sources: Path):
        self.folder, self.sources = folder, sources

    def notebook(self, **texts: str):
        """The released notebook with these texts in its cells; unnamed ones hold the right answers."""
        right = {"double": "def double(x):\n    return 2 * x", "triple": "def triple(x):\n    return 3 * x", "why": "Because."}
        notebook = nbformat.read(self.folder / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = (right | texts).get(name, cell.source)
        return notebook

    def blank(self):
        return nbformat.read(self.folder / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)

    def hand_in(self, student: str, notebook=None, files: dict[str, bytes] | None = None) -> Path:
        """Put a submission where `nbgrader collect` would; returns its folder."""
        place = self.folder / "submitted" / student / ASSIGNMENT
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        if notebook is not None:
            nbformat.write(notebook, place / f"{ASSIGNMENT}.ipynb")
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        (place / "timestamp.txt").write_text(stamp)
        for name, content in (files or {}).items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        return place

    def report(self) -> dict[str, dict]:
        rows = json.loads((self.folder / "reports" / f"{ASSIGNMENT}.json").read_text())["records"]
        return {row["student"]: row for row in rows}

    def copy(self, folder: Path) -> "TinyClass":
        """Another class with the same release and nothing handed in."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("submitted", "autograded", "feedback", "reports"))
        return TinyClass(folder, self.sources)


@pytest.fixture(scope="session")
def programs():
    """An environment in which the virtual environment's programs are found, as after activating it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": ""}


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory):
    """The tiny assignment released once; tests take copies."""
    from grading.release import release

    top = tmp_path_factory.mktemp("tiny")
    source = top / "sources" / ASSIGNMENT
    source.mkdir(parents=True)
    (source / f"{ASSIGNMENT}.md").write_text(SOURCE)
    (source / "exam.py").write_text(EXAM)
    folder = top / "class"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(
        f"load_subconfig({str(REPOSITORY / 'nbgrader_config.py')!r})\n"
        f"c = get_config()\nc.CourseDirectory.source_directory = {str(top / 'sources')!r}\n"
    )
    release([ASSIGNMENT], folder, top / "sources")
    return TinyClass(folder, top / "sources")


@pytest.fixture
def tiny(tiny_release, tmp_path):
    """A class of this test's own."""
    return tiny_release.copy(tmp_path / "class")


DOUBLE_AND_TRIPLE = '''\
import torch
from grading.exam import assert_close, exam

@exam("test_double", hint="Double every entry.")
def doubles(student, rng):
    x = torch.from_numpy(rng.standard_normal((3, 2)))
    assert_close(student.call("double", x), 2 * x, "double(x)")

@exam("test_triple", hint="Triple every entry.")
def triples(student, rng):
    x = torch.from_numpy(rng.standard_normal((2, 4)))
    assert_close(student.call("triple", x), 3 * x, "triple(x)")
'''


@pytest.fixture
def grade_cells(bubblewrap, tmp_path):
    """Grade one notebook of these cells: a text is the student's, (grade id, text) is a graded cell of 2 points.

    A hidden test doubles and triples fresh tensors unless another exam is given.
    """
    from grading.examiner import grade
    from grading.outcome import Job, Limits

    def run(*cells, exam: str = DOUBLE_AND_TRIPLE, limits: dict | None = None, **options):
        notebook = nbformat.v4.new_notebook()
        for cell in cells:
            grade_id, source = cell if isinstance(cell, tuple) else (None, cell)
            about = {"nbgrader": {"grade": True, "grade_id": grade_id, "points": 2}} if grade_id else {}
            notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=about))
        nbformat.write(notebook, tmp_path / "work.ipynb")
        (tmp_path / "exam.py").write_text(exam)
        points = dict.fromkeys((cell[0] for cell in cells if isinstance(cell, tuple)), 2)
        job = Job("ada", "work", 1, tmp_path / "work.ipynb", tmp_path / "exam.py", points, b"secret")
        return grade(dataclasses.replace(job, limits=Limits(**(limits or {})), **options))

    return run

"""The exercise printed in the instructor's guide is released and graded as the guide says."""

import re
from pathlib import Path

import nbformat
import pytest

from grading.answers import fill, mutants, solution
from grading.exam import load
from grading.examiner import grade
from grading.outcome import Job
from grading.release import release

GUIDE = Path(__file__).resolve().parents[2] / "chapters" / "instructors_guide.md"
BLOCK = re.compile(r"^(`{3,})\{code-block\} \w+\n:caption: solutions/(\S+)\n\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = "09_memory"


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    """The guide's files in a folder of sources, and the notebook released from them."""
    top = tmp_path_factory.mktemp("guide")
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    assert [name for _, name, _ in blocks] == [f"{ASSIGNMENT}/{n}" for n in ("09_memory.md", "exam.py", "mutants/kept_divides.py")]
    for _, name, text in blocks:
        (top / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / "sources" / name).write_text(text, encoding="utf-8")
    (top / "class").mkdir()
    (notebook,) = release([ASSIGNMENT], top / "class", top / "sources")
    return top / "sources", nbformat.read(notebook, as_version=4)


@pytest.mark.parametrize(("who", "score"), [("solution", 3), ("blank", 0), ("mutant", 0)])
def test_the_printed_exam_tells_right_from_wrong(exercise, bubblewrap, tmp_path, who, score):
    sources, released = exercise
    (mutant,) = mutants(ASSIGNMENT, sources)
    assert mutant.loses == {"test_kept"} and mutant.passes_visible
    cells = {"solution": solution(ASSIGNMENT, sources), "blank": {}, "mutant": mutant.cells}[who]
    notebook = tmp_path / f"{ASSIGNMENT}.ipynb"
    nbformat.write(fill(released, cells), notebook)
    job = Job(who, ASSIGNMENT, 1, notebook, sources / ASSIGNMENT / "exam.py", {"test_kept": 3.0}, seed=b"guide")
    outcome = grade(job)
    assert (outcome.status, outcome.scores) == ("graded", {"test_kept": score})
    assert len(load(job.exam).parts) == 2

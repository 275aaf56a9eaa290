"""Answers to put into a release: the solution's own, and the plausible wrong ones in solutions/NN_topic/mutants/*.py.

A mutant is a py:percent file. Its first line says which graded cells must lose points by it, all others keeping theirs;
a second line, if there, says why the visible checks do not see it; each cell is headed by the grade id it replaces:

    # loses: test_lstm_step
    # passes the visible checks: they use float32 only
    # %% lstm_step
    def lstm_step(x, state, weights):
        ...
"""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext

from grading import quiz_cells
from grading.release import SOURCES

REGION = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    name: str
    loses: frozenset[str]
    passes_visible: bool
    cells: dict[str, str]


def solution(assignment: str, sources: Path = SOURCES) -> dict[str, str]:
    """Grade id -> the solution's text of every cell that a student fills in, quiz letters included."""
    notebook = jupytext.read(sources / assignment / f"{assignment}.md")
    marked = [(cell.metadata.get("nbgrader", {}), cell) for cell in notebook.cells]
    answers = {marks["grade_id"]: REGION.sub("", cell.source) for marks, cell in marked if marks.get("solution")}
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for n, (question, _) in enumerate(quiz_cells.MARKER.findall(prose), 1):
        answers[f"answer_{n}"] = f'answer_{n} = "{quiz_cells.draw(assignment, question).answer}"'
    return answers


def read_mutant(path: Path) -> Mutant:
    head, *cells = re.split(r"^# %% *(\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = head.splitlines()
    if not lines or not lines[0].startswith("# loses: ") or not cells:
        raise ValueError(f"{path}: expected '# loses: GRADE_ID, ...' in line 1 and a cell headed '# %% GRADE_ID'")
    loses = frozenset(name.strip() for name in lines[0].removeprefix("# loses: ").split(","))
    passes = any(line.startswith("# passes the visible checks: ") for line in lines[1:])
    return Mutant(path.stem, loses, passes, {grade_id: text.strip() for grade_id, text in zip(cells[::2], cells[1::2])})


def mutants(assignment: str, sources: Path = SOURCES) -> list[Mutant]:
    return [read_mutant(path) for path in sorted((sources / assignment / "mutants").glob("*.py"))]


def fill(release, cells: dict[str, str]):
    """A copy of the released notebook with these texts in the cells of these grade ids."""
    filled = copy.deepcopy(release)
    by_id = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in filled.cells if "nbgrader" in cell.metadata}
    if unknown := set(cells) - {grade_id for grade_id, cell in by_id.items() if cell.metadata["nbgrader"]["solution"]}:
        raise ValueError(f"no cell to fill in is called {', '.join(sorted(unknown))}")
    for grade_id, text in cells.items():
        by_id[grade_id].source = text
    return filled

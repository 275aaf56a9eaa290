"""Generate what students get: `python -m grading release [ASSIGNMENT ...] [--course DIR]`.

For each solutions/NN_topic/NN_topic.md: jupytext writes the notebook beside it (git-ignored, the same cells), and
nbgrader's generate_assignment makes exercises/NN_topic/NN_topic.ipynb of that and registers it in DIR/gradebook.db.
nbgrader_config.py puts PREPROCESSORS in the place of nbgrader's own, so nbgrader's command and formgrader's button
make the same file, byte for byte.
"""

import os
import re
from pathlib import Path

import jupytext
import nbformat
from nbgrader import preprocessors as nbgrader
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log

from grading import quiz_cells
from grading.course import open_course

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "solutions"
INCLUDE = re.compile(r"^%run (\S+\.py)$")

# In each graded cell. Its points come from the examiner; nbgrader alone would give them for the visible check.
GUARD = """
import os
assert os.environ.get("NBGRADER_EXECUTION") != "autograde", "no points: the hidden tests of this cell did not run"
"""


class PrepareRelease(nbgrader.NbGraderPreprocessor):
    """What our sources leave to the generator: shared checks, quiz cells, the guard, fixed ids, neutral metadata."""

    def preprocess(self, nb, resources):
        folder = Path(resources["metadata"]["path"])
        nb.cells = quiz_cells.expand(nb.cells, resources["nbgrader"]["assignment"])
        for number, cell in enumerate(nb.cells, 1):
            marks = cell.metadata.get("nbgrader", {})
            if include := INCLUDE.match(cell.source):
                cell.source = (folder / include[1]).read_text(encoding="utf-8").rstrip()
            if marks.get("grade") and not marks.get("solution"):
                cell.source += "\n" + GUARD.rstrip()
                cell.metadata["jupyter"] = {"source_hidden": True}  # what a check says matters, not how it finds out
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata["tags"] = ["hide-input"]  # folded on the book's page as it is in JupyterLab
            cell.id = marks.get("grade_id", f"cell-{number:02}")
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nb.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
        nb.nbformat, nb.nbformat_minor = 4, 5
        return nb, resources


# PrepareRelease comes after ClearSolutions, which would empty an answer cell, and before what locks and records cells.
PREPROCESSORS = [
    nbgrader.IncludeHeaderFooter, nbgrader.ClearSolutions, PrepareRelease, nbgrader.LockCells, nbgrader.ClearOutput,
    nbgrader.CheckCellMetadata, nbgrader.ComputeChecksums, nbgrader.SaveCells, nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme, nbgrader.ComputeChecksums, nbgrader.CheckCellMetadata,
]
# In a source folder, and never in a release: nbgrader copies every file that CourseDirectory.ignore does not name.
NEVER_SHIPS = [".*", "*.md", "exam.py", "mutants"]


def write_notebook(source: Path) -> Path:
    """The notebook beside a text source, for nbgrader and JupyterLab; dated like its source, as jupytext wants it."""
    notebook = source.with_suffix(".ipynb")
    whole = source.with_name(f".{source.stem}-{os.getpid()}")  # another process may be reading the notebook
    whole.write_text(jupytext.writes(jupytext.read(source), fmt="ipynb"), encoding="utf-8")
    os.utime(whole, (source.stat().st_atime, source.stat().st_mtime))
    return whole.replace(notebook)


def generate(course: CourseDirectory, assignment: str) -> None:
    """nbgrader's generate_assignment under the class folder's configuration."""
    course.assignment_id = assignment
    converter = GenerateAssignment(coursedir=course, config=course.config)
    converter.force = True
    done = capture_log(converter)
    if not done["success"]:
        raise SystemExit(f"nbgrader could not release {assignment}:\n{done.get('log', '')}{done['error']}")


def release(assignments=(), course: Path = ROOT, sources: Path = SOURCES) -> list[Path]:
    """Release the named assignments, or all; returns the released notebooks."""
    folder, sources = Path(course).resolve(), Path(sources).resolve()
    known = {folder.name: folder / f"{folder.name}.md" for folder in sorted(sources.glob("[0-9][0-9]_*"))}
    if unknown := set(assignments) - set(known):
        raise SystemExit(f"no assignment {', '.join(sorted(unknown))} in {sources}; there are: {', '.join(known)}")
    opened = open_course(folder)
    opened.source_directory = str(sources)
    for name in assignments or known:
        write_notebook(known[name])
        generate(opened, name)
    return [folder / "exercises" / name / f"{name}.ipynb" for name in assignments or known]

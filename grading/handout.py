"""What may be given to students: `python -m grading handout` makes the folder handout/.

    handout/exercises/NN_topic/   released notebooks, generated afresh from the sources, with their helper files
    handout/NN_topic.zip          the same folder, one file for each exercise
    handout/lstmlib/              the library, with a pyproject.toml to install it by

Only what is named here is copied: no solution, exam, wrong answer, question bank or grader can slip in.
"""

import shutil
import tempfile
import tomllib
import zipfile
from pathlib import Path

from grading.release import ROOT, SOURCES, release

NAME = "handout"
DATE = (1980, 1, 1, 0, 0, 0)  # zip's earliest: the same content gives the same bytes

README = """\
# Exercises on PyTorch's LSTM

Each folder in `exercises/` is one exercise; the zip files beside this text hold the same folders one by one.

    python -m venv .venv && . .venv/bin/activate
    pip install . jupyterlab nbgrader
    jupyter lab exercises

`nbgrader validate NOTEBOOK` runs an exercise from top to bottom and tells which checks fail. The notebooks open in
Colab too: upload one there.
"""

PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}-handout"
version = "{version}"
requires-python = "{python}"
dependencies = {dependencies}

[tool.setuptools]
packages = ["lstmlib"]
"""


def project() -> str:
    """A pyproject.toml for the library alone, from the course's own."""
    course = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    quoted = ", ".join(f'"{requirement}"' for requirement in course["dependencies"])
    return PROJECT.format(name=course["name"], version=course["version"], python=course["requires-python"],
                          dependencies=f"[{quoted}]")


def pack(folder: Path, target: Path) -> None:
    """One zip of a folder under its own name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def handout(target: Path, sources: Path = SOURCES) -> Path:
    """Make the tree and the zip files in `target`, replacing an earlier handout there."""
    if target.exists():
        if not (target / "exercises").is_dir():
            raise SystemExit(f"{target} is there and is no handout: move it away first")
        shutil.rmtree(target)
    with tempfile.TemporaryDirectory() as course:
        for notebook in release(course=Path(course), sources=sources):
            shutil.copytree(notebook.parent, target / "exercises" / notebook.parent.name)
            pack(notebook.parent, target / f"{notebook.parent.name}.zip")
    for module in (ROOT / "lstmlib").rglob("*.py"):
        copy = target / module.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, copy)
    for licence in ROOT.glob("LICENSE*"):
        shutil.copyfile(licence, target / licence.name)
    (target / "README.md").write_text(README, encoding="utf-8")
    (target / "pyproject.toml").write_text(project(), encoding="utf-8")
    return target


def main() -> None:
    made = handout(ROOT / NAME)
    for path in sorted(made.iterdir()):
        print(path.relative_to(ROOT))

"""What may leave the instructor's hands holds the releases and the library, and nothing else."""

import zipfile

import nbformat
import pytest

from grading import handout, release

FILES = {"README.md", "pyproject.toml"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return handout.handout(tmp_path_factory.mktemp("handout") / "handout")


def test_holds_releases_and_library_only(made):
    library = {path.relative_to(release.ROOT).as_posix() for path in (release.ROOT / "lstmlib").rglob("*.py")}
    licences = {path.name for path in release.ROOT.glob("LICENSE*")}
    assignments = [folder.name for folder in release.SOURCES.glob("[0-9][0-9]_*")]
    there = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    exercises = {name for name in there if name.startswith("exercises/")}
    assert there - exercises == library | licences | FILES | {f"{name}.zip" for name in assignments}
    for path in exercises:
        assert path.split("/")[1] in assignments
        assert path.split("/")[-1] != "exam.py" and "mutants" not in path and not path.endswith(".md")


def test_the_exercises_are_the_released_ones(made, course):
    for path in (made / "exercises").rglob("*.ipynb"):
        assert path.read_bytes() == (course / path.relative_to(made)).read_bytes()


def test_each_zip_is_its_folder(made):
    for folder in (made / "exercises").iterdir():
        with zipfile.ZipFile(made / f"{folder.name}.zip") as archive:
            assert archive.testzip() is None
            packed = {name: archive.read(name) for name in archive.namelist()}
        there = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert packed == there


def test_a_solved_release_in_the_tree_is_not_handed_out(made):
    for path in (made / "exercises").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            mark = cell.metadata.get("nbgrader", {})
            if mark.get("solution"):
                stubs = ("raise NotImplementedError()", "YOUR ANSWER HERE", " = None  # the letter")
                assert any(stub in cell.source for stub in stubs), f"{path.name}: {mark.grade_id}"


def test_made_again_it_is_the_same(made, tmp_path):
    again = handout.handout(tmp_path / "handout")
    for path in made.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (again / path.relative_to(made)).read_bytes(), path.name


def test_does_not_replace_what_is_no_handout(tmp_path):
    (tmp_path / "letters").mkdir()
    with pytest.raises(SystemExit, match="no handout"):
        handout.handout(tmp_path)
    assert (tmp_path / "letters").is_dir()

"""nbgrader's own commands, typed plainly, do what the course means."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

from grading.course import REPOSITORY, gradebook_exists, open_course

ASSIGNMENT = "00_tiny"


def test_the_release_holds_no_answer_and_no_exam(tiny):
    folder = tiny.folder / "exercises" / ASSIGNMENT
    assert [path.name for path in folder.iterdir()] == [f"{ASSIGNMENT}.ipynb"]
    text = (folder / f"{ASSIGNMENT}.ipynb").read_text()
    assert "2 * x" not in text and "Because" not in text and "SECRET" not in text


def test_generate_assignment_from_the_class_folder_makes_the_same_bytes(tiny, programs):
    released = tiny.folder / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    before = released.read_bytes()
    subprocess.run(["nbgrader", "generate_assignment", ASSIGNMENT, "--force"], cwd=tiny.folder, env=programs, check=True, capture_output=True)
    assert released.read_bytes() == before


def test_without_our_configuration_nothing_hidden_is_awarded(tiny, programs):
    """Plain nbgrader would give the points of a graded cell whose visible check passes; the guard in the cell stops it."""
    tiny.hand_in("ada", tiny.notebook())
    (tiny.folder / "nbgrader_config.py").rename(tiny.folder / "moved_away.py")
    done = subprocess.run(["nbgrader", "autograde", ASSIGNMENT], cwd=tiny.folder, env=programs, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}") as book:
        notebook = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada")
        assert {grade.name: grade.auto_score for grade in notebook.grades} == {"test_double": 0, "test_triple": 0, "why": None}


@pytest.mark.parametrize("command", [["nbgrader", "autograde", ASSIGNMENT], [sys.executable, "-m", "grading", "autograde", ASSIGNMENT, "--course", "."]])
def test_without_bubblewrap_grading_refuses_and_says_what_installs_it(tiny, programs, tmp_path, command):
    tiny.hand_in("ada", tiny.notebook())
    (tmp_path / "bin").mkdir()
    for program in ("nbgrader", "alembic", "python"):
        (tmp_path / "bin" / program).symlink_to(Path(sys.executable).parent / program)
    environment = programs | {"PATH": str(tmp_path / "bin")}
    done = subprocess.run(command, cwd=tiny.folder, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "sudo apt-get install bubblewrap" in done.stderr and "Traceback" not in done.stderr
    assert not (tiny.folder / "autograded").exists()


def test_a_release_that_the_gradebook_does_not_know_is_not_graded(tiny, programs, bubblewrap):
    tiny.hand_in("ada", tiny.notebook())
    released = tiny.folder / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(released, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "test_triple"]
    nbformat.write(notebook, released)
    done = subprocess.run(["nbgrader", "autograde", ASSIGNMENT], cwd=tiny.folder, env=programs, capture_output=True, text=True)
    assert done.returncode != 0
    assert "is not the one in the gradebook" in done.stderr and "python -m grading release" in done.stderr


def test_a_timestamp_that_is_none_does_not_stop_formgraders_pages(tiny):
    tiny.hand_in("ada", tiny.notebook(), {"timestamp.txt": b"yesterday"})
    tiny.hand_in("bob", tiny.notebook(), {"timestamp.txt": b"2026-11-21 10:00:00 UTC"})
    course = open_course(tiny.folder)
    rows = NbGraderAPI(course, config=course.config).get_submissions(ASSIGNMENT)
    assert {row["student"]: row["timestamp"] for row in rows} == {"ada": None, "bob": "2026-11-21T10:00:00"}


def test_a_new_class_folder_gets_a_configuration_that_points_here(tmp_path):
    course = open_course(tmp_path / "class")
    assert (tmp_path / "class" / "nbgrader_config.py").read_text().startswith("load_subconfig(")
    assert course.root == str(tmp_path / "class")
    assert course.source_directory == str(REPOSITORY / "solutions")
    assert {"*.md", "exam.py", "mutants"} <= set(course.ignore)
    assert not gradebook_exists(course)


def test_a_class_folders_own_settings_stand(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        f"load_subconfig({str(REPOSITORY / 'nbgrader_config.py')!r})\nc = get_config()\nc.CourseDirectory.course_id = 'autumn'\n"
    )
    assert open_course(tmp_path).course_id == "autumn"

"""The way of a notebook through nbgrader's exchange: released, fetched, checked, handed in, collected, fed back."""

import subprocess

import nbformat
import pytest

ASSIGNMENT = "00_tiny"


@pytest.fixture
def course(tiny, programs, tmp_path):
    """Run nbgrader as the instructor in the class folder, and as the student in a folder without any configuration."""
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    environment = programs | {"HOME": str(home), "JUPYTER_DATA_DIR": str(home / "data"), "JUPYTER_CONFIG_DIR": str(home / "config")}
    exchange = ["--CourseDirectory.course_id=lstm", f"--Exchange.root={tiny.folder / 'exchange'}"]

    def instructor(*command):
        return run(["nbgrader", *command], tiny.folder, environment)

    def student(*command):
        options = exchange if command[0] != "validate" else []
        return run(["nbgrader", *command, *options], home / "work", environment)

    return tiny, home / "work", instructor, student


def run(command, folder, environment):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_an_exercise_goes_out_and_comes_back(course, bubblewrap):
    tiny, work, instructor, student = course
    instructor("release_assignment", ASSIGNMENT)
    student("fetch_assignment", ASSIGNMENT)
    notebook = work / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert [path.name for path in (work / ASSIGNMENT).iterdir()] == [notebook.name]

    assert "NotImplementedError" in student("validate", str(notebook)).stdout
    nbformat.write(tiny.notebook(), notebook)
    assert "Success! Your notebook passes all the tests." in student("validate", str(notebook)).stdout

    student("submit", ASSIGNMENT)
    assert "Collecting submission" in instructor("collect", ASSIGNMENT).stderr
    (name,) = (path.name for path in (tiny.folder / "submitted").iterdir())
    instructor("autograde", ASSIGNMENT)
    assert tiny.report()[name]["score"] == 6
    instructor("generate_feedback", ASSIGNMENT)
    instructor("release_feedback", ASSIGNMENT)
    student("fetch_feedback", ASSIGNMENT)
    (page,) = work.glob(f"{ASSIGNMENT}/feedback/*/{ASSIGNMENT}.html")
    assert "Score: 6.0 / 8.0" in page.read_text()


def test_collecting_copies_links_as_links(course):
    tiny, work, instructor, student = course
    instructor("release_assignment", ASSIGNMENT)
    student("fetch_assignment", ASSIGNMENT)
    student("submit", ASSIGNMENT)
    (inbound,) = (tiny.folder / "exchange" / "lstm" / "inbound").iterdir()
    inbound.chmod(0o755)
    (inbound / "notes.txt").symlink_to(tiny.folder / "gradebook.db")
    (inbound / "timestamp.txt").chmod(0o644)
    (inbound / "timestamp.txt").write_text("yesterday, honestly")
    instructor("collect", ASSIGNMENT)
    (collected,) = (tiny.folder / "submitted").glob(f"*/{ASSIGNMENT}")
    assert (collected / "notes.txt").is_symlink()
    assert not (collected / "timestamp.txt").exists()


def test_one_strange_hand_in_does_not_keep_feedback_from_the_others(course, bubblewrap):
    tiny, _, instructor, _ = course
    instructor("release_assignment", ASSIGNMENT)
    tiny.hand_in("O'Hara, Ada +1", tiny.notebook())
    tiny.hand_in("Ada [12*]", tiny.notebook())  # a name that no tool can be trusted with: told in the report alone
    (tiny.hand_in("link", tiny.notebook()) / "timestamp.txt").unlink()
    (tiny.folder / "submitted" / "link" / ASSIGNMENT / "submission_secret.txt").symlink_to(tiny.folder / "gradebook.db")
    instructor("autograde", ASSIGNMENT)
    instructor("generate_feedback", ASSIGNMENT)
    instructor("release_feedback", ASSIGNMENT)
    statuses = {student: row["status"] for student, row in tiny.report().items()}
    assert statuses == {"O'Hara, Ada +1": "graded", "Ada [12*]": "rejected", "link": "rejected"}
    assert len(list((tiny.folder / "exchange" / "lstm" / "feedback").iterdir())) == 2

"""`make class-demo`: the sample class ends as its students' names say."""

import csv
import json
import shutil
import subprocess
import sys

import pytest

from grading.course import REPOSITORY

LOST = 4  # points of the task in which most of them go wrong
MOST = 20


@pytest.fixture(scope="module")
def demo(tmp_path_factory, programs, bubblewrap):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "grading", "demo", "--course", str(folder)]
    done = subprocess.run(command, env=programs, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_each_student_gets_what_the_name_says(demo):
    folder, _ = demo
    with open(folder / "grades.csv", newline="") as file:
        found = {row["student_id"]: (row["status"], float(row["score"])) for row in csv.DictReader(file)}
    assert found == {
        "perfect": ("graded", MOST),
        "blank": ("graded", 0),
        "right_but_noisy": ("graded", MOST),
        "one_gate_wrong": ("graded", MOST - LOST),
        "tanh_forgotten": ("graded", MOST - LOST),
        "learnt_the_check_by_heart": ("graded", MOST - LOST),
        "endless_loop": ("timeout", 2),  # the written answer alone
        "equal_to_everything": ("graded", 0),
        "deleted_a_check": ("tampered", MOST),
        "links_to_the_solution": ("rejected", 0),
    }


def test_the_table_names_everyone_and_says_why(demo):
    folder, printed = demo
    for line in (
        "s for the whole run were over in code cell",
        "tampered      put back as released: test_lstm_step (missing)",
        "rejected      'notes.md' is a symbolic link; hand in the file itself",
        "graded        hidden tests failed: test_lstm_step (",
        "What equal_to_everything could read: files of the course found: 0",
        str(folder / "grades.csv"),
    ):
        assert line in printed


def test_everyone_has_a_feedback_page_without_places_of_this_machine(demo):
    folder, printed = demo
    pages = list(folder.glob("feedback/*/02_cell/02_cell.html"))
    assert len(pages) == 10 and "10 feedback pages" in printed
    for page in pages:
        text = page.read_text()
        if "equal_to_everything" not in page.parts:  # whose own code names the places it looked into
            assert str(folder) not in text
        assert "grading-secret" not in text
    assert "Grading status: rejected." in (folder / "feedback/links_to_the_solution/02_cell/02_cell.html").read_text()


def test_nbgraders_own_command_gives_the_same(demo, programs, tmp_path):
    folder, _ = demo
    left_out = shutil.ignore_patterns("autograded", "feedback", "reports", "grades.csv", "endless_loop", "tanh_forgotten")
    shutil.copytree(folder, tmp_path / "class", symlinks=True, ignore=left_out)
    subprocess.run(["nbgrader", "autograde", "02_cell"], cwd=tmp_path / "class", env=programs, check=True, capture_output=True)
    ours, theirs = records(folder), records(tmp_path / "class")
    assert len(theirs) == 8
    assert theirs == {student: ours[student] for student in theirs}


def records(folder):
    rows = json.loads((folder / "reports" / "02_cell.json").read_text())["records"]
    return {row["student"]: {key: row[key] for key in ("status", "scores", "message", "attempt", "seed")} for row in rows}


def test_a_class_in_the_repository_is_refused(programs):
    command = [sys.executable, "-m", "grading", "demo", "--course", str(REPOSITORY / "class")]
    done = subprocess.run(command, env=programs, capture_output=True, text=True)
    assert done.returncode != 0 and "belongs outside" in done.stderr
    assert not (REPOSITORY / "class").exists()

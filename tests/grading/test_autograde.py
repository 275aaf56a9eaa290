"""A class graded end to end, by our command and by nbgrader's: statuses, scores, and that no one's folder harms another."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading import batch

ASSIGNMENT = "00_tiny"
EQUAL = """\
import pathlib
class Equal:
    def __eq__(self, other): return True
def double(x): return Equal()
found = [str(p) for place in {places!r} for p in [pathlib.Path(place), *pathlib.Path(place).glob('**/*')] if p.exists()]
print("found:", found)
"""
NOISY = "import sys, warnings\nwarnings.warn('loud')\nprint('noise', file=sys.stderr)\ndef double(x):\n    return 2 * x"


def hand_in_a_class(tiny):
    """Student -> (status, score, what the line says); the written answer waits for a person."""
    read = "why"
    places = [str(tiny.folder), str(tiny.sources), os.path.expanduser("~/.ssh")]
    own = tiny.notebook
    tiny.hand_in("ada", own())
    tiny.hand_in("blank", tiny.blank())
    tiny.hand_in("worked_in_a_copy", tiny.blank(), {f"{ASSIGNMENT}-Copy1.ipynb": nbformat.writes(own()).encode()})
    tiny.hand_in("noisy", own(double=NOISY))
    tiny.hand_in("partial", own(double="def double(x):\n    return 2 * x if x else None"))
    tiny.hand_in("by heart", own(double="def double(x):\n    return 2", triple="def triple(x):\n    return 3"))
    tiny.hand_in("equal", own(double=EQUAL.format(places=places)))
    tiny.hand_in("endless", own(double="import time\nwhile True:\n    time.sleep(0.1)"))
    tiny.hand_in("quits", own(double="import os\nos._exit(0)"))
    tiny.hand_in("torch_py", own(), {"torch.py": b"import os"})
    tiny.hand_in("broken", files={f"{ASSIGNMENT}.ipynb": b'{"cells": ['})
    tiny.hand_in("empty")
    other = tiny.notebook()
    other.cells = [cell for cell in other.cells if "nbgrader" not in cell.metadata]
    tiny.hand_in("other_exercise", other)
    lost = tiny.notebook(double="def double(x):\n    return 0")
    lost.cells = [cell for cell in lost.cells if cell.id != "test_double"]
    tiny.hand_in("lost_a_check", lost)
    (tiny.hand_in("link", own()) / "data").symlink_to(tiny.sources, target_is_directory=True)
    place = tiny.hand_in("all_link", own())
    shutil.rmtree(place)
    place.symlink_to(tiny.folder / "submitted" / "ada" / ASSIGNMENT, target_is_directory=True)
    tiny.hand_in("élève, 学生", own(), {"data/größe.csv": b"1"})
    for name in ("a\nb", os.fsdecode(b"Jos\xe9"), "<img src=x onerror=alert(1)>", "=1+1"):
        tiny.hand_in(name, own())
    return {
        "a\\nb": ("rejected", None, r"folder holds '\n'"),
        "Jos\\udce9": ("rejected", None, r"folder holds '\udce9'"),
        "<img src=x onerror=alert(1)>": ("rejected", None, "folder holds '<'"),
        "=1+1": ("rejected", None, "folder holds '='"),
        "ada": ("graded", 6, read),
        "blank": ("graded", 0, ""),
        "worked_in_a_copy": ("graded", 0, f"{ASSIGNMENT}.ipynb was graded, not {ASSIGNMENT}-Copy1.ipynb"),
        "noisy": ("graded", 6, read),
        "partial": ("graded", 5, read),
        "by heart": ("graded", 0, read),
        "equal": ("graded", 2, read),
        "endless": ("timeout", 0, "The 12 s for the whole run were over"),
        "quits": ("crashed", 0, "double"),
        "torch_py": ("rejected", 0, "'torch.py' would be imported in place of the module 'torch'"),
        "broken": ("rejected", 0, "broken JSON"),
        "empty": ("rejected", 0, f"{ASSIGNMENT}.ipynb is missing"),
        "other_exercise": ("rejected", 0, "notebook of another exercise"),
        "lost_a_check": ("tampered", 3, "put back as released: test_double (missing)"),
        "link": ("rejected", 0, "'data' is a symbolic link"),
        "all_link": ("rejected", 0, "is a link"),
        "élève, 学生": ("graded", 6, read),
    }


@pytest.fixture(scope="module")
def marked(tiny_release, tmp_path_factory, programs, bubblewrap):
    """The class graded by `python -m grading autograde --workers 2`, with what was expected and what was printed."""
    tiny = tiny_release.copy(tmp_path_factory.mktemp("graded") / "class")
    expected = hand_in_a_class(tiny)
    done = grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder, "--workers", 2)
    assert done.returncode == 0, done.stderr
    return tiny, expected, done


def grading(programs, *arguments):
    command = [sys.executable, "-m", "grading", *map(str, arguments)]
    return subprocess.run(command, env=programs, capture_output=True, text=True, timeout=500)


def scores(tiny):
    """Student -> the gradebook's automatic score of every cell, and whether a person must look."""
    with Gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.name: (grade.auto_score, grade.needs_manual_grade)
                for notebook in submission.notebooks for grade in notebook.grades
            }
            for submission in book.assignment_submissions(ASSIGNMENT)
        }


def test_every_submission_ends_in_its_status_score_and_line(marked):
    tiny, expected, _ = marked
    report = tiny.report()
    assert {name: (row["status"], row["score"]) for name, row in report.items()} == {
        name: (status, score) for name, (status, score, _) in expected.items()
    }
    for name, (_, _, said) in expected.items():
        line = "; ".join([report[name]["message"], *report[name]["to_read"]])
        assert said in line
        assert "\n" not in line
    assert {row["max_score"] for row in report.values()} == {8}


def test_the_csv_report_says_the_same(marked):
    tiny, expected, _ = marked
    with open(tiny.folder / "reports" / f"{ASSIGNMENT}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["student", "score", "max_score", "status", "seconds", "message"]
    assert {row["student"]: (row["status"], row["score"]) for row in rows} == {
        "'" * (name == "=1+1") + name: (status, "" if score is None else str(float(score))) for name, (status, score, _) in expected.items()
    }


def test_progress_names_everyone_and_the_time_left(marked):
    _, expected, done = marked
    for name in expected:
        assert f"] {name}: " in done.stderr
    assert f"[1/{len(expected)}]" in done.stderr and "s left)" in done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr


def test_scores_are_nbgraders_automatic_scores(marked):
    tiny, _, _ = marked
    book = scores(tiny)
    assert book["ada"] == {"test_double": (4, False), "test_triple": (2, False), "why": (None, True)}
    assert book["partial"] == {"test_double": (3, False), "test_triple": (2, False), "why": (None, True)}
    assert book["blank"] == {"test_double": (0, False), "test_triple": (0, False), "why": (0, False)}
    assert book["link"] == {"test_double": (0, False), "test_triple": (0, False), "why": (0, False)}


def test_a_name_that_was_refused_is_in_no_gradebook_and_stops_no_feedback(marked, programs):
    tiny, expected, _ = marked
    known = {name for name, (_, score, _) in expected.items() if score is not None}
    assert set(scores(tiny)) == known
    done = grading(programs, "feedback", ASSIGNMENT, "--course", tiny.folder)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tiny.folder / "feedback").iterdir()} == known


def test_who_reads_files_found_nothing_of_the_course(marked):
    tiny, _, _ = marked
    notebook = nbformat.read(tiny.folder / "autograded" / "equal" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "found: []" in text


def test_seeds_differ_and_give_no_secret_away(marked):
    tiny, _, _ = marked
    seeds = [row["seed"] for row in tiny.report().values() if row["seed"]]
    assert len(seeds) > 5 and len(set(seeds)) == len(seeds)
    secret = tiny.folder / ".grading-secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text() not in (tiny.folder / "reports" / f"{ASSIGNMENT}.json").read_text()


def test_a_second_run_grades_nothing_again(marked, programs):
    tiny, expected, _ = marked
    before = {name: row for name, row in tiny.report().items()}
    done = grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder)
    assert done.stderr.count("graded before") == sum(status != "rejected" for status, _, _ in expected.values()) + 3
    assert tiny.report() == before


def test_nbgraders_own_command_gives_the_same(marked, tiny_release, tmp_path, programs):
    tiny, _, _ = marked
    again = tiny_release.copy(tmp_path / "class")  # with a gradebook that knows of nobody
    shutil.copy(tiny.folder / ".grading-secret", again.folder)  # the same draws
    shutil.copytree(tiny.folder / "submitted", again.folder / "submitted", symlinks=True)
    done = subprocess.run(["nbgrader", "autograde", ASSIGNMENT], cwd=again.folder, env=programs, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # The link from one submission to another still leads into the first class; it is rejected unread all the same.
    ours, theirs = tiny.report(), again.report()
    kept = ("status", "score", "scores", "attempt", "seed", "digest", "message", "to_read")
    assert {n: {k: row[k] for k in kept} for n, row in theirs.items()} == {n: {k: row[k] for k in kept} for n, row in ours.items()}
    assert scores(again) == scores(tiny)


def test_a_worker_that_cannot_load_torch_says_why(tmp_path, monkeypatch):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)  # the workers get it too
    task = batch.Task("ada", 1, submission=None, release=None, secret=b"")
    ((_, outcome),) = batch.grade_all([task], workers=1)
    assert (outcome.status, outcome.message) == (
        "infrastructure-error", "grading failed: OSError: libgomp.so.1: cannot open shared object file"
    )

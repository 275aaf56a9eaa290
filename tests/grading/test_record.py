"""The gradebook, autograded/ and the report agree with the last outcome and with nothing older."""

import csv
import json
import sqlite3
import threading
import time
from dataclasses import replace

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading import record as recording
from grading.autograde import SandboxedAutograde, attempt
from grading.course import open_course, released
from grading.export import export_grades
from grading.intake import Submission
from grading.outcome import Outcome
from grading.record import record
from grading.report import Record, Report, without_formulas

ASSIGNMENT = "00_tiny"
FULL = {"test_double": 4.0, "test_triple": 2.0}


@pytest.fixture
def book(tiny):
    """Record an outcome for ada; returns what nbgrader then holds of her."""
    course = open_course(tiny.folder)
    release = released(course, ASSIGNMENT)
    converter = SandboxedAutograde(coursedir=course, config=course.config)

    class Book:
        folder = tiny.folder

        def grade(self, status="graded", scores=None, message="", files=None, **texts):
            notebook = None if status in {"rejected", "infrastructure-error"} else tiny.notebook(**texts)
            outcome = Outcome(status, message, scores=FULL if scores is None else scores, notebook=notebook)
            self.total = record(course, release, "ada", Submission(files or {}, "x"), outcome, converter)
            return self.scores()

        def scores(self):
            with Gradebook(course.db_url) as book:
                (notebook,) = book.find_submission(ASSIGNMENT, "ada").notebooks
                return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades}

        def by_hand(self, name, score):
            with Gradebook(course.db_url) as book:
                grade = book.find_grade(name, ASSIGNMENT, ASSIGNMENT, "ada")
                grade.manual_score, grade.needs_manual_grade = score, False
                book.db.commit()

        @property
        def autograded(self):
            return tiny.folder / "autograded" / "ada" / ASSIGNMENT

    return Book()


def test_scores_of_the_exam_are_automatic_and_an_answer_waits_for_a_person(book):
    assert book.grade() == {"test_double": (4, None, False), "test_triple": (2, None, False), "why": (None, None, True)}
    assert (book.total.score, book.total.max_score, book.total.to_read) == (6, 8, ("why",))


def test_an_answer_left_blank_is_zero_and_waits_for_no_one(book):
    assert book.grade(why="YOUR ANSWER HERE")["why"] == (0, None, False)


def test_a_persons_score_stays_with_the_very_answer_it_was_for(book):
    book.grade()
    book.by_hand("why", 1.5)
    assert book.grade()["why"] == (None, 1.5, False)
    assert book.grade(double="def double(x):\n    return x + x")["why"] == (None, 1.5, False)
    assert book.grade(why="Another answer.")["why"] == (None, None, True)


def test_a_persons_correction_of_the_exam_stays_for_the_same_code_only(book):
    book.grade(scores={})
    book.by_hand("test_double", 3)
    assert book.grade(scores={})["test_double"] == (0, 3, True)
    assert book.grade(scores={}, double="def double(x):\n    return None")["test_double"] == (0, None, False)


def test_a_rejected_hand_in_leaves_no_older_score(book):
    book.grade()
    book.by_hand("why", 2)
    after = book.grade("rejected", scores={}, message="'x' is a *symbolic* link")
    assert after == {"test_double": (0, None, False), "test_triple": (0, None, False), "why": (0, None, False)}
    assert book.total.score == 0
    (cell,) = nbformat.read(book.autograded / f"{ASSIGNMENT}.ipynb", as_version=4).cells
    assert cell.source == "**Grading status: rejected.** 'x' is a \\*symbolic\\* link"


def test_what_could_not_be_graded_has_no_score_and_no_page(book):
    book.grade()
    after = book.grade("infrastructure-error", scores={})
    assert after == {"test_double": (None, None, True), "test_triple": (None, None, True), "why": (None, None, True)}
    assert book.total.score is None
    assert not book.autograded.exists()


def test_stale_feedback_goes(book):
    page = book.folder / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    page.parent.mkdir(parents=True)
    page.write_text("Score: 8 / 8")
    book.grade(scores={})
    assert not page.exists()


def test_pictures_reach_the_page_and_other_files_do_not(book):
    book.grade(files={"plot.png": b"x", "data/a.JPG": b"y", "evil.html": b"<script>", "evil.svg": b"<svg>", "x.py": b""})
    found = sorted(path.relative_to(book.autograded).as_posix() for path in book.autograded.rglob("*") if path.is_file())
    assert found == [f"{ASSIGNMENT}.ipynb", "data/a.JPG", "plot.png", "submission_secret.txt", "timestamp.txt"]


def test_folders_named_like_our_files_are_no_error(book):
    files = {f"{folder}/x.png": b"x" for folder in (f"{ASSIGNMENT}.ipynb", "timestamp.txt", "submission_secret.txt")}
    assert book.grade(files=files)["test_double"] == (4, None, False)
    assert not list(book.autograded.rglob("*.png"))


def test_a_locked_gradebook_is_waited_for(book, monkeypatch):
    book.grade(scores={})
    monkeypatch.setattr(recording, "TRIES", 8)
    lock = sqlite3.connect(book.folder / "gradebook.db", isolation_level=None, check_same_thread=False)
    lock.execute("begin exclusive")
    released_lock = threading.Thread(target=lambda: (time.sleep(6), lock.execute("rollback"), lock.close()))
    released_lock.start()
    try:
        assert book.grade()["test_double"] == (4, None, False)
    finally:
        released_lock.join()


def line(student, digest="a", score=1.0, **more):
    return Record(student, score, 2.0, "graded", 0.5, "", 1, "seed", digest, **more)


def test_two_processes_reports_are_merged(tmp_path):
    ours, theirs = Report(tmp_path, "x"), Report(tmp_path, "x")
    ours.add(line("ada"))
    theirs.add(line("bob"))
    ours.add(line("ann, jr"))
    ours.write()
    theirs.write()
    rows = json.loads((tmp_path / "reports" / "x.json").read_text())["records"]
    assert [row["student"] for row in rows] == ["ada", "ann, jr", "bob"]
    assert '"ann, jr",1.0,2.0,graded,0.5,' in (tmp_path / "reports" / "x.csv").read_text()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1"])
def test_a_text_is_no_formula_and_a_number_stays_one(text):
    assert without_formulas({"student": text, "score": -1.0, "message": "a=b"}) == {"student": f"'{text}", "score": -1.0, "message": "a=b"}


def test_the_report_holds_no_formula(tmp_path):
    report = Report(tmp_path, "x")
    report.add(replace(line("+49"), message="=HYPERLINK(1)"))
    report.write()
    assert "\n'+49,1.0,2.0,graded,0.5,'=HYPERLINK(1)\n" in report.csv.read_text()


def test_the_exported_grades_hold_no_formula(book):
    course = open_course(book.folder)
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_student("+49", last_name="=1+1", email="@x")
    export_grades(course, book.folder / "grades.csv", [])
    with open(book.folder / "grades.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], row["last_name"], row["email"], row["score"]) == ("'+49", "'=1+1", "'@x", "0.0")


def test_attempts_count_hand_ins_not_runs():
    assert attempt(None, "a") == 1
    assert attempt(line("ada", "a"), "a") == 1
    assert attempt(line("ada", "a"), "b") == 2

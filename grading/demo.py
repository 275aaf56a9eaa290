"""A sample class, graded end to end in a folder of its own: `make class-demo`.

Every student's notebook is made from the assignment's own solution and mutants, so the demo follows the exercise.
"""

import contextlib
import copy
import csv
import datetime
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from grading import answers
from grading.autograde import autograde
from grading.course import REPOSITORY, open_course, released
from grading.export import export_grades
from grading.feedback import make_feedback
from grading.release import release
from grading.report import Report

ASSIGNMENT = "02_cell"
TASK, CHECK = "lstm_step", "test_lstm_step"  # where most of the sample students go wrong

NOISE = """\
import sys, warnings
warnings.warn("this notebook talks a lot")
print("to stderr, for example", file=sys.stderr)
"""
ENDLESS = """\
import time
while True:
    time.sleep(0.1)
"""
CHEAT = '''\
import pathlib

class Anything:
    """Equal to whatever it is compared with."""
    def __eq__(self, other): return True
    def __getattr__(self, name): return Anything()
    def __call__(self, *args, **kwargs): return Anything()

{names} = Anything()

found = []
for place in {places!r}:
    for path in [pathlib.Path(place), *pathlib.Path(place).glob("**/*")]:
        if path.exists():
            found.append(path.name)
print("files of the course found:", len(found))
'''


def demo(folder: Path | None = None, workers: int = 2) -> int:
    """Release, hand in, grade, feed back, export; prints what came of each student. Returns an exit status."""
    folder = Path(tempfile.mkdtemp(prefix="lstm-class-")) if folder is None else folder.resolve()
    if folder.is_relative_to(REPOSITORY):
        raise SystemExit(f"{folder} lies in the repository; a class belongs outside it (leave --course out for a new folder)")
    course = open_course(folder)
    print(f"A sample class in {folder}")
    release([ASSIGNMENT], folder)
    students = sample_students(course)
    for student, notebook in students.items():
        hand_in(course, student, notebook)
    (submission(course, "links_to_the_solution") / "notes.md").symlink_to(REPOSITORY / "solutions" / ASSIGNMENT)
    failed = autograde(course, ASSIGNMENT, workers=workers, force=True, say=lambda line: print(line, file=sys.stderr))
    grade_by_hand(course)
    pages = make_feedback(course, ASSIGNMENT)
    export_grades(course, folder / "grades.csv", [ASSIGNMENT])
    print_table(course, folder / "grades.csv")
    print(f"\nWhat equal_to_everything could read: {printed_by(course, 'equal_to_everything')}")
    print(f"\n{len(pages)} feedback pages: {folder}/feedback/<student>/{ASSIGNMENT}/{ASSIGNMENT}.html")
    print(f"grades: {folder / 'grades.csv'}\nreport: {folder / 'reports' / ASSIGNMENT}.csv and .json")
    return 1 if failed else 0


def sample_students(course: CourseDirectory) -> dict[str, NotebookNode]:
    """Name -> what that student hands in; the name says what is the matter."""
    release = released(course, ASSIGNMENT).notebook
    solution = answers.solution(ASSIGNMENT)
    mutants = {mutant.name: mutant.cells for mutant in answers.mutants(ASSIGNMENT)}
    places = [course.root, str(REPOSITORY / "solutions"), str(REPOSITORY / "exercises")]
    texts = {
        "perfect": {},
        "right_but_noisy": {TASK: NOISE + solution[TASK]},
        "one_gate_wrong": mutants["step_forget_and_input_exchanged"],
        "tanh_forgotten": mutants["step_tanh_of_c_missing"],
        "learnt_the_check_by_heart": {TASK: by_heart(release, solution)},
        "endless_loop": {TASK: ENDLESS},
        "deleted_a_check": {},
        "links_to_the_solution": {},
    }
    students = {name: answers.fill(release, solution | own) for name, own in texts.items()}
    tampered = students["deleted_a_check"]
    tampered.cells = [cell for cell in tampered.cells if cell.metadata.get("nbgrader", {}).get("grade_id") != CHECK]
    cheat = CHEAT.format(names=" = ".join(defined_in(solution)), places=places)
    students["equal_to_everything"] = answers.fill(release, {TASK: cheat} | dict.fromkeys(code_answers(release) - {TASK}, ""))
    return {"blank": copy.deepcopy(release)} | students


def code_answers(release: NotebookNode) -> set[str]:
    """The cells in which a student writes code."""
    marks = [cell.metadata.nbgrader for cell in release.cells if cell.cell_type == "code" and "nbgrader" in cell.metadata]
    return {mark.grade_id for mark in marks if mark.solution}


def defined_in(solution: dict[str, str]) -> list[str]:
    """The names that the exercise asks for."""
    return re.findall(r"^(?:def |class )?(\w+)(?=\(| = )", "\n".join(solution.values()), re.MULTILINE)


def by_heart(release: NotebookNode, solution: dict[str, str]) -> str:
    """An answer that returns the visible check's numbers and knows nothing else: the check is run once to get them."""
    seen, namespace = [], {}
    sources = {mark["grade_id"]: cell.source for cell in release.cells if (mark := cell.metadata.get("nbgrader"))}
    for grade_id in ("setup", "checks"):
        exec(sources[grade_id], namespace)
    exec(solution[TASK], namespace)
    right = namespace[TASK]

    def remember(x, state, weights):
        h, c = right(x, state, weights)
        seen.append((x.tolist(), state is None, h.tolist(), c.tolist()))
        return h, c

    namespace[TASK] = remember
    with contextlib.redirect_stdout(io.StringIO()):
        exec(sources[CHECK], namespace)
    return (
        f"def {TASK}(x, state, weights):\n    for known, fresh, h, c in {seen!r}:\n"
        "        if x.tolist() == known and fresh == (state is None):\n"
        "            return torch.tensor(h), torch.tensor(c)\n    return state"
    )


def submission(course: CourseDirectory, student: str) -> Path:
    return Path(course.format_path(course.submitted_directory, student, ASSIGNMENT))


def hand_in(course: CourseDirectory, student: str, notebook: NotebookNode) -> None:
    """What `nbgrader collect` leaves in submitted/: the folder and the time."""
    folder = submission(course, student)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    now = datetime.datetime.now(datetime.UTC)
    (folder / "timestamp.txt").write_text(f"{now:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")


def grade_by_hand(course: CourseDirectory) -> None:
    """The part of an instructor in formgrader: here every written answer is the model answer, so it gets its points."""
    with Gradebook(course.db_url, course.course_id) as book:
        for submitted in book.assignment_submissions(ASSIGNMENT):
            for grade in (grade for notebook in submitted.notebooks for grade in notebook.grades):
                if grade.auto_score is None and grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = grade.max_score, False
        book.db.commit()


def printed_by(course: CourseDirectory, student: str) -> str:
    """The last line that the student's own cell printed in the sandbox."""
    folder = Path(course.format_path(course.autograded_directory, student, ASSIGNMENT))
    notebook = nbformat.read(folder / f"{ASSIGNMENT}.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == TASK)
    return "".join(output.get("text", "") for output in cell.outputs).strip()


def print_table(course: CourseDirectory, grades: Path) -> None:
    """Scores as exported, status and message as reported."""
    records = Report(Path(course.root), ASSIGNMENT).records
    print(f"\n{'student':28}{'score':>12}  {'status':14}message")
    with open(grades, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            score = f"{float(row['score']):g} of {float(row['max_score']):g}" if row["score"] else "none"
            print(f"{row['student_id']:28}{score:>12}  {row['status']:14}{records[row['student_id']].message}")

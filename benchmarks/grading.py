"""How long a class takes to grade: every exercise, thirty students: `python -m benchmarks.grading --course DIR`.

Students hand in the solution, the blank release and the mutants in turn. Each exercise is graded by the one command
that an instructor types, and the seconds are those of the whole command, its start included.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from grading import answers
from grading.course import open_course, released
from grading.export import export_grades
from grading.release import SOURCES, release
from grading.report import Report

ASSIGNMENTS = sorted(folder.name for folder in SOURCES.glob("[0-9][0-9]_*"))


def hand_in(course, assignment, students):
    """Fill submitted/ as `nbgrader collect` would; returns who handed in the solution."""
    blank, solution = released(course, assignment).notebook, answers.solution(assignment)
    texts = [solution, {}, *(solution | mutant.cells for mutant in answers.mutants(assignment))]
    for number in range(students):
        folder = Path(course.format_path(course.submitted_directory, f"student{number:03d}", assignment))
        folder.mkdir(parents=True)
        nbformat.write(answers.fill(blank, texts[number % len(texts)]), folder / f"{assignment}.ipynb")
    return [f"student{number:03d}" for number in range(0, students, len(texts))]


def grade(course, assignment, students, workers):
    """Grade one exercise; returns the seconds of the command. Raises ArithmeticError where a solution loses points."""
    solved = hand_in(course, assignment, students)
    command = [sys.executable, "-m", "grading", "autograde", assignment, "--course", course.root, "--workers", str(workers)]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    records = Report(Path(course.root), assignment).records
    most = sum(released(course, assignment).points.values())
    for student in solved:
        if records[student].score != most:
            raise ArithmeticError(f"{assignment}: the solution has {records[student].score} of {most}: {records[student].message}")
    return seconds


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--course", type=Path, required=True, metavar="DIR", help="a new folder outside the repository")
    parser.add_argument("--students", type=int, default=30, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    options = parser.parse_args(arguments)
    release(course=options.course)
    course, total = open_course(options.course), 0.0
    for assignment in ASSIGNMENTS:
        seconds = grade(course, assignment, options.students, options.workers)
        total += seconds
        print(f"{assignment:16}{seconds:7.1f} s for {options.students}, {seconds / options.students:5.2f} s each", flush=True)
    export_grades(course, options.course / "grades.csv", ASSIGNMENTS)
    print(f"{'in all':16}{total / 60:7.1f} min with {options.workers} workers; grades: {options.course / 'grades.csv'}")


if __name__ == "__main__":
    main()

"""The grades of a class as a CSV file: nbgrader's columns, and what the report says of each submission."""

import csv
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student
from nbgrader.apps import ExportApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin

from grading.course import CourseError, gradebook_exists
from grading.report import Report, without_formulas

COLUMNS = (
    "assignment duedate timestamp student_id last_name first_name email"
    " raw_score late_submission_penalty score max_score status needs_manual_grade"
).split()


class GradesCsv(ExportPlugin):
    """`nbgrader export`: names are quoted, and what was never scored has no score instead of a zero."""

    def export(self, gradebook: Gradebook) -> None:
        """Write every student's row for every assignment that --assignment and --student leave."""
        path = Path(self.to or "grades.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for assignment in gradebook.assignments:
                if not self.assignment or assignment.name in map(str, self.assignment):
                    writer.writerows(map(without_formulas, self._rows(gradebook, assignment)))

    def _rows(self, gradebook: Gradebook, assignment: Assignment):
        report = Report(Path(self.parent.coursedir.root), assignment.name)
        for student in gradebook.students:
            if self.student and student.id not in map(str, self.student):
                continue
            record = report.records.get(student.id)
            yield {
                "assignment": assignment.name,
                "duedate": assignment.duedate,
                "student_id": student.id,
                "last_name": student.last_name,
                "first_name": student.first_name,
                "email": student.email,
                "max_score": assignment.max_score,
                **_scores(gradebook, assignment, student, record.status if record else "graded"),
            }


def _scores(gradebook: Gradebook, assignment: Assignment, student: Student, status: str) -> dict:
    """A missing submission counts zero, as in nbgrader; one that our own fault left ungraded does not count."""
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return {"raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0, "status": "missing"}
    if status == "infrastructure-error":
        return {"timestamp": submission.timestamp, "status": status}
    penalty = submission.late_submission_penalty
    return {
        "timestamp": submission.timestamp,
        "raw_score": submission.score,
        "late_submission_penalty": penalty,
        "score": max(0.0, submission.score - penalty),
        "status": status,
        "needs_manual_grade": "yes" if submission.needs_manual_grade else "",
    }


def export_grades(course: CourseDirectory, to: Path, assignments: list[str]) -> None:
    """What `nbgrader export` does in the class folder, with the exporter that its configuration names."""
    if not gradebook_exists(course):
        raise CourseError(f"{course.root} has no gradebook yet: nothing to export")
    app = ExportApp(config=course.config, coursedir=course, log_level="WARN")
    app.init_plugin()
    app.plugin_inst.to, app.plugin_inst.assignment = str(to), assignments
    with Gradebook(course.db_url, course.course_id) as gradebook:
        app.plugin_inst.export(gradebook)

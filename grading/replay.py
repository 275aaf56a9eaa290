"""Run one student's exam again with the inputs it had, and show the instructor what each part said."""

from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.batch import Task, grade_all
from grading.course import CourseError, released, secret
from grading.intake import Rejected, take
from grading.outcome import Outcome, PartResult
from grading.report import Record, Report


def replay(course: CourseDirectory, assignment: str, student: str, part: str | None = None, sandboxed: bool = True) -> str:
    """The recorded attempt examined again; nothing is written. For the instructor's eyes: hidden tests speak here."""
    recorded = Report(Path(course.root), assignment).records.get(student)
    if recorded is None:
        raise CourseError(f"{student} has no record in {course.root}/reports/{assignment}.json: autograde first")
    try:
        submission = take(Path(course.format_path(course.submitted_directory, student, assignment)))
    except Rejected as reason:
        return f"{student}: rejected: {reason}"
    release = released(course, assignment)
    task = Task(student, recorded.attempt, submission, release, secret(course), sandboxed)
    ((_, outcome),) = grade_all([task], workers=1)
    return "\n".join(_lines(recorded, outcome, part, changed=submission.digest != recorded.digest))


def _lines(recorded: Record, outcome: Outcome, part: str | None, changed: bool):
    yield f"{recorded.student}, attempt {recorded.attempt}, seed {outcome.seed}: {outcome.status}. {outcome.message}".rstrip()
    if changed:
        yield "The submission is not the one that was graded: it has changed since."
    if outcome.seed != recorded.seed:
        yield f"The recorded seed is {recorded.seed}: the course's secret has changed, so these are other inputs."
    parts = [result for result in outcome.parts if part in (None, result.name, result.grade_id)]
    if part and not parts:
        known = ", ".join(result.name for result in outcome.parts)
        raise CourseError(f"no part {part!r}; there are: {known}")
    for result in parts:
        yield from _part(result)


def _part(result: PartResult):
    verdict = "passed" if result.passed else "FAILED"
    yield f"{verdict}  {result.grade_id} / {result.name}  (weight {result.weight:g}, {result.seconds:.2f} s)"
    for label, text in (("student reads", result.reason or result.hint), ("examiner says", result.message)):
        if text and not result.passed:
            yield f"    {label}: " + "\n        ".join(text.splitlines())

"""Autograding a class: the same intake, sandbox and examiner behind our command, nbgrader's command and its button."""

import fnmatch
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets import Bool, Integer

from grading.bubblewrap import SandboxUnavailable, require
from grading.batch import Task, grade_all
from grading.course import CourseError, Released, released, secret
from grading.feedback import Feedback
from grading.intake import Rejected, Submission, handed_in_at, take, unfit_name
from grading.outcome import Outcome
from grading.record import Total, record
from grading.report import Record, Report


class SandboxedAutograde(Autograde):
    """nbgrader's converter without its copying, its kernel and its way of counting."""

    workers = Integer(1, min=1, help="How many submissions to grade at the same time.").tag(config=True)
    sandboxed = Bool(True, help="Whether students' code runs in a sandbox. Never switch this off for a class.").tag(config=True)

    def start(self) -> None:
        """Grade what nbgrader's options select; every submission's line goes to the log."""
        try:
            failed = Class(self, self.log.info).grade()
        except CourseError as reason:
            self.log.error("%s", reason)
            raise NbGraderException(str(reason)) from reason
        if failed:
            raise NbGraderException("not graded, try again: " + ", ".join(f"{r.student} ({r.message})" for r in failed))


def take_nbgraders_place() -> None:
    """Put our converters where nbgrader's commands and formgrader look for theirs, and alembic where nbgrader calls it."""
    nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = SandboxedAutograde
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = nbgrader.apps.api.GenerateFeedback = Feedback
    nbgrader.apps.api.NbGraderAPI.get_submitted_timestamp = submitted_at
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, (programs, os.environ.get("PATH"))))


def submitted_at(api: nbgrader.apps.api.NbGraderAPI, assignment: str, student: str) -> datetime | None:
    """In the place of nbgrader's method, for which one timestamp.txt that is no date stops formgrader's pages."""
    return handed_in_at(Path(api.coursedir.format_path(api.coursedir.submitted_directory, student, assignment)))


class Class:
    """One run over the submissions of one assignment; `say` gets a line for each."""

    def __init__(self, converter: SandboxedAutograde, say: Callable[[str], None], students: list[str] | None = None):
        self.converter = converter
        self.course = converter.coursedir
        self.say = say
        self.assignment = self.course.assignment_id
        self.release: Released = released(self.course, self.assignment)
        self.secret = secret(self.course)
        self.report = Report(Path(self.course.root), self.assignment)
        self.students = self._students(students)
        self.started, self.done = time.monotonic(), 0
        self.failed: list[Record] = []

    def grade(self) -> list[Record]:
        """Grade and record; returns the records of what could not be graded for a reason that is not the student's."""
        if self.converter.sandboxed:
            _require_sandbox()
        else:
            self.say("WITHOUT A SANDBOX: students' code can read and change whatever you can")
        try:
            for task, outcome in grade_all(self._tasks(), self.converter.workers):
                self._record(task.student, task.attempt, task.submission, outcome)
        finally:
            self.report.write()
        return self.failed

    def _students(self, named: list[str] | None) -> list[str]:
        """Who handed in, among those named or matched by nbgrader's options; links count, the intake rejects them."""
        root = Path(self.course.root) / self.course.submitted_directory
        everyone = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
        handed_in = [name for name in everyone if os.path.lexists(root / name / self.assignment)]
        if absent := sorted(set(named or ()) - set(handed_in)):
            raise CourseError(f"{', '.join(absent)} handed in no {self.assignment}: {root} has no such folder")
        pattern, unwanted = self.course.student_id, self.course.student_id_exclude.split(",")
        chosen = named or [name for name in handed_in if name == pattern or fnmatch.fnmatchcase(name, pattern)]
        chosen = [name for name in dict.fromkeys(chosen) if name not in unwanted]
        if not chosen:
            raise CourseError(f"no submission to grade: {root}{os.sep}{pattern}{os.sep}{self.assignment} is not there")
        return chosen

    def _tasks(self) -> Iterator[Task]:
        """What is to be graded, read when a worker is free for it."""
        for student in self.students:
            if reason := unfit_name(student):
                self._refuse_name(ascii(student)[1:-1], reason)
                continue
            before = self.report.records.get(student)
            try:
                submission = take(self.course_path(self.course.submitted_directory, student))
            except Rejected as reason:
                digest = hashlib.sha256(str(reason).encode()).hexdigest()
                self._record(student, attempt(before, digest), None, Outcome("rejected", str(reason)), digest)
                continue
            if self._stands(before, submission, student):
                self._tell(student, "graded before; --force grades it again")
                continue
            yield Task(student, attempt(before, submission.digest), submission, self.release, self.secret, self.converter.sandboxed)

    def _stands(self, before: Record | None, submission: Submission, student: str) -> bool:
        """Whether this very submission has its grade already, on record and in nbgrader's folder."""
        graded = before and before.digest == submission.digest and before.status != "infrastructure-error"
        return bool(graded) and not self.converter.force and self.course_path(self.course.autograded_directory, student).is_dir()

    def course_path(self, step: str, student: str) -> Path:
        return Path(self.course.format_path(step, student, self.assignment))

    def _record(self, student: str, attempt: int, submission: Submission | None, outcome: Outcome, digest: str = "") -> None:
        """Gradebook first, report last: what is killed in between is graded again."""
        try:
            total = record(self.course, self.release, student, submission, outcome, self.converter)
        except Exception as error:  # whatever the database or the disk says, the classmates are still graded
            outcome = Outcome("infrastructure-error", f"could not be recorded: {type(error).__name__}: {error}")
            total = Total(None, self._most())
        line = Record(
            student=student,
            score=total.score,
            max_score=total.max_score,
            status=outcome.status,
            seconds=round(outcome.seconds, 2),
            message=" ".join(summary(outcome).split()),
            attempt=attempt,
            seed=outcome.seed,
            digest=submission.digest if submission else digest,
            sandboxed=self.converter.sandboxed,
            scores=dict(outcome.scores),
            to_read=list(total.to_read),
        )
        self.report.add(line)
        if outcome.status == "infrastructure-error":
            self.failed.append(line)
        self._tell(student, describe(line))

    def _refuse_name(self, shown: str, reason: str) -> None:
        """Only the report has a line for a name that cannot be a student's: the gradebook and nbgrader's pages do without."""
        digest = hashlib.sha256(reason.encode()).hexdigest()
        line = Record(shown, None, self._most(), "rejected", 0.0, reason, 1, 0, digest, self.converter.sandboxed)
        self.report.add(line)
        self._tell(shown, describe(line))

    def _most(self) -> float:
        return sum(self.release.points.values()) + sum(self.release.by_hand.values())

    def _tell(self, student: str, what: str) -> None:
        self.done += 1
        left = (time.monotonic() - self.started) / self.done * (len(self.students) - self.done)
        remaining = f"  (about {left:.0f} s left)" if self.done < len(self.students) else ""
        self.say(f"[{self.done}/{len(self.students)}] {student}: {what}{remaining}")


def attempt(before: Record | None, digest: str) -> int:
    """Attempts count what was handed in, not how often it was graded."""
    if before is None:
        return 1
    return before.attempt + (before.digest != digest)


def summary(outcome: Outcome) -> str:
    """What there is to say of the run; of a whole one, which cells lost points and how many of their hidden tests failed."""
    if outcome.status != "graded":
        return outcome.message
    failed = Counter(part.grade_id for part in outcome.parts if not part.passed)
    every = Counter(part.grade_id for part in outcome.parts)
    cells = ", ".join(f"{grade_id} ({count} of {every[grade_id]})" for grade_id, count in failed.items())
    return "; ".join(filter(None, (f"hidden tests failed: {cells}" if cells else "", outcome.message)))


def describe(record: Record) -> str:
    """One line: status, score, and why."""
    score = "no score" if record.score is None else f"{record.score:g} of {record.max_score:g}"
    return ": ".join(filter(None, (f"{record.status}, {score}", record.line())))


def _require_sandbox() -> None:
    """Refuse before anything is graded, with the line that installs what is missing."""
    try:
        require()
    except SandboxUnavailable as reason:
        raise CourseError(f"nothing was graded: {reason}") from reason


def autograde(
    course: CourseDirectory,
    assignment: str,
    students: list[str] | None = None,
    workers: int = 1,
    force: bool = False,
    sandboxed: bool = True,
    say: Callable[[str], None] = print,
) -> list[Record]:
    """Grade the class outside of nbgrader's own commands; returns what could not be graded."""
    course.assignment_id = assignment
    converter = SandboxedAutograde(coursedir=course, config=course.config)
    converter.workers, converter.force, converter.sandboxed = workers, force, sandboxed
    return Class(converter, say, students).grade()

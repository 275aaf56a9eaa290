"""The pages that students get back: nbgrader's generate_feedback over what was graded."""

import fnmatch
from pathlib import Path

from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.coursedir import CourseDirectory

from grading.course import CourseError


class Feedback(GenerateFeedback):
    """nbgrader's converter, for students of any name: its own reads a bracket in a folder's name as a pattern."""

    def init_notebooks(self) -> None:
        """The graded notebooks of the students that nbgrader's options select."""
        course = self.coursedir
        self.assignments = {}
        for student in sorted(Path(course.root, course.autograded_directory).glob("*")):
            notebooks = sorted(map(str, (student / course.assignment_id).glob("*.ipynb")))
            if notebooks and (student.name == course.student_id or fnmatch.fnmatchcase(student.name, course.student_id)):
                self.assignments[str(student / course.assignment_id)] = notebooks
        if not self.assignments:
            raise NbGraderException(f"nothing graded matches {course.student_id} / {course.assignment_id}")


def make_feedback(course: CourseDirectory, assignment: str, student: str = "*") -> list[Path]:
    """Write feedback/<student>/<assignment>/<assignment>.html for everyone graded; returns the pages."""
    course.assignment_id, course.student_id = assignment, student
    converter = Feedback(coursedir=course, config=course.config)
    converter.force = True
    try:
        converter.start()
    except NbGraderException as error:
        raise CourseError(f"feedback is not complete: {error}; has {assignment} been autograded?") from error
    graded = [Path(folder).parent.name for folder in converter.assignments]
    return [Path(course.format_path(course.feedback_directory, name, assignment), f"{assignment}.html") for name in graded]

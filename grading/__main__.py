"""`python -m grading COMMAND`: what an instructor types. Each command says with --help what it takes."""

import argparse
import sys
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.course import REPOSITORY, CourseError, open_course


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except CourseError as reason:
        print(f"{options.command}: {reason}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grading", description="Release, grade and return a class's work.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(run, *, course: bool = True, assignment: bool = False) -> argparse.ArgumentParser:
        name = run.__name__.removeprefix("_")
        sub = commands.add_parser(name, help=run.__doc__.splitlines()[0], description=run.__doc__)
        sub.set_defaults(run=run)
        if assignment:
            sub.add_argument("assignment", metavar="ASSIGNMENT")
        if course:
            where = "the class folder, with submitted/ and the gradebook (default: the repository)"
            sub.add_argument("--course", type=Path, default=None, metavar="DIR", help=where)
        return sub

    sub = command(_release)
    sub.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="default: all of them")
    sub = command(_handout, course=False)
    sub = command(_autograde, assignment=True)
    sub.add_argument("--workers", type=_positive, default=1, metavar="N", help="submissions at the same time (default: 1)")
    sub.add_argument("--cluster", metavar="ADDRESS", help="not built yet")
    sub.add_argument("--student", nargs="+", action="extend", metavar="NAME", help="only these (default: all who handed in)")
    sub.add_argument("--force", action="store_true", help="grade again what was graded before")
    sub.add_argument("--no-sandbox", action="store_true", help="run students' code with your own rights: never for a class")
    sub = command(_feedback, assignment=True)
    sub.add_argument("--student", default="*", metavar="NAME")
    sub = command(_export)
    sub.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="default: all of them")
    sub.add_argument("--to", type=Path, metavar="FILE", help="default: grades.csv in the class folder")
    command(_doctor)
    sub = command(_replay, assignment=True)
    sub.add_argument("--student", required=True, metavar="NAME")
    sub.add_argument("--part", metavar="NAME", help="one hidden test, or the parts of one cell")
    sub = command(_demo)
    sub.add_argument("--workers", type=_positive, default=2, metavar="N")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 is needed")
    return number


def _course(options: argparse.Namespace) -> CourseDirectory:
    """The class folder named; only `release` makes one that is not there, since a slip of the finger must not."""
    folder = options.course or REPOSITORY
    if not folder.is_dir() and options.command != "release":
        raise CourseError(f"{folder} is no folder; `python -m grading release --course {folder}` makes a class folder")
    return open_course(folder)


def _release(options) -> None:
    """Generate the students' notebooks from the sources and register them in the gradebook."""
    from grading.release import release

    course = _course(options)
    for notebook in release(options.assignments, Path(course.root)):
        print(notebook)


def _handout(options) -> None:
    """Make the tree and the zip files that may be given to students."""
    from grading import handout

    handout.main()


def _autograde(options) -> int:
    """Grade what was handed in: nothing a student wrote runs outside the sandbox."""
    from grading.autograde import autograde

    if options.cluster:
        raise CourseError("--cluster is not built yet; grade on this machine with --workers N")
    failed = autograde(
        _course(options), options.assignment, students=options.student, workers=options.workers, force=options.force,
        sandboxed=not options.no_sandbox, say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    return 1 if failed else 0


def _feedback(options) -> None:
    """Make the pages that students get back."""
    from grading.feedback import make_feedback

    for page in make_feedback(_course(options), options.assignment, options.student):
        print(page)


def _export(options) -> None:
    """Write the grades as a CSV file."""
    from grading.export import export_grades

    course = _course(options)
    to = options.to or Path(course.root) / "grades.csv"
    export_grades(course, to, options.assignments)
    print(to)


def _doctor(options) -> int:
    """Check all that grading needs, one line for each thing."""
    from grading.doctor import examine_setup

    findings = list(examine_setup(_course(options)))
    print(*findings, sep="\n")
    return 0 if all(finding.good for finding in findings) else 1


def _replay(options) -> None:
    """Examine one student's work again with the inputs it had, and show what each part said. For instructors only."""
    from grading.replay import replay

    print(replay(_course(options), options.assignment, options.student, options.part))


def _demo(options) -> int:
    """Grade a sample class end to end in a folder outside the repository."""
    from grading.demo import demo

    return demo(options.course, options.workers)


if __name__ == "__main__":
    sys.exit(main())

"""Questions of the bank in a notebook: a marker in the source, three cells in the release, one hidden test.

In a prose cell of solutions/NN_topic/NN_topic.md, alone on its line:

    <!-- quiz: lstm-output-shape, points: 1 -->

The n-th marker gives the question, a cell for the student's `answer_n`, and a graded cell `test_answer_n`. Its numbers
are drawn for the assignment, so they differ from those on a page. No source holds the letter: running the question's
code gives it. In the assignment's exam.py, `examine_answers(__file__)` adds the hidden tests.
"""

import re
from functools import cache
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell

from grading.bank import Bank

MARKER = re.compile(r"^<!-- quiz: ([a-z0-9-]+), points: (\d+) -->$", re.MULTILINE)

ANSWER = 'answer_{n} = None  # the letter as a string, such as "A"'

# `fail` is among the shared checks, which every exercise runs at its top.
CHECK = """\
# Check of answer_{n}
if answer_{n} not in tuple("{letters}"):
    fail("answer_{n} is no option", "one letter as a string, {first} to {last}", repr(answer_{n}),
         "it is not filled in yet" if answer_{n} is None else 'a capital letter in quotes is meant, such as "A"')
print("answer_{n} is one of the options; whether it is right the grading says.")"""

# The student's answers that are a single letter, by number.
LETTERS = """\
{{n: given for n in range(1, {most} + 1) for given in [globals().get(f"answer_{{n}}")]
 if type(given) is str and len(given) == 1 and given.isascii()}}"""


@cache
def bank() -> Bank:
    return Bank.load()


def draw(assignment: str, question: str):
    """The question as this assignment asks it."""
    return bank()[question].draw(f"{assignment}/{question}")


def nbgrader(grade_id: str, kind: str, **flags) -> dict:
    """nbgrader's cell metadata, version 3."""
    return {"cell_type": kind, "grade": False, "grade_id": grade_id, "locked": True, "schema_version": 3,
            "solution": False, "task": False} | flags


def cells_for(n: int, assignment: str, question: str, points: int) -> list:
    """Question n, the cell for its answer, and the graded cell."""
    drawn = draw(assignment, question)
    letters = "".join(option.letter for option in drawn.options)
    check = CHECK.format(n=n, letters=letters, first=letters[0], last=letters[-1])
    return [
        new_markdown_cell(f"**Question {n}.** {drawn.as_markdown().rstrip()}",
                          metadata={"nbgrader": nbgrader(f"question_{n}", "markdown")}),
        new_code_cell(ANSWER.format(n=n),
                      metadata={"nbgrader": nbgrader(f"answer_{n}", "code", solution=True, locked=False)}),
        new_code_cell(check, metadata={"nbgrader": nbgrader(f"test_answer_{n}", "code", grade=True, points=points)}),
    ]


def expand(cells: list, assignment: str) -> list:
    """The cells with every marker replaced by its question's three cells."""
    expanded, n = [], 0
    for cell in cells:
        if cell.cell_type != "markdown" or not MARKER.search(cell.source):
            expanded.append(cell)
            continue
        prose, *rest = MARKER.split(cell.source)
        for question, points, after in [(None, None, prose), *zip(rest[::3], rest[1::3], rest[2::3])]:
            if question:
                n += 1
                expanded += cells_for(n, assignment, question, int(points))
            if after.strip():
                expanded.append(new_markdown_cell(after.strip()))
    return expanded


def examine_answers(exam_file: str) -> None:
    """Register a hidden test for every marker of the assignment whose exam.py this is."""
    from grading.exam import exam  # loads torch; the release does without

    assignment = Path(exam_file).resolve().parent.name
    source = Path(exam_file).with_name(f"{assignment}.md").read_text(encoding="utf-8")
    questions = [draw(assignment, question) for question, _ in MARKER.findall(source)]
    given = {}  # number -> letter: the submission's, since an exam is loaded for each
    for n, drawn in enumerate(questions, 1):
        exam(f"test_answer_{n}", hint=drawn.hint)(right_letter(n, drawn, given, LETTERS.format(most=len(questions))))


def right_letter(n: int, drawn, given: dict, letters: str):
    """The hidden test of question n: the first to run asks for all letters, what is no letter is asked for by itself."""

    def examine(student, rng):
        if not given:
            given.update(student.value(letters))
        letter = given[n] if n in given else student.value(f"answer_{n}")
        assert letter == drawn.answer, f"answer_{n} is {letter!r}, the right option is {drawn.answer}"

    examine.__name__ = f"answer_{n}"
    return examine

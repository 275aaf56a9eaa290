"""Each graded cell through the real grader: the solution full, the blank zero, each mutant loses exactly its own points."""

import nbformat
import pytest

from grading import answers, quiz_cells, release
from grading.examiner import grade
from grading.outcome import Job


def letters(assignment):
    """The mutants of a question are its other letters: each of these answers all questions of an assignment wrong."""
    source = (release.SOURCES / assignment / f"{assignment}.md").read_text(encoding="utf-8")
    drawn = [quiz_cells.draw(assignment, question) for question, _ in quiz_cells.MARKER.findall(source)]
    loses = frozenset(f"test_answer_{n}" for n in range(1, len(drawn) + 1))
    for shift in (1, 2, 3) if drawn else ():
        cells = {f"answer_{n}": f"answer_{n} = {another_letter(question, shift)!r}" for n, question in enumerate(drawn, 1)}
        yield answers.Mutant(f"letters-{shift}", loses, True, cells)


def another_letter(drawn, shift):
    every = [option.letter for option in drawn.options]
    return every[(every.index(drawn.answer) + shift) % len(every)]


def bundles(mutants):
    """Mutants of different tasks side by side in one notebook, so that each run of the grader judges several."""
    found = []
    for mutant in mutants:
        for bundle in found:
            if not any(mutant.loses & other.loses or set(mutant.cells) & set(other.cells) for other in bundle):
                bundle.append(mutant)
                break
        else:
            found.append([mutant])
    return found


BUNDLES = [(folder.name, bundle) for folder in sorted(release.SOURCES.glob("[0-9][0-9]_*"))
           for bundle in bundles([*answers.mutants(folder.name), *letters(folder.name)])]  # fmt: skip
NAMES = [f"{assignment}-{'+'.join(mutant.name for mutant in bundle)}" for assignment, bundle in BUNDLES]


@pytest.fixture
def graded(bubblewrap, course, tmp_path):
    """Grade a notebook of an exercise; returns the outcome and the graded cells that lost points."""

    def examine(exercise, notebook, student):
        path = tmp_path / f"{exercise.name}.ipynb"
        nbformat.write(notebook, path)
        helpers = tuple(sorted(file for file in exercise.path.parent.iterdir() if file != exercise.path))
        job = Job(student, exercise.name, 1, path, exercise.source / "exam.py", exercise.points, b"tests", helpers)
        outcome = grade(job)
        assert outcome.status == "graded", outcome.message
        return outcome, {name for name, most in exercise.points.items() if outcome.scores[name] < most}

    return examine


def test_the_solution_has_full_points(exercise, graded):
    outcome, lost = graded(exercise, exercise.solved, "solution")
    assert not lost, [part for part in outcome.parts if not part.passed]


def test_the_blank_release_has_none(exercise, graded):
    outcome, _ = graded(exercise, exercise.blank, "blank")
    assert set(outcome.scores.values()) == {0.0}, [part for part in outcome.parts if part.passed]


@pytest.mark.parametrize("assignment, bundle", BUNDLES, ids=NAMES)
def test_a_mutant_loses_exactly_its_own(exercise, bundle, graded):
    notebook = exercise.filled({grade_id: text for mutant in bundle for grade_id, text in mutant.cells.items()})
    outcome, lost = graded(exercise, notebook, bundle[0].name)
    assert lost == set().union(*(mutant.loses for mutant in bundle)), [part for part in outcome.parts if not part.passed]
    seen = {cell.id for cell in outcome.notebook.cells if any(output.output_type == "error" for output in cell.get("outputs", ()))}
    for mutant in bundle:
        own = seen & (mutant.loses | set(mutant.cells))
        assert not own if mutant.passes_visible else own, f"what the visible checks see is not what the head of {mutant.name} says"


@pytest.mark.parametrize("assignment", ["01_shapes"])
def test_an_answer_that_is_no_letter_costs_itself(exercise, graded):
    odd = {1: "['A']", 2: "'AB'", 3: r"'\ud800'", 4: "'x' * 20_000_000", 5: "None", 6: "object()"}
    notebook = exercise.filled({f"answer_{n}": f"answer_{n} = {text}" for n, text in odd.items()} | {"answer_7": "print('no answer')"})
    outcome, lost = graded(exercise, notebook, "odd")
    assert lost == {f"test_answer_{n}" for n in (*odd, 7)}
    told = {part.name: part.reason for part in outcome.parts}
    assert told["answer_1"] == "" and "type or size" in told["answer_6"] and "not defined" in told["answer_7"]


def test_each_task_has_its_mutants(exercise):
    """Three for every graded cell that is no question, and at least one that only the hidden tests catch."""
    own = answers.mutants(exercise.name)
    for grade_id in exercise.points:
        if grade_id.startswith("test_answer_"):
            continue
        losing = [mutant for mutant in own if grade_id in mutant.loses]
        assert len(losing) >= 3, grade_id
        assert any(mutant.passes_visible for mutant in losing), grade_id


def test_a_mutant_without_a_head_is_refused(tmp_path):
    path = tmp_path / "nameless.py"
    path.write_text("# %% lstm_step\nx = 1\n")
    with pytest.raises(ValueError, match="loses"):
        answers.read_mutant(path)


def test_an_answer_for_no_cell_is_refused(exercise):
    with pytest.raises(ValueError, match="no_such_cell"):
        answers.fill(exercise.blank, {"no_such_cell": "x = 1"})

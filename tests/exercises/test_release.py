"""What students get: made from the sources alone, the same bytes each time, with nothing hidden inside."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from grading import quiz_cells, release
from grading.bank import QUIZZES, Bank

REGION = re.compile(r"(### BEGIN SOLUTION\n)(.*?)([ \t]*### END SOLUTION)", re.DOTALL)


def test_the_committed_exercise_is_what_its_source_gives(exercise):
    committed = release.ROOT / "exercises" / exercise.name / exercise.path.name
    assert committed.read_bytes() == exercise.path.read_bytes(), f"{exercise.name}: run `make exercises`; never edit a release"


def test_every_exercise_has_a_source():
    committed = {folder.name for folder in (release.ROOT / "exercises").iterdir() if folder.is_dir()}
    assert committed == {folder.name for folder in release.SOURCES.glob("[0-9][0-9]_*")}


def test_another_solution_exam_and_mutant_give_the_same_bytes(course, tmp_path):
    sources = tmp_path / "solutions"
    shutil.copytree(release.SOURCES, sources, ignore=shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints"))
    for source in sources.glob("*/*.md"):
        changed, regions = REGION.subn(r"\g<1>    another_answer = 'zebra'\n\3", source.read_text())
        assert regions, f"{source.name} has no solution region"
        source.write_text(changed)
        (source.parent / "exam.py").write_text("raise SystemExit('another exam')\n")
        shutil.rmtree(source.parent / "mutants", ignore_errors=True)
    made = release.release(course=tmp_path / "course", sources=sources)
    assert made
    for notebook in made:
        assert notebook.read_bytes() == (course / notebook.relative_to(tmp_path / "course")).read_bytes()


def test_another_key_gives_the_same_questions(assignment, tmp_path, monkeypatch):
    notebook = jupytext.read(release.SOURCES / assignment / f"{assignment}.md")
    before = quiz_cells.expand(notebook.cells, assignment)
    if len(before) == len(notebook.cells):
        pytest.skip(f"{assignment} asks no question of the bank")
    shutil.copy(QUIZZES / "schema.json", tmp_path)
    for topic in QUIZZES.glob("*.yml"):
        content = yaml.safe_load(topic.read_text(encoding="utf-8"))
        for question in content["questions"]:
            for name in {"answer", "goal", "evidence"} & set(question):
                question[name] = "'another key'"
            for option in question["options"]:
                option.update({name: "'another key'" for name in {"claim"} & set(option)})
        (tmp_path / topic.name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    other = Bank.load(tmp_path)
    monkeypatch.setattr(quiz_cells, "bank", lambda: other)
    after = quiz_cells.expand(notebook.cells, assignment)
    assert [(c.source, c.metadata) for c in after] == [(c.source, c.metadata) for c in before]


def test_questions_are_not_those_of_the_pages(assignment):
    source = (release.SOURCES / assignment / f"{assignment}.md").read_text(encoding="utf-8")
    for question, _ in quiz_cells.MARKER.findall(source):
        drawn, asked = quiz_cells.draw(assignment, question), quiz_cells.bank()[question]
        if len(asked.sets) > 1:
            assert drawn.params not in [page.params for page in asked.on_page("any", len(asked.sets))], question


def test_a_check_keeps_its_names_to_itself(exercise):
    """A check shares the notebook with the student: a name that it bound would replace a helper of hers."""
    for cell in exercise.blank.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and marks.get("grade") and not marks.get("grade_id", "").startswith("test_answer_"):
            check, call, *guard = ast.parse(cell.source).body
            assert isinstance(check, ast.FunctionDef) and check.name == marks["grade_id"].replace("test_", "check_of_", 1)
            assert ast.unparse(call) == f"{check.name}()" and [type(node) for node in guard] == [ast.Import, ast.Assert]


def test_the_notebook_is_valid_and_neutral(exercise):
    content = json.loads(exercise.path.read_text(encoding="utf-8"))
    nbformat.validate(content)
    assert content["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in content["cells"]:
        mark = cell["metadata"].get("nbgrader")
        assert cell["id"] == mark["grade_id"] if mark else re.fullmatch(r"cell-\d\d+", cell["id"])
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_every_graded_code_cell_carries_the_guard(exercise):
    graded = [cell for cell in exercise.blank.cells if cell.id in exercise.points]
    assert graded and all(cell.source.endswith(release.GUARD.rstrip()) for cell in graded)
    assert all(release.GUARD.strip() not in source.read_text() for source in exercise.source.glob("*.md"))


def test_the_guard_fails_where_nbgrader_grades_alone(exercise, run_here, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert run_here(exercise.solved) == {}
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert run_here(exercise.solved) == {}
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    errors = run_here(exercise.solved)
    assert set(errors) == set(exercise.points)
    assert all("hidden tests" in str(error) for error in errors.values())


def secrets(exercise):
    """Lines that no student may see: of the solution regions (but for those that also stand outside one), exam, mutants."""
    source = (exercise.source / f"{exercise.name}.md").read_text(encoding="utf-8")
    shown = {line.strip() for line in REGION.sub("", source).splitlines()}
    hidden = "\n".join(match[1] for match in REGION.findall(source))
    files = [exercise.source / "exam.py", *(exercise.source / "mutants").glob("*.py")]
    lines = "\n".join([hidden, *(path.read_text(encoding="utf-8") for path in files)]).splitlines()
    checks = (release.SOURCES / "checks.py").read_text(encoding="utf-8")
    return {line.strip() for line in lines if len(line.strip()) > 25 and line.strip() not in shown and line.strip() not in checks}


def test_no_hidden_line_is_in_the_release(exercise):
    text = "\n".join(cell.source for cell in exercise.blank.cells)
    lines = {line.strip() for line in text.splitlines()}
    hidden = secrets(exercise)
    assert len(hidden) > 20, "the sources hold too few lines for this test to mean anything"
    assert not hidden & lines
    assert "SOLUTION" not in text and "grading.exam" not in text
    for question in re.findall(r"quiz: ([a-z0-9-]+)", (exercise.source / f"{exercise.name}.md").read_text()):
        drawn = quiz_cells.draw(exercise.name, question)
        said = [*drawn.steps, drawn.evidence, *(option.feedback for option in drawn.options)]
        assert not [sentence for sentence in said if sentence and sentence in text], question


def test_only_the_notebook_and_its_helpers_are_released(exercise):
    helpers = {path.relative_to(exercise.source).as_posix() for path in exercise.source.rglob("*") if path.is_file()
               if not path.match("*.md") and not path.match("*.ipynb") and path.name != "exam.py"
               and not {"mutants", "__pycache__", ".ipynb_checkpoints"} & set(path.parts)}
    there = {path.relative_to(exercise.path.parent).as_posix() for path in exercise.path.parent.rglob("*") if path.is_file()}
    assert there == helpers | {exercise.path.name}


def test_a_helper_ships_and_notes_do_not(tmp_path):
    name = "02_cell"
    source = tmp_path / "solutions" / name
    shutil.copytree(release.SOURCES / name, source, ignore=shutil.ignore_patterns("*.ipynb"))
    shutil.copy(release.SOURCES / "checks.py", tmp_path / "solutions")
    (source / "shapes_helper.py").write_text("answer = 42\n")
    (source / "notes.md").write_text("the key is B\n")
    (made,) = release.release([name], tmp_path / "course", tmp_path / "solutions")
    assert sorted(path.name for path in made.parent.rglob("*")) == ["02_cell.ipynb", "shapes_helper.py"]


def test_an_unknown_name_is_told_with_those_there_are(tmp_path):
    with pytest.raises(SystemExit, match="99_nothing.*02_cell"):
        release.release(["99_nothing"], tmp_path)


def test_opening_and_saving_a_source_as_a_notebook_changes_nothing(assignment):
    source = release.SOURCES / assignment / f"{assignment}.md"
    assert jupytext.writes(jupytext.read(source), fmt="md:myst") == source.read_text(encoding="utf-8")


def test_nbgrader_validate_serves_author_and_student(exercise, tmp_path):
    """The source as its author opens it and the solved release pass; the blank one fails in every graded cell."""
    shutil.copytree(exercise.source.parent, tmp_path / "solutions", ignore=shutil.ignore_patterns("*.ipynb"))
    source = release.write_notebook(tmp_path / "solutions" / exercise.name / f"{exercise.name}.md")
    nbformat.write(exercise.solved, source.with_name("solved.ipynb"))
    shutil.copy(exercise.path, source.with_name("blank.ipynb"))
    graded = [cell for cell in exercise.blank.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    command = [sys.executable, "-m", "nbgrader", "validate", source.name, "solved.ipynb", "blank.ipynb"]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, timeout=300)
    passed, failed = "Success! Your notebook passes all the tests.", f"VALIDATION FAILED ON {len(graded)} CELL(S)"
    verdicts = [line for line in done.stdout.splitlines() if line.startswith((passed, "VALIDATION FAILED"))]
    assert [passed, passed] == verdicts[:2] and verdicts[2].startswith(failed), done.stdout + done.stderr

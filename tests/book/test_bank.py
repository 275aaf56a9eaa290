"""The question bank: every answer and every mistake run; draws, halves, and what a broken question is told."""

import itertools
import os
import subprocess
import sys

import pytest
import yaml

from grading import bank_truth
from grading.bank import PAGE, Bank, BankError
from grading.drawn import Drawn, show

BANK = Bank.load()
QUESTIONS = pytest.mark.parametrize("question", list(BANK), ids=lambda question: question.id)

TINY = {
    "topic": "tiny",
    "title": "A bank of one",
    "questions": [
        {
            "id": "output-shape",
            "level": "easy",
            "source": ["beyond"],
            "ask": "With {{hidden}} units, what is the shape of `output`?",
            "params": {"time": [4, 6], "hidden": [3, 7]},
            "code": "output = nn.LSTM(5, {{hidden}})(torch.zeros({{time}}, 2, 5))[0]",
            "answer": "output.shape",
            "options": [
                {"value": "(time, 2, hidden)", "feedback": "Right."},
                {"value": "(2, time, hidden)", "feedback": "No.", "mistake": "Swapped", "made_by": "output.transpose(0, 1).shape"},
                {"value": "(time, 2, 5)", "feedback": "No.", "mistake": "Input width", "made_by": "(len(output), 2, 5)"},
                {"value": "(time, hidden, 2)", "feedback": "No.", "mistake": "Turned", "made_by": "output.mT.shape"},
            ],
            "steps": ["{{4 * hidden}} rows."],
            "check": "output.shape",
            "hint": "Count.",
        }
    ],
}


@pytest.fixture
def tiny(tmp_path):
    """Write the one question, changed; return the folder."""

    def write(changes=(), **fields):
        content = yaml.safe_load(yaml.safe_dump(TINY, sort_keys=False))
        question = content["questions"][0]
        question.update(fields)
        for option, field, value in changes:
            question["options"][option].pop(field, None)
            question["options"][option].update({} if value is None else {field: value})
        for field in [name for name, value in fields.items() if value is None]:
            del question[field]
        (tmp_path / "tiny.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return tmp_path

    return write


# The course's own bank


@QUESTIONS
def test_every_answer_and_every_mistake_comes_out_when_run(question):
    assert bank_truth.verify(question) == len(question.sets)


@QUESTIONS
def test_a_page_and_a_graded_cell_never_show_the_same(question):
    page, graded = question.halves
    if len(question.sets) == 1:
        assert page == graded == question.sets  # nothing to draw: the guide says so
        return
    assert sorted(map(repr, page + graded)) == sorted(map(repr, question.sets))
    assert page and graded
    faces = [{tuple(sorted(o.text for o in Drawn(question, p, "").options)) for p in half} for half in (page, graded)]
    if len(faces[0] | faces[1]) > 1:
        assert not faces[0] & faces[1]


@QUESTIONS
def test_every_option_is_answered_and_every_question_helps(question):
    drawn = question.draw("any")
    assert all(option.feedback for option in drawn.options)
    assert drawn.hint and drawn.steps and drawn.mistakes and drawn.ask
    assert drawn.code or drawn.evidence
    assert drawn.question.topic == drawn.question.file.removesuffix(".yml")


@QUESTIONS
def test_the_notebook_s_text_is_plain_markdown_and_holds_no_answer(question):
    drawn = question.draw("student")
    text = drawn.as_markdown()
    assert "```{" not in text and "}`" not in text.replace("`{", "")  # no directive, no role: notebooks know neither
    assert all(f"- **{option.letter}.** {option.text}" in text for option in drawn.options)
    assert not any(option.feedback in text for option in drawn.options)
    assert drawn.hint not in text and not any(step in text for step in drawn.steps)


def test_no_question_stands_twice():
    asked = [" ".join((q.spec["ask"] + q.spec.get("code", "")).split()) for q in BANK]
    assert len(set(asked)) == len(asked)


def test_all_levels_are_asked_and_every_letter_is_right_somewhere():
    assert {question.level for question in BANK} == {"easy", "medium", "hard"}
    assert {q.draw("graded").answer for q in itertools.islice(BANK, 30)} == set("ABCD")


def test_the_answer_moves_with_the_parameters():
    """Which gate is right depends on what is asked, so no option can be marked as the right one."""
    question = BANK["gate-of-each-role"]
    texts = {o.text for d in [Drawn(question, p, "") for p in question.sets] for o in d.options if o.letter == d.answer}
    assert texts == {"The input gate $i$", "The forget gate $f$", "The output gate $o$"}


@pytest.mark.parametrize(
    ("id", "told"),
    [("purpose-of-the-layer", True), ("lstm-one-size-missing", True), ("lstm-create", False), ("gate-of-each-role", False)]
    + [(id, False) for id in ("gate-shape", "layer-batch-first-output", "cell-parameter-count", "state-truncated-reach")],
)
def test_a_question_whose_answer_a_page_gives_away_is_known(id, told):
    assert bank_truth.told_on_page(BANK[id]) is told


KNOWN = {
    "purpose-of-the-layer": None,
    "lstm-create": ["`nn.LSTM(input=10, hidden=20)`", "`nn.LSTM(20, 10)`", "`nn.LSTM(10, 20)`", "`nn.LSTM(hidden_size=10, input_size=20)`"],
    "lstm-output-shape": ["`(4, 2, 3)`", "`(2, 4, 3)`", "`(4, 3, 2)`", "`(2, 3, 4)`"],
    "lstm-one-size-missing": None,
    "lstm-sizes-from-data": ["`(12, 8)`", "`(8, 6)`", "`(6, 8)`", "`(8, 12)`"],
}  # fmt: skip


@pytest.mark.parametrize("id", KNOWN)
def test_the_five_known_questions_keep_their_options_in_the_default_draw(id):
    default = BANK[id].on_page("anywhere")[0]
    assert "S3.2" in default.question.source
    if KNOWN[id]:
        assert {option.text for option in default.options} == set(KNOWN[id])


# Drawing


def test_page_draws_differ_and_begin_with_the_default():
    draws = BANK["lstm-output-shape"].on_page("chapters/x", 4)
    assert draws[0].params == {"time": 4, "batch": 2, "features": 5, "hidden": 3}
    assert len({repr(d.params) for d in draws}) == 4
    assert all(d.params in BANK["lstm-output-shape"].halves[0] for d in draws)


def test_a_seed_decides_the_draw_on_every_machine(tiny):
    """Pinned: a change here would silently change what is already in students' notebooks."""
    question = Bank.load(tiny())["output-shape"]
    assert "".join(str(question.draw(seed).params["hidden"]) for seed in "abcdefgh") == "33737337"
    assert question.draw(PAGE + "c").params == {"time": 4, "hidden": 7}
    assert [question.draw("a").order, question.draw("b").order] == [[2, 3, 0, 1], [0, 1, 3, 2]]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_drawing_neither_depends_on_hash_seeds_nor_loads_torch_or_nbgrader(hash_seed):
    code = (
        "import sys; from grading.bank import Bank; print(Bank.load()['cell-parameter-count'].draw('s').as_markdown());"
        "assert not {'torch', 'nbgrader'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == BANK["cell-parameter-count"].draw("s").as_markdown().strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.456, "0.46"), (-0.001, "0.00"), (3, "3"), ((4, 2), "(4, 2)"), ((3,), "(3,)"), ([0.5, True], "[0.50, True]")],
)
def test_values_as_they_are_shown(value, shown):
    assert show(value) == shown


def test_running_questions_leaves_the_caller_s_random_numbers_alone():
    torch = bank_truth.torch
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert BANK["lstm-output-shape"].draw("x").answer in "ABCD"
    assert torch.equal(torch.rand(3), expected)


# What a broken question is told


def test_the_tiny_bank_is_sound(tiny):
    assert bank_truth.verify(Bank.load(tiny())["output-shape"]) == 4


@pytest.mark.parametrize(
    ("changes", "fields", "told"),
    [
        ((), {"code": "output = nn.LSTM(5, {{hidden + 1}})(torch.zeros({{time}}, 2, 5))[0]"}, "options: 0 of them agree"),
        ([(0, "value", "(time, 2, hidden + 1)")], {}, "options: 0 of them agree"),
        ([(3, "value", "(time, 1 + 1, hidden)"), (3, "text", "one and one")], {}, "options: 2 of them agree"),
        ([(3, "value", "(2, time, hidden)")], {}, "options: two are alike"),
        ([(1, "made_by", "output.shape")], {}, "options[1].made_by: the mistake gives (4, 2, 3), the option says (2, 4, 3)"),
        ([(1, "made_by", None)], {}, "options[1].made_by: the mistake gives None"),
        ([(2, "mistake", None)], {}, "options[2]: is wrong with {'time': 4, 'hidden': 3} and names no mistake"),
        ((), {"check": "output.mT.shape"}, "check: gives (4, 3, 2), the code gives (4, 2, 3)"),
        ((), {"code": "output = nn.LSTM(5)"}, "code: should end with no error, ended with TypeError"),
        ((), {"hint": "About {{hiden}}."}, "hint: 'hiden' does not evaluate: name 'hiden' is not defined (names: hidden, time)"),
        ((), {"where": "time > 4"}, "where: refuses the first values, which are the default draw"),
        ((), {"params": {"time": list(range(4, 99)), "hidden": [3, 7, 8]}}, "params: 285 sets are more than 240"),
    ],
)  # fmt: skip
def test_a_question_at_odds_with_its_code_is_refused(tiny, changes, fields, told):
    question = Bank.load(tiny(changes, **fields))["output-shape"]
    with pytest.raises(BankError) as caught:
        bank_truth.verify(question)
    assert str(caught.value).startswith("tiny.yml: question 'output-shape', ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "fields", "told"),
    [
        ((), {"level": "impossible"}, "question 'output-shape', level: 'impossible' is not one of"),
        ((), {"hint": None}, "question 'output-shape', fields: 'hint' is a required property"),
        ((), {"answer": None}, "question 'output-shape', options[0]: 'claim' is a required property"),
        ((), {"key": "A"}, "question 'output-shape', fields: Additional properties are not allowed ('key' was unexpected)"),
        ((), {"source": ["S9.1"]}, "question 'output-shape', source[0]: 'S9.1' does not match"),
        ((), {"goal": "3", "outcome": "result"}, "question 'output-shape', fields: a question has an `answer` or a `goal`, not both"),
        ([(1, "feedback", None)], {}, "question 'output-shape', options[1]: 'feedback' is a required property"),
        ([(1, "right", True)], {}, "question 'output-shape', options[1]: Additional properties are not allowed"),
        ((), {"id": None}, "question 1 (no id), fields: 'id' is a required property"),
    ],
)
def test_a_question_off_the_schema_is_refused_by_file_question_and_field(tiny, changes, fields, told):
    with pytest.raises(BankError) as caught:
        Bank.load(tiny(changes, **fields))
    assert f"tiny.yml: {told}" in str(caught.value)


def test_faults_of_a_file_are_told(tmp_path, tiny):
    with pytest.raises(BankError, match="no question files"):
        Bank.load(tmp_path)
    folder = tiny()
    text = (folder / "tiny.yml").read_text(encoding="utf-8")
    (folder / "other.yml").write_text(text, encoding="utf-8")
    with pytest.raises(BankError, match="other.yml: topic: is 'tiny', but the file's name makes it 'other'"):
        Bank.load(folder)
    (folder / "other.yml").write_text(text.replace("topic: tiny", "topic: other"), encoding="utf-8")
    with pytest.raises(BankError, match="tiny.yml: question 'output-shape', id: is taken already, in other.yml"):
        Bank.load(folder)
    (folder / "other.yml").write_text("topic: other\ntopic: other\n", encoding="utf-8")
    with pytest.raises(BankError, match="other.yml: not readable as YAML: key 'topic' stands twice"):
        Bank.load(folder)


def test_unknown_names_are_told_with_the_known_ones():
    with pytest.raises(KeyError, match="no question 'lstm' in the bank; there are: .*lstm-output-shape"):
        BANK["lstm"]
    with pytest.raises(KeyError, match="no topic 'shape' in the bank; there are: .*shapes"):
        BANK.topic("shape")


def test_the_command_verifies_a_bank_and_names_what_is_broken(tiny, capsys):
    assert bank_truth.main([str(tiny())]) == 0
    assert "output-shape" in capsys.readouterr().out
    assert bank_truth.main([str(tiny(check="output.mT.shape"))]) == 1
    assert "check: gives (4, 3, 2)" in capsys.readouterr().err

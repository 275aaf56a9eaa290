"""One submission in, one result out: what honest notebooks get, whatever else they do."""

import pickle
import re

import pytest
import torch

from grading.exam import derive

DOUBLE = "import torch\ndef double(x):\n    return 2 * x"
TRIPLE = "def triple(x):\n    return 3 * x"
CHECKS = (("test_double", "assert double(1) == 2"), ("test_triple", "assert triple(1) == 3"))
FULL = {"test_double": 2.0, "test_triple": 2.0}
WEIGHTS = """
from grading.exam import exam

@exam("test_double", weight=3, hint="Of one.")
def one(student, rng):
    assert student.call("double", 1) == 2

@exam("test_double", weight=1, hint="Of <two>.")
def two(student, rng):
    assert student.call("double", 2) == 4, "SECRET 2"
"""


def text(notebook) -> str:
    return str([cell.get("outputs") for cell in notebook.cells])


def test_right_answers_give_all_points(grade_cells):
    outcome = grade_cells(DOUBLE, TRIPLE, *CHECKS)
    assert (outcome.status, outcome.message, outcome.scores) == ("graded", "", FULL)
    assert [(part.name, part.passed) for part in outcome.parts] == [("doubles", True), ("triples", True)]
    assert outcome.seed == derive(b"secret", "ada", "work", 1)
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_points_are_shared_by_weight_and_the_first_result_holds_the_score(grade_cells):
    outcome = grade_cells("def double(x):\n    return 2", ("test_double", "double(1)"), exam=WEIGHTS)
    assert outcome.scores == {"test_double": 1.5}
    result, own = outcome.notebook.cells[1].outputs
    assert result.output_type == "execute_result" and result.data["text/plain"] == "1.5"
    assert "(1.5 points) passed" in result.data["text/html"] and "Of &lt;two&gt;." in result.data["text/html"]
    assert own.data["text/plain"] == "2"
    assert "SECRET" in outcome.parts[1].message and "SECRET" not in text(outcome.notebook)


def test_a_failed_visible_check_costs_nothing_and_a_passed_one_gives_nothing(grade_cells):
    outcome = grade_cells(DOUBLE, ("test_double", "assert False"), ("test_triple", "pass"))
    assert outcome.scores == {"test_double": 2.0, "test_triple": 0.0}
    assert outcome.notebook.cells[1].outputs[1].ename == "AssertionError"


def test_a_blank_notebook_gets_zero_and_is_told_why(grade_cells):
    outcome = grade_cells("def double(x):\n    raise NotImplementedError", *CHECKS)
    assert (outcome.status, outcome.scores) == ("graded", {"test_double": 0.0, "test_triple": 0.0})
    assert outcome.parts[0].reason == "This task is not filled in yet."
    assert "`triple` is not defined" in outcome.parts[1].reason
    assert "This task is not filled in yet." in text(outcome.notebook)


HONEST = {
    "noise on both streams, from C too": "import sys, os, warnings\nprint('hello')\nprint('x', file=sys.stderr)\nwarnings.warn('careful')\nos.write(2, b'low')",
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')",
    "an error": "1 / 0",
    "a syntax error": "def :",
    "sys.exit": "import sys\nsys.exit(1)",
    "exit": "exit()",
    "input": "name = input('Your name? ')",
    "magics and the shell": "%matplotlib inline\n%timeit -n1 -r1 1\n!echo shell",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "await": "import asyncio\nawait asyncio.sleep(0.01)",
    "a thread that goes on": "import threading, time\nthreading.Thread(target=lambda: [print('tick') or time.sleep(.05) for _ in range(10**6)], daemon=True).start()",
    "float64 by default": "torch.set_default_dtype(torch.float64)",
    "gradients left off": "torch.set_grad_enabled(False)",
    "many threads of torch": "torch.set_num_threads(4)\n_ = torch.randn(512, 512) @ torch.randn(512, 512)\n(torch.randn(9, 9, requires_grad=True) ** 2).sum().backward()",
    "seeds": "torch.manual_seed(0)",
    "builtins redefined": "print = sum = len = list = dict = isinstance = type = None",
    "anomalies and autocast": "torch.autograd.set_detect_anomaly(True)\ntorch.autocast('cpu').__enter__()",
    "low precision of products": "torch.set_float32_matmul_precision('medium')",
    "deep recursion": "def deep(n):\n    return deep(n + 1)\ndeep(0)",
    "autoreload and another traceback": "%load_ext autoreload\n%autoreload 2\n%xmode Minimal",
    "debugging hooks": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)",
    "stdout redirected": "import sys, io\nsys.stdout = io.StringIO()",
    "a file of its own": "x = open('note.txt', 'w').write('mine')\nopen('note.txt').read()",
}


def test_honest_oddities_cost_nothing(grade_cells):
    """All of them in one notebook, and the exam needs gradients, defaults and a quiet kernel."""
    exam = """
import torch
from grading.exam import assert_close, exam

@exam("test_double", hint="Double.")
def doubles(student, rng):
    x = torch.from_numpy(rng.standard_normal(3)).float().requires_grad_()
    student.put("x", x)
    student.run("y = double(x); y.sum().backward()")
    assert_close(student.value("y"), 2 * x, "y")
    assert_close(student.value("x.grad"), torch.full((3,), 2.0), "dy/dx")
    assert_close(student.value("torch.ones(2)"), torch.ones(2), "the default dtype")
    student.run("import matplotlib.pyplot as plt; plt.figure(); plt.show(); import sys; print_ = sys.stdout.write('hi')")
    student.run("torch.randn(512, 512) @ torch.randn(512, 512)")
    assert student.value("(torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32 and not torch.is_anomaly_enabled()")
    assert student.value("torch.get_float32_matmul_precision()") == "highest"
"""
    outcome = grade_cells(DOUBLE, *HONEST.values(), ("test_double", ""), exam=exam)
    assert outcome.parts[0].message == ""
    assert (outcome.status, outcome.scores) == ("graded", {"test_double": 2.0})
    outputs = dict(zip(HONEST, (cell.outputs for cell in outcome.notebook.cells[1:])))
    assert {o.get("name") for o in outputs["noise on both streams, from C too"]} >= {"stdout", "stderr"}
    assert "frontend does not support input" in outputs["input"][0].evalue
    assert any("image/png" in o.get("data", {}) for o in outputs["a plot"])
    assert any(o.get("data") == {"text/plain": "'mine'"} for o in outputs["a file of its own"])


TAKEN = {
    "numbers": "sum = 0\nmax, min, len, any, all = 1, 2, 3, True, False",
    "containers": "list, dict, tuple, zip = [1], {}, (2,), 'a.zip'\nint = float = isinstance = type = print = None",
    "torch's": "from torch import *",
    "Python's own": "import builtins\nbuiltins.sum = None",
}


@pytest.mark.parametrize("way", TAKEN)
def test_names_of_pythons_own_may_be_taken(grade_cells, way):
    """The exam's code still means Python's; the student's means hers, but for what cannot be called."""
    exam = """
from grading.exam import exam

@exam("test_double", hint=".")
def doubles(student, rng):
    student.put("exam_x", [1, 2])
    student.run("class ExamSum:\\n    def __init__(self, start=int(0)):\\n        super().__init__()\\n        self.of = lambda items: sum(list(items), start)")
    student.run("exam_sum = ExamSum().of(double(x) for x in exam_x)")
    assert student.value("(exam_sum, [min(len for len in (5, 4))])") == (6, [4])
    assert student.value("dict(zip(('a', 'b'), tuple(exam_x))) if isinstance(exam_x, list) and all(exam_x) else None") == {"a": 1, "b": 2}
    assert student.call("own") == 3
"""
    own = "max = lambda numbers: 3\ndef own():\n    return max([1]) + len([])"
    outcome = grade_cells("import torch", TAKEN[way], DOUBLE, own, ("test_double", ""), exam=exam)
    assert outcome.parts[0].message == ""


KINDS = """
from collections import OrderedDict, namedtuple
State = namedtuple("State", "h c")
def pair(x):
    return [x, x + 1]
def named(x):
    return State(x, x + 1)
@torch.compile
def compiled(x):
    return x, x + 1
@torch.jit.script
def scripted(x):
    return x, x + 1
def whole(x):
    return OrderedDict(x=x, rest=nn.Parameter(x + 1))
def by_state_dict(x):
    return nn.Linear(2, 3).state_dict()
"""


def test_answers_of_an_equal_kind_and_compiled_ones_are_answers(grade_cells):
    exam = """
import torch
from grading.exam import assert_close, exam

@exam("test_kinds", hint=".")
def kinds(student, rng):
    x = torch.from_numpy(rng.standard_normal(3))
    for name in ("pair", "named", "compiled", "scripted"):
        assert_close(student.call(name, x), (x, x + 1), name)
    assert student.call("whole", x).keys() == {"x", "rest"}
    assert student.call("by_state_dict", x)["weight"].shape == (3, 2)
"""
    outcome = grade_cells("import torch\nfrom torch import nn", KINDS, ("test_kinds", ""), exam=exam)
    assert outcome.parts[0].message == "" and outcome.notebook.cells[1].outputs == []


def test_a_part_meets_the_notebooks_state_whatever_the_part_before_did(grade_cells):
    exam = """
from grading.exam import exam

@exam("test_count", hint=".")
def first(student, rng):
    student.put("count", 41)
    student.run("import sys; items.append(1); sys.modules.pop('json', None)")
    assert student.call("next_count") == 42

@exam("test_count", hint=".")
def second(student, rng):
    assert student.call("next_count") == 1
    assert student.value("items") == []
"""
    cells = "count, items = 0, []\ndef next_count():\n    global count\n    count += 1\n    return count"
    assert grade_cells(cells, ("test_count", ""), exam=exam).scores == {"test_count": 2.0}


def test_draws_repeat_for_the_same_attempt_and_differ_between_parts(grade_cells):
    exam = """
import torch
from grading.exam import exam

@exam("test_draw", hint=".")
def one(student, rng):
    raise AssertionError(f"{rng.random()} {torch.rand(1).item()} {student.value('torch.rand(1).item()')}")

@exam("test_draw", hint=".")
def other(student, rng):
    raise AssertionError(f"{rng.random()} {torch.rand(1).item()} {student.value('torch.rand(1).item()')}")
"""
    before = torch.get_rng_state()
    first, again, later = (grade_cells("import torch", ("test_draw", ""), exam=exam, attempt=n) for n in (1, 1, 2))
    assert [p.message for p in first.parts] == [p.message for p in again.parts]
    assert not {p.message for p in first.parts} & {p.message for p in later.parts}
    assert not set(first.parts[0].message.split()) & set(first.parts[1].message.split())
    assert torch.equal(before, torch.get_rng_state())


def test_a_helper_lies_beside_the_notebook_and_cannot_be_changed(grade_cells, tmp_path):
    (tmp_path / "given.py").write_text("two = 2\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("three = 3\n")
    helpers = (tmp_path / "given.py", tmp_path / "package")
    cells = ["from given import two\nfrom package import three", "def double(x):\n    return two * x", "open('given.py', 'w')", *CHECKS]
    outcome = grade_cells(*cells, helpers=helpers)
    assert outcome.scores == {"test_double": 2.0, "test_triple": 0.0}
    assert outcome.notebook.cells[2].outputs[0].ename in ("OSError", "PermissionError")
    assert (tmp_path / "given.py").read_text() == "two = 2\n"


def test_an_exception_in_the_exam_fails_that_part_alone(grade_cells):
    exam = """
from grading.exam import exam

@exam("test_double", hint=".")
def unpacks(student, rng):
    h, c = student.call("double", 1)

@exam("test_double", hint=".")
def bare(student, rng):
    assert student.call("double", 1) == 3

@exam("test_double", hint=".")
def right(student, rng):
    assert student.call("double", 1) == 2
"""
    outcome = grade_cells(DOUBLE, ("test_double", ""), exam=exam)
    assert outcome.scores == {"test_double": pytest.approx(2 / 3)}
    assert "the exam could not use the answer: TypeError" in outcome.parts[0].message
    assert outcome.parts[1].message == 'failed: assert student.call("double", 1) == 3'


@pytest.mark.parametrize(
    "exam, told",
    [
        ("", "it has no part"),
        ("def", "SyntaxError"),
        (WEIGHTS, "the notebook's automatically graded cells are \\['test_other'\\]"),
    ],
)
def test_a_broken_exam_is_ours_and_gives_no_score(grade_cells, exam, told):
    outcome = grade_cells(DOUBLE, ("test_other", ""), exam=exam)
    assert outcome.status == "infrastructure-error" and outcome.scores == {} and outcome.parts == ()
    assert re.search(told, outcome.message)


def test_without_bubblewrap_grading_refuses_with_the_line_that_installs_it(grade_cells, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    outcome = grade_cells(DOUBLE, *CHECKS)
    assert (outcome.status, outcome.scores) == ("infrastructure-error", {})
    assert "sudo apt-get install bubblewrap" in outcome.message


def test_a_sandbox_that_does_not_start_is_ours(grade_cells):
    outcome = grade_cells(DOUBLE, *CHECKS, limits={"start_seconds": 0.01})
    assert (outcome.status, outcome.scores) == ("infrastructure-error", {})
    assert "the sandbox did not start" in outcome.message


def test_without_a_sandbox_only_when_asked(grade_cells, tmp_path):
    (tmp_path / "given.py").write_text("two = 2\n")
    cells = ("from given import two\ndef double(x):\n    return two * x", TRIPLE, *CHECKS)
    outcome = grade_cells(*cells, helpers=(tmp_path / "given.py",), sandboxed=False)
    assert (outcome.status, outcome.scores) == ("graded", FULL)


@pytest.mark.parametrize("sandboxed", [True, False])
def test_her_own_files_lie_there_as_copies_that_she_may_write(grade_cells, tmp_path, sandboxed):
    """A notebook that saves a file on each run is handed in together with that file."""
    extras = tmp_path / "extras"
    (extras / "data").mkdir(parents=True)
    (extras / "own.py").write_text("two = 2\n")
    (extras / "data" / "n.txt").write_text("3")
    write = "from own import two\nfor name in ('own.py', 'data/n.txt', 'data/new.txt'):\n    open(name, 'a').write('3')\nthree = int(open('data/n.txt').read()) // 11"
    cells = (write, "def double(x):\n    return two * x\ndef triple(x):\n    return three * x", *CHECKS)
    assert grade_cells(*cells, extras=extras, sandboxed=sandboxed).scores == FULL
    assert (extras / "data" / "n.txt").read_text() == "3"


def test_limits_of_the_exam_replace_those_of_the_job(grade_cells):
    exam = "LIMITS = {'seconds': 2}\n" + WEIGHTS
    outcome = grade_cells(DOUBLE, "while True: pass", ("test_double", ""), exam=exam, limits={"seconds": 50})
    assert outcome.status == "timeout" and "The 2 s for the whole run were over in code cell 2." == outcome.message


REFUSING = """
import torch
from grading.exam import assert_close, exam

@exam("test_layer", hint="Write the layer yourself.")
def layer(student, rng):
    torch_layer = torch.nn.LSTM(3, 5)
    x = torch.from_numpy(rng.standard_normal((4, 2, 3))).float()
    student.refusing("nn.LSTM", "shortcut")
    student.put("weights", [p.detach() for p in torch_layer.parameters()])
    assert_close(student.call("layer", x), torch_layer(x)[0].detach(), "output", rtol=1e-4, atol=1e-5)
"""
OWN = """
def layer(x):
    w_ih, w_hh, b_ih, b_hh = weights
    h, c = torch.zeros(x.shape[1], 5), torch.zeros(x.shape[1], 5)
    out = []
    for x_t in x:
        i, f, g, o = (x_t @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        out.append(h)
    return torch.stack(out)
"""
Z = "torch.zeros(1, 2, 5)"
SHORTCUTS = {
    "nn.LSTM": "    m = nn.LSTM(3, 5)\n    [p.data.copy_(w) for p, w in zip(m.parameters(), weights)]\n    return m(x)[0].detach()",
    "a subclass, no grad": "    class M(nn.LSTM): pass\n    with torch.inference_mode():\n        return M(3, 5)(x)[0].clone()",
    "nn.LSTMCell": "    return torch.stack([nn.LSTMCell(3, 5)(x[0])[0]])",
    "torch.lstm": f"    return torch.lstm(x, ({Z}, {Z}), weights, True, 1, 0.0, False, False, False)[0]",
    "torch._VF": f"    return torch._VF.lstm(x, ({Z}, {Z}), weights, True, 1, 0.0, False, False, False)[0]",
    "torch.ops": f"    return torch.ops.aten.lstm.input(x, ({Z}, {Z}), weights, True, 1, 0.0, False, False, False)[0]",
    "torch.lstm_cell": f"    return torch.lstm_cell(x[0], ({Z}[0], {Z}[0]), *weights)[0]",
    "torch.func": "    m = nn.LSTM(3, 5)\n    return torch.func.vjp(lambda a: m(a)[0], x)[0]",
    "a packed sequence": "    return nn.LSTM(3, 5)(nn.utils.rnn.pack_padded_sequence(x, [4, 4]))[0].data",
    "quantizable": "    import torch.ao.nn.quantizable as q\n    return q.LSTMCell(3, 5)(x[0])[0]",
    "quantizable, layers": "    from torch.ao.nn import quantizable as q\n    return q.LSTM(3, 5)(x)[0]",
    "the decomposition": f"    from torch._decomp.decompositions import lstm_cell as f\n    return f(x[0] @ weights[0].T, {Z}[0], {Z}[0], weights[1], None, None, 1)[0]",
    "made into a graph": "    from torch.fx.experimental.proxy_tensor import make_fx\n    return make_fx(lambda x: nn.LSTM(3, 5)(x)[0])(x)(x)",
    "in a thread": "    import threading\n    out = []\n    t = threading.Thread(target=lambda: out.append(nn.LSTM(3, 5)(x)[0]))\n    t.start(); t.join()\n    return out[0]",
    "caught and done again": "    for _ in range(3):\n        try:\n            return nn.LSTM(3, 5)(x)[0]\n        except RuntimeError:\n            pass\n    return 0 * x",
}


@pytest.mark.parametrize("way", SHORTCUTS)
def test_finished_layers_are_refused_in_every_form(refused_ways, way):
    assert refused_ways[way] == "used nn.LSTM"


@pytest.fixture(scope="module")
def refused_ways(bubblewrap, tmp_path_factory):
    """What each shortcut is told; one sandbox for all, a part each."""
    import nbformat

    from grading.examiner import grade
    from grading.outcome import Job

    folder = tmp_path_factory.mktemp("refused")
    head, body = REFUSING.split("@exam", 1)
    parts = [
        "@exam" + body.replace("def layer", f"def way_{n}").replace('call("layer"', f'call("layer_{n}"')
        for n in range(len(SHORTCUTS))
    ]
    # Some shortcuts import much of torch, under the watch of every call: time enough for a busy machine.
    limits = 'LIMITS = {"seconds": 240, "part_seconds": 100}\n'
    (folder / "exam.py").write_text(limits + head + "\n".join(parts))
    notebook = nbformat.v4.new_notebook()
    for n, source in enumerate(SHORTCUTS.values()):
        text = f"import torch\nfrom torch import nn\ndef layer_{n}(x):\n{source}"
        notebook.cells.append(nbformat.v4.new_code_cell(text))
    nbformat.write(notebook, folder / "work.ipynb")
    job = Job("ada", "work", 1, folder / "work.ipynb", folder / "exam.py", {"test_layer": 2}, 0)
    outcome = grade(job)
    assert outcome.scores == {"test_layer": 0.0}
    return {way: part.message for way, part in zip(SHORTCUTS, outcome.parts)}


def test_an_own_layer_passes_beside_the_refusal_and_visible_checks_may_use_the_finished_one(grade_cells):
    check = ("test_layer", "assert torch.nn.LSTM(3, 5)(torch.zeros(4, 2, 3))[0].shape == (4, 2, 5)")
    outcome = grade_cells("import torch", OWN, check, exam=REFUSING)
    assert outcome.scores == {"test_layer": 2.0} and len(outcome.notebook.cells[2].outputs) == 1


@pytest.mark.parametrize("start", ["from shortcut import layer", "def layer(x):\n    import shortcut\n    return shortcut.layer(x)"])
def test_a_package_is_refused_however_it_was_imported(grade_cells, tmp_path, start):
    (tmp_path / "shortcut").mkdir()
    (tmp_path / "shortcut" / "__init__.py").write_text("def layer(x):\n    return x\n")
    outcome = grade_cells(start, ("test_layer", "layer(1)"), exam=REFUSING, helpers=(tmp_path / "shortcut",))
    assert outcome.parts[0].message == "used shortcut"
    assert outcome.parts[0].reason == "Your code used shortcut, which this task refuses."

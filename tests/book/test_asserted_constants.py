"""Every number that a page asserts matters: a page with one of them off by one percent fails.

Runs each page once, cell by cell, and beside each statement that asserts something the same statement with one claimed
constant changed, up and down, from the same state. A change that nobody notices is a survivor. By hand, for some pages:

    python tests/book/test_asserted_constants.py chapters/cell.md

A claim is a number on either side of == or in, or in a comparison that is close (isclose, allclose, assert_close, or
abs(a - b) < tolerance). The bound of an inequality is none: 0.9 < x says no more than it says.
"""
import ast
import contextlib
import copy
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import jupytext
import matplotlib.pyplot  # noqa: F401  the pages' own, loaded once
import numpy as np
import pytest
import torch
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CLOSE = {"isclose", "allclose", "assert_close", "approx", "assert_allclose"}
SLOW = 3.0  # seconds: a statement that takes longer trains something, and is not run again for every constant


def claims(statement):
    """The constants that a statement claims, as nodes of its tree."""
    found = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Assert):
            found += [constant for side in sides(node.test) for constant in literals(side)]
            found += looped(statement, node)
        elif isinstance(node, ast.Call) and name_of(node.func) == "assert_close":
            found += [constant for side in node.args[:2] for constant in literals(side)]
    return list(dict.fromkeys(found))


def sides(test):
    """The expressions that an assertion says are equal, or close."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for left, operator, right in zip(operands, node.ops, operands[1:]):
                if isinstance(operator, (ast.Eq, ast.In, ast.Is)):
                    yield from (left, right)
                elif isinstance(operator, (ast.Lt, ast.LtE)):
                    yield from difference(left)
        elif isinstance(node, ast.Call) and name_of(node.func) in CLOSE:
            yield from node.args[:2]


def difference(node):
    """a and b of abs(a - b), also of (a - b).abs().max()."""
    inner = next((call for call in ast.walk(node) if isinstance(call, ast.Call) and name_of(call.func) == "abs"), None)
    if inner is None:
        return []
    inside = inner.args[0] if inner.args else inner.func.value
    return [inside.left, inside.right] if isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Sub) else []


def literals(node):
    """The numbers of an expression that are not inside a call or an index."""
    if isinstance(node, ast.Constant):
        return [node] if type(node.value) in (int, float) else []
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List, ast.Set, ast.Dict)):
        return [constant for child in ast.iter_child_nodes(node) for constant in literals(child)]
    return []


def looped(statement, assertion):
    """The numbers of a table that a loop walks through, in the columns which the assertion compares with."""
    compared = {side.id for side in sides(assertion.test) if isinstance(side, ast.Name)}
    found = []
    for loop in ast.walk(statement):
        if isinstance(loop, ast.For) and isinstance(loop.iter, (ast.Tuple, ast.List)):
            for row in loop.iter.elts:
                pairs = zip(loop.target.elts, row.elts) if isinstance(row, ast.Tuple) and isinstance(loop.target, ast.Tuple) else [(loop.target, row)]
                found += [c for target, value in pairs if name_of(target) in compared for c in literals(value)]
    return found


def name_of(node):
    return getattr(node, "attr", getattr(node, "id", None))


def changed(value):
    """A constant one percent up and down; a whole number moves by one at least."""
    if isinstance(value, int):
        step = max(1, round(abs(value) / 100))
        return value + step, value - step
    return (value * 1.01, value * 0.99) if value else (0.01, -0.01)


class Draws:
    """The state of every random generator in sight, to be put back."""

    def __init__(self, names):
        self.torch, self.numpy, self.python = torch.get_rng_state(), np.random.get_state(), random.getstate()
        self.own = [(value, value.get_state()) for value in names.values() if isinstance(value, torch.Generator)]
        self.bits = [
            (value.bit_generator, copy.deepcopy(value.bit_generator.state))
            for value in names.values() if isinstance(value, np.random.Generator)
        ]

    def restore(self):
        torch.set_rng_state(self.torch)
        np.random.set_state(self.numpy)
        random.setstate(self.python)
        for generator, state in self.own:
            generator.set_state(state)
        for bits, state in self.bits:
            bits.state = state


def run(statement, names):
    """Run one statement."""
    exec(compile(ast.fix_missing_locations(ast.Module([statement], [])), "<page>", "exec"), names)


def survivors_of(statement, names):
    """Run a statement in names; returns how many changes of its constants were tried, and those that were not noticed."""
    constants, said = claims(statement), ast.unparse(statement).splitlines()[0][:150]
    if not constants:
        run(statement, names)
        return 0, []
    before, draws = dict(names), Draws(names)
    began = time.perf_counter()
    run(statement, names)
    taken = time.perf_counter() - began
    after, tried, survived = Draws(names), 0, []
    for constant in constants if taken < SLOW else ():
        value = constant.value
        for other in changed(value):
            constant.value = other
            draws.restore()
            tried += 1
            try:
                run(statement, dict(before))
                survived.append(f"{value} -> {other:.6g}: {said}")
            except Exception:  # any failure stops the build
                pass
        constant.value = value
    after.restore()
    return tried, survived


def examine(page):
    """Run a page as far as it claims something; returns what was tried and what survived."""
    torch.set_num_threads(1)
    os.chdir(page.parent)
    cells = [cell.source for cell in jupytext.read(page).cells if cell.cell_type == "code"]
    statements = [statement for source in cells for statement in ast.parse(source).body]
    while statements and not claims(statements[-1]):
        statements.pop()
    names, tried, survived = {"__name__": "__main__"}, 0, []
    for statement in statements:
        with contextlib.redirect_stdout(io.StringIO()):
            count, alive = survivors_of(statement, names)
        tried, survived = tried + count, survived + alive
    return {"tried": tried, "survived": survived}


def pages():
    """The chapters of the book that have code."""
    toc = yaml.safe_load((REPOSITORY / "_toc.yml").read_text())
    files = [REPOSITORY / f"{chapter['file']}.md" for part in toc["parts"] for chapter in part["chapters"]]
    return [path for path in files if path.exists() and path.read_text().startswith("---")]


def serve():
    """Examine the pages whose names come in, each in a fork of this process: PyTorch is loaded once for all of them."""
    weight = torch.ones(1, requires_grad=True)
    torch.testing.assert_close(weight, weight)  # with what these two load when they are first used
    torch.optim.Adam([weight])
    for line in sys.stdin:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            signal.alarm(300)  # seconds; by default it ends the process
            try:
                found = examine(Path(line.rstrip("\n")))
            except Exception:
                found = {"error": traceback.format_exc()}
            print(json.dumps(found), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"error": f"ended with status {status}"}), flush=True)


@contextlib.contextmanager
def examiner():
    """A function that examines a page in a process of its own."""
    command, environment = [sys.executable, __file__, "--serve"], os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:

        def examined(page):
            print(page, file=server.stdin, flush=True)
            found = json.loads(server.stdout.readline())
            assert "error" not in found, found["error"]
            return found

        yield examined
        server.stdin.close()


@pytest.fixture(scope="session")
def examined():
    with examiner() as examined:
        yield examined


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_constant_off_by_a_percent_fails(page, examined):
    assert examined(page)["survived"] == []


@pytest.mark.parametrize("source, told", [("assert 1 == 2", "AssertionError"), ("import os\nos.abort()\nassert 1 == 1", "status 6")])
def test_a_page_that_raises_or_dies_is_told(source, told, examined, tmp_path):
    _, head, _ = pages()[0].read_text().split("---\n", 2)
    page = tmp_path / "page.md"
    page.write_text(f"---\n{head}---\n\n```{{code-cell}} ipython3\n{source}\n```\n")
    with pytest.raises(AssertionError, match=told):
        examined(page)


CASES = [
    ("assert round(0.7616, 3) == 0.762", 2, 0),
    ("assert abs(0.5 - 0.5004) < 0.1", 4, 4),  # so wide a tolerance should be written as an inequality
    ("assert (1, 2) == (1, 2)", 8, 0),
    ("assert 0.4 < 0.5", 0, 0),
    ("assert round(0.7616, 3) == 0.762 and [7][0] == 7", 4, 0),
    ("for x, y in ((1, 2), (2, 4)):\n    assert 2 * x == y", 6, 0),
    ("assert {1: 'a'}[1] == 'a'", 0, 0),
]


@pytest.mark.parametrize("source, tried, survived", CASES)
def test_claims_are_found_and_changed(source, tried, survived):
    found, alive = survivors_of(ast.parse(source).body[0], {})
    assert (found, len(alive)) == (tried, survived)


def test_a_changed_run_leaves_names_and_draws_alone():
    names = {"torch": torch, "seen": 1, "generator": torch.Generator().manual_seed(0)}
    state, own = torch.get_rng_state(), names["generator"].get_state()
    statement = ast.parse("with torch.no_grad():\n    seen = 2\n    assert seen == 2").body[0]
    assert survivors_of(statement, names) == (2, [])
    assert names["seen"] == 2
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(names["generator"].get_state(), own)


def main(arguments):
    if arguments == ["--serve"]:
        return serve()
    left = 0
    with examiner() as examined:
        for page in [Path(argument).resolve() for argument in arguments] or pages():
            found = examined(page)
            left += len(found["survived"])
            print(f"{page.stem}: {found['tried']} changes tried, {len(found['survived'])} not noticed")
            for survivor in found["survived"]:
                print("   ", survivor)
    return min(left, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

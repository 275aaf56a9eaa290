"""The library as a whole: what it exports, what it imports, that it is documented, and that its examples run."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lstmlib

ROOT = Path(lstmlib.__file__).parent
MODULES = [f"lstmlib.{module.name}" for module in pkgutil.iter_modules(lstmlib.__path__)]
ALLOWED = {"torch", "numpy", "matplotlib", "lstmlib"}


def test_importing_it_leaves_matplotlib_alone():
    code = (
        "import sys, lstmlib; assert 'matplotlib' not in sys.modules; "
        "lstmlib.plots; assert 'matplotlib' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    tree = ast.parse((ROOT / f"{name.partition('.')[2]}.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
    found -= set(sys.stdlib_module_names)
    assert found <= ALLOWED
    assert "matplotlib" not in found or name == "lstmlib.plots"


def test_every_export_exists_and_is_sorted():
    assert sorted(lstmlib.__all__) == lstmlib.__all__
    for name in lstmlib.__all__:
        assert getattr(lstmlib, name) is not None
    with pytest.raises(AttributeError, match="module 'lstmlib' has no attribute 'absent'"):
        lstmlib.absent


def public(module):
    """The public functions, classes and methods that a module defines, by dotted name."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield f"{module.__name__}.{name}", value
        elif inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
            for inner, member in vars(value).items():
                if not inner.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    yield f"{module.__name__}.{name}.{inner}", member


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_is_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__
    overridden = {"lstmlib.fused.Fused.forward", "lstmlib.fused.Fused.backward"}  # autograd's own names
    missing = [dotted for dotted, value in public(module) if dotted not in overridden and not value.__doc__]
    assert not missing


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, extraglobs=vars(lstmlib) | {"torch": lstmlib.cell.torch}).failed == 0


def test_there_are_examples():
    found = [example for name in MODULES for example in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(len(example.examples) for example in found) >= 10


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_too_long_to_read(name):
    assert len((ROOT / f"{name.partition('.')[2]}.py").read_text().splitlines()) <= 200

"""What must stop the build does stop it. A small book of one page, with the course's own configuration."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

```{literalinclude} lstmlib/cell.py
:pyobject: LSTMCell.step
```

```{code-cell} ipython3
import math

assert round(math.tanh(1), 3) == 0.762
```

{ref}`a-place`

```{quiz} lstm-output-shape
```

(a-place)=
## A place
"""


@pytest.fixture
def build(tmp_path):
    """Build the page after some change; returns whether it went through, and the build's words."""
    for name in ("_config.yml", "references.bib", "_ext", "_static", "quizzes", "lstmlib"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")

    def run(page=PAGE):
        (tmp_path / "page.md").write_text(page)
        command = [str(Path(sys.executable).parent / "jupyter-book"), "build", ".", "-W", "-n", "--keep-going"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    run.folder = tmp_path
    return run


def test_the_page_as_it_stands_is_green(build):
    passed, words = build()
    assert passed, words[-4000:]


@pytest.mark.parametrize(
    "right, wrong, named",
    [
        ("LSTMCell.step", "LSTMCell.stride", "LSTMCell.stride"),
        ("== 0.762", "== 0.770", "AssertionError"),
        ("`a-place`", "`no-place`", "no-place"),
        ("lstm-output-shape", "lstm-no-such-question", "lstm-no-such-question"),
        ("import math\n", "import math, warnings\nwarnings.warn('careful')\n", "stderr"),
    ],
    ids=["listing gone", "constant off by one percent", "unresolved reference", "question gone", "warning on a page"],
)
def test_turns_red(build, right, wrong, named):
    assert right in PAGE
    passed, words = build(PAGE.replace(right, wrong))
    assert not passed and named in words, words[-4000:]


def test_a_wrong_shape_in_a_quiz_turns_red(build):
    bank = build.folder / "quizzes" / "shapes.yml"
    right, wrong = "- value: (time, batch, hidden)", "- value: (time, batch, hidden + 1)"
    assert right in bank.read_text()
    bank.write_text(bank.read_text().replace(right, wrong, 1))
    passed, words = build()
    assert not passed and "lstm-output-shape" in words, words[-4000:]

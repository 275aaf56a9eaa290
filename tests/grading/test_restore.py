"""The notebook that the exam meets holds the released cells in the released order, and the student's answers."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading.intake import Rejected, Submission
from grading.restore import MOST_CELLS, MOST_SOURCE, restore


def mark(name, kind="code", **flags):
    base = {"grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {"grade_id": name, "cell_type": kind, "schema_version": 3, **base, **flags}}


def answer(name, source):
    return new_code_cell(source, id=name, metadata=mark(name, solution=True, locked=False))


def check(name, source, points=2):
    return new_code_cell(source, id=name, metadata=mark(name, grade=True, points=points))


@pytest.fixture
def release():
    written = mark("why", "markdown", grade=True, solution=True, locked=False, points=1)
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=[
            new_markdown_cell("# Tiny", id="cell-00"),
            new_code_cell("import math", id="setup", metadata=mark("setup")),
            answer("one", "raise NotImplementedError()"),
            check("test_one", "assert one() == 1"),
            answer("two", "raise NotImplementedError()"),
            check("test_two", "assert two() == 2"),
            new_markdown_cell("YOUR ANSWER HERE", id="why", metadata=written),
        ],
    )


@pytest.fixture
def own(release):
    """An honest student's notebook, as plain data to be bent."""
    filled = json.loads(nbformat.writes(release))
    at(filled, "one")["source"] = "def one():\n    return 1"
    at(filled, "two")["source"] = ["def two():\n", "    return 2"]
    at(filled, "why")["source"] = "Because."
    return filled


def at(notebook, name):
    return next(cell for cell in notebook["cells"] if cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") == name)


def handed_in(notebook, name="tiny.ipynb"):
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return Submission({name: content}, digest="")


def restored(notebook, release, name="tiny.ipynb"):
    result = restore(handed_in(notebook, name), "tiny", release)
    nbformat.validate(result.notebook)
    names = [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells if "nbgrader" in cell.metadata]
    assert names == ["setup", "one", "test_one", "two", "test_two", "why"]
    assert {cell.id: cell.source for cell in result.notebook.cells if cell.id in {"setup", "test_one", "test_two"}} == {
        "setup": "import math", "test_one": "assert one() == 1", "test_two": "assert two() == 2"
    }
    return result


def sources(result):
    return [cell.source for cell in result.notebook.cells]


def test_an_honest_notebook_is_left_alone(own, release):
    result = restored(own, release)
    assert result.changes == []
    assert sources(result) == [
        "# Tiny", "import math", "def one():\n    return 1", "assert one() == 1", "def two():\n    return 2",
        "assert two() == 2", "Because.",
    ]


def honest(own):
    """What tools and habits do to a notebook without any ill intent: name, and a function that does it."""

    def colab(n):
        n["nbformat_minor"] = 0
        n["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
        for cell in n["cells"]:
            cell.pop("id")
            cell["metadata"] |= {"id": "xY3", "outputId": "ab", "executionInfo": {"status": "ok", "user": {"displayName": "Ada"}}}

    def vscode(n):
        for cell in n["cells"]:
            cell.pop("id")
            cell["metadata"]["vscode"] = {"languageId": "python"}
        n["cells"].insert(3, {"cell_type": "code", "source": "one()", "metadata": {}, "outputs": [], "execution_count": 7})

    def huge_output(n):
        at(n, "one")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}]

    def ids_in_metadata(n):
        for cell in n["cells"]:
            cell["metadata"] = {"id": cell.pop("id")}

    def null_fields(n):
        n["cells"].append({"cell_type": "code", "source": None, "metadata": None, "outputs": None})

    def picture_in_text(n):
        n["cells"][0]["source"] = f"![](data:image/png;base64,{'A' * (MOST_SOURCE + 1)})"

    def no_kernelspec(n):
        n["metadata"] = {}

    def renamed_kernel(n):
        n["metadata"]["kernelspec"] = {"name": "my-env", "display_name": "My env", "language": "python"}

    def trimmed(n):
        at(n, "test_one")["source"] = "assert one() == 1   \n\n"

    def windows(n):
        at(n, "test_one")["source"] = "assert one() == 1\r\n"
        at(n, "one")["source"] = "def one():\r\n    return 1"

    def lost_marks(n):
        for cell in n["cells"]:
            cell["metadata"] = {}

    def text_edited(n):
        n["cells"][0]["source"] = "# My own title"

    def strange_outputs(n):
        at(n, "one")["outputs"] = [{"output_type": "made up"}, 7]
        at(n, "one").pop("execution_count")

    return {f.__name__: f for f in (colab, vscode, huge_output, ids_in_metadata, null_fields, picture_in_text, no_kernelspec, renamed_kernel, trimmed, windows, lost_marks, text_edited, strange_outputs)}


@pytest.mark.parametrize("habit", honest(None))
def test_honest_oddities_are_accepted(habit, own, release):
    honest(own)[habit](own)
    result = restored(own, release)
    assert result.changes == []
    assert "def one():\n    return 1" in sources(result)
    assert all(not cell.get("outputs") for cell in result.notebook.cells)


@pytest.mark.parametrize("name", ["tiny.ipynb", "tiny (1).ipynb", "tiny-Copy1.ipynb", "TINY.IPYNB", "tiny.ipynb.txt", "tiny.ipynb.json"])
def test_another_file_name_is_accepted(own, release, name):
    content = b"\xef\xbb\xbf" + json.dumps(own).encode()
    beside = {f"._{name}": b"\0\5\26\7", f"__MACOSX/._{name}": b"\0"}
    assert restore(Submission(beside | {name: content}, ""), "tiny", release).changes == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_every_usual_encoding_is_read(own, release, encoding):
    at(own, "why")["source"] = "Größe, é, –"
    assert sources(restored(json.dumps(own, ensure_ascii=False).encode(encoding), release))[-1] == "Größe, é, –"


def test_half_an_emoji_does_not_stop_the_grading(own, release):
    at(own, "why")["source"] = "so \ud83d what"
    assert nbformat.writes(restored(own, release).notebook).encode()


def test_a_changed_check_is_put_back_and_said(own, release):
    at(own, "test_one")["source"] = "pass"
    assert restored(own, release).changes == ["test_one (changed)"]


def test_a_changed_setup_is_put_back_and_said(own, release):
    at(own, "setup")["source"] = "import math, sys; sys.exit()"
    assert restored(own, release).changes == ["setup (changed)"]


def test_missing_cells_are_put_back_in_their_place(own, release):
    own["cells"] = [cell for cell in own["cells"] if cell not in (at(own, "test_one"), at(own, "two"), at(own, "setup"))]
    result = restored(own, release)
    assert result.changes == ["setup (missing)", "test_one (missing)", "two (missing)"]
    assert sources(result)[-3:] == ["", "assert two() == 2", "Because."]


def test_cells_merged_into_one_keep_what_they_define(own, release):
    at(own, "one")["source"] += "\n\ndef two():\n    return 2"
    own["cells"].remove(at(own, "two"))
    result = restored(own, release)
    assert result.changes == ["two (missing)"] and not any("NotImplementedError" in source for source in sources(result))


def test_cells_in_another_order_are_put_in_order(own, release):
    own["cells"].reverse()
    result = restored(own, release)
    assert result.changes == ["cells in another order"]
    assert sources(result).index("def one():\n    return 1") < sources(result).index("def two():\n    return 2")


def test_of_two_cells_of_one_name_the_last_counts(own, release):
    old = json.loads(json.dumps(at(own, "one"))) | {"source": "def one():\n    return 0", "id": "copied"}
    own["cells"].insert(1, old)
    result = restored(own, release)
    assert result.changes == ["one (there twice; the last counts)"]
    assert [cell.source for cell in result.notebook.cells if cell.id == "one"] == ["def one():\n    return 1"]


def test_a_thousand_copies_of_a_cell_are_one_change(own, release):
    own["cells"] += [at(own, "test_one")] * 900
    assert restored(own, release).changes == ["test_one (there twice; the last counts)", "cells in another order"]


def test_changed_points_are_put_back_and_said(own, release):
    at(own, "test_one")["metadata"]["nbgrader"]["points"] = 200
    result = restored(own, release)
    assert result.changes == ["test_one (its points or kind)"]
    assert [cell.metadata.nbgrader.points for cell in result.notebook.cells if cell.id == "test_one"] == [2]


def test_a_check_turned_into_text_is_code_again(own, release):
    at(own, "test_one").update(cell_type="markdown")
    assert restored(own, release).changes == ["test_one (its cell type)"]


def test_a_mark_of_our_own_on_another_cell_is_dropped(own, release):
    own["cells"].append({"cell_type": "code", "source": "1", "metadata": mark("test_three", grade=True, points=50), "outputs": []})
    result = restored(own, release)
    assert "nbgrader" not in result.notebook.cells[-1].metadata


def test_pasted_pictures_stay_and_anything_else_attached_goes(own, release):
    at(own, "why")["attachments"] = {
        "a.png": {"image/png": "aGVsbG8="}, "b.svg": {"image/svg+xml": "aGVsbG8="}, "c.png": {"image/png": '"><script>'},
        "\ud800.png": {"image/png": "aGVsbG8="},
    }
    result = restored(own, release)
    (cell,) = (cell for cell in result.notebook.cells if cell.id == "why")
    assert cell.attachments == {"a.png": {"image/png": "aGVsbG8="}} and nbformat.writes(result.notebook).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "broken JSON"),
        (b'{"cells": [', "broken JSON"),
        (b"\xff\xfe{}", "broken JSON"),
        (b"[" * 200_000, "broken JSON"),
        (b'{"cells":[' + b'{"":0},' * 1_000_000 + b"{}]}", "more than 1000000 brackets"),
        (b"[]", "no list of cells"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": [7]}', "no list of cells"),
        (b'{"cells": [{"cell_type": "code", "source": 7}]}', "neither code nor text"),
        (b'{"cells": [{"cell_type": "heading", "source": ""}]}', "neither code nor text"),
        (b'{"cells": [{"cell_type": ["code"], "source": ""}]}', "neither code nor text"),
        (b'{"cells": []}', "none of the notebook's cells belongs to tiny"),
        (json.dumps({"cells": [{"cell_type": "code", "source": ""}] * (MOST_CELLS + 1)}).encode(), "1001 cells"),
        (json.dumps({"cells": [{"cell_type": "code", "source": "x" * 1_100_000}]}).encode(), "more than 1048576 characters"),
    ],
)
def test_what_is_no_notebook_is_rejected_in_one_line(content, said, release):
    with pytest.raises(Rejected, match=said) as caught:
        restore(handed_in(content), "tiny", release)
    assert "\n" not in str(caught.value)


def test_the_notebook_of_another_exercise_is_rejected(own, release):
    for cell in own["cells"]:
        cell["id"] = "other-" + cell["id"]
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] += "_of_another"
    with pytest.raises(Rejected, match="notebook of another exercise"):
        restore(handed_in(own), "tiny", release)


def test_without_the_right_notebook_the_folder_is_rejected(own, release):
    content = json.dumps(own).encode()
    with pytest.raises(Rejected, match=r"tiny.ipynb is missing: the folder holds no notebook \(there is one in a folder inside it\)"):
        restore(Submission({"sub/tiny.ipynb": content}, ""), "tiny", release)
    with pytest.raises(Rejected, match="holds 2 notebooks, none of that name"):
        restore(Submission({"a.ipynb": content, "b.ipynb": content}, ""), "tiny", release)

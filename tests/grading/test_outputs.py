"""What may be shown of a run: text and checked images, whatever shape the report has."""

import base64
import sys

import nbformat
import pytest

from grading.outcome import PartResult
from grading.outputs import annotate, passive, plain

PNG = b"\x89PNG\r\n\x1a\n rest"


@pytest.mark.parametrize(
    "hostile",
    [None, 5, "text", [], {}, {"kind": "stream"}, {"kind": "stream", "name": "x", "text": []}, {"kind": "stream", "name": "stdout", "text": "a"},
     {"kind": "error", "ename": 1}, {"kind": "display_data", "data": []}, {"kind": "display_data", "data": {"text/html": "<b>"}},
     {"kind": "execute_result", "data": {"image/png": "x\" onload=\"alert(1)"}}, {"kind": "update_display_data", "data": {"text/plain": "x"}}],
    ids=repr,
)  # fmt: skip
def test_what_is_no_output_is_dropped(hostile):
    assert passive(hostile) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"kind": "stream", "name": "stdout", "text": [5, None, ["x"], "kept\n"]},
        {"kind": "error", "ename": None, "evalue": {}, "traceback": [3, "line"]},
        {"kind": "display_data", "data": {"text/plain": 5, "image/jpeg": 7}},
    ],
    ids=repr,
)
def test_odd_types_become_a_valid_output(odd):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[passive(odd)])])
    nbformat.validate(notebook)


def test_images_are_those_they_claim_to_be():
    data = {"image/png": base64.encodebytes(PNG).decode(), "image/jpeg": base64.b64encode(PNG).decode(), "image/svg+xml": "<svg/>"}
    output = passive({"kind": "display_data", "data": data, "metadata": {"image/png": {"alt": "x"}}})
    assert output.data == {"image/png": base64.b64encode(PNG).decode()} and output.metadata == {}


def test_text_loses_paths_control_characters_and_broken_unicode():
    assert plain(f"{sys.prefix}/lib/x.py\x00\x08 \ud800 \x1b[31mred\x1b[0m\t\n") == "python/lib/x.py ? \x1b[31mred\x1b[0m\t\n"


def test_one_point_is_a_point():
    cell = nbformat.v4.new_code_cell("", metadata={"nbgrader": {"grade": True, "grade_id": "test_one"}})
    part = PartResult("test_one", "one", 1.0, True, hint="")
    shown = annotate(nbformat.v4.new_notebook(cells=[cell]), [[]], (part,), {"test_one": 1.0}, {"test_one": 1.0}, "")
    assert "1 of 1 point<" in shown.cells[0].outputs[0].data["text/html"]


def test_a_flood_of_small_outputs_is_cut():
    cells = [nbformat.v4.new_code_cell("") for _ in range(3)]
    flood = [{"kind": "display_data", "data": {"text/plain": "1"}}] * 4000
    shown = annotate(nbformat.v4.new_notebook(cells=cells), [flood] * 3, (), {}, {}, "")
    assert [len(cell.outputs) for cell in shown.cells] == [4000, 1000, 0]

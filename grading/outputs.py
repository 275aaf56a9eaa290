"""What a student and an instructor may be shown of a run: outputs without active content.

Outputs come from the student's process and end in the instructor's browser. Text, and images
whose bytes were checked, pass; HTML, scripts and metadata do not. Paths of this machine are
replaced in all text.
"""

import base64
import binascii
import html
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from grading.bubblewrap import HOME
from grading.outcome import PartResult

_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_PLACES = {
    str(Path(__file__).parents[1]): "course",
    sys.prefix: "python",
    sys.base_prefix: "python",
    str(Path.home()): "~",
    HOME: ".",
}
_MOST = 5000  # outputs of a notebook: a page with more of them is of use to nobody, and takes minutes to make
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")  # all but \t \n \r escape


def passive(output) -> NotebookNode | None:
    """Build a harmless output from what a student's process says it showed; None if nothing is left."""
    match output:
        case {"kind": "stream", "name": "stdout" | "stderr" as name, "text": list(text)}:
            return new_output("stream", name=name, text="".join(map(plain, text)))
        case {"kind": "error", "ename": name, "evalue": value, "traceback": list(lines)}:
            lines = [plain(line) for line in lines]
            return new_output("error", ename=plain(name), evalue=plain(value), traceback=lines)
        case {"kind": "display_data" | "execute_result", "data": dict(data)}:
            shown = _shown(data)
            return new_output("display_data", data=shown) if shown else None
    return None


def plain(text) -> str:
    """Text without paths of this machine, control characters or broken Unicode."""
    if not isinstance(text, str):
        return ""
    clean = _UNPRINTABLE.sub("", text).encode("utf-8", "replace").decode()
    for path in sorted(_PLACES, key=len, reverse=True):
        if path not in ("/", "/usr"):
            clean = clean.replace(path, _PLACES[path])
    return clean


def _shown(data: dict) -> dict[str, str]:
    shown = {}
    if "text/plain" in data:
        shown["text/plain"] = plain(data["text/plain"])
    for kind, magic in _IMAGES.items():
        try:
            image = base64.b64decode(str(data.get(kind, "")).replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            continue
        if image.startswith(magic):
            shown[kind] = base64.b64encode(image).decode()
    return shown


def annotate(
    notebook: NotebookNode,
    outputs: list[list],
    parts: tuple[PartResult, ...],
    scores: dict[str, float],
    points: dict[str, float],
    note: str,
) -> NotebookNode:
    """Return a copy of `notebook` with the run's outputs and, first in each graded cell, its score.

    nbgrader takes the first result in a graded cell as its score, whatever follows it.
    """
    shown = nbformat.from_dict(notebook)
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    room = _MOST
    for number, cell in enumerate(code):
        ran = number < len(outputs)
        cell.execution_count = number + 1 if ran else None
        kept = outputs[number][:room] if ran else []
        room -= len(kept)
        cell.outputs = [o for o in map(passive, kept) if o]
        grade_id = grade_of(cell)
        if grade_id in scores:
            mine = [part for part in parts if part.grade_id == grade_id]
            text = _verdict(mine, scores[grade_id], points[grade_id], note)
            data = {"text/plain": repr(scores[grade_id]), "text/html": text}
            result = new_output("execute_result", data=data, execution_count=cell.execution_count)
            cell.outputs.insert(0, result)
    return shown


def grade_of(cell: NotebookNode) -> str | None:
    """The grade id of a cell that gives points, None for every other cell."""
    about = cell.metadata.get("nbgrader", {})
    return about.get("grade_id") if about.get("grade") else None


def _verdict(parts: list[PartResult], score: float, most: float, note: str) -> str:
    lines = [f"<p><strong>{score:g} of {_points(most)}</strong></p>"]
    if note:
        lines.append(f"<p>{html.escape(note)}</p>")
    total = sum(part.weight for part in parts)
    for part in parts:
        worth = _points(most * part.weight / total)
        text = "passed" if part.passed else html.escape(f"{part.hint} {part.reason}".strip())
        lines.append(f"<li>{'✓' if part.passed else '✗'} ({worth}) {text}</li>")
    return "\n".join([*lines[: 1 + bool(note)], "<ul>", *lines[1 + bool(note) :], "</ul>"])


def _points(worth: float) -> str:
    return "1 point" if worth == 1 else f"{worth:.3g} points"

"""Read the handed-in notebook and put back what a student must not change, so that the exam meets the released cells."""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field

from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from grading.intake import Rejected, Submission

MOST_CELLS = 1000
MOST_CONTAINERS = 1_000_000  # an empty one takes 2 bytes of the file and 64 of memory; a picture has none
MOST_SOURCE = 2**20  # characters, all cells together
PICTURES = {"image/png", "image/jpeg", "image/gif"}
PASTED = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")  # as Colab keeps a picture in a text; SVG can hold scripts
ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the last two
NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
FLAGS = ("grade", "solution", "task", "locked", "points")


@dataclass
class Restored:
    """A notebook fit for the examiner, and in words what had to be put back (empty for an honest one)."""

    notebook: NotebookNode
    changes: list[str] = field(default_factory=list)
    ungraded: list[str] = field(default_factory=list)  # the other notebooks handed in beside it


def restore(submission: Submission, assignment: str, release: NotebookNode) -> Restored:
    """The submission's notebook with the release's cells in the release's order; raises Rejected."""
    own, ungraded = _find_notebook(submission, assignment)
    cells = _read_cells(submission.files[own])
    wanted = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if "nbgrader" in cell.metadata}
    marked, changes = _mark(cells, wanted)
    if wanted and not marked:
        raise Rejected(f"none of the notebook's cells belongs to {assignment}; is it the notebook of another exercise?")
    order = [grade_id for grade_id in wanted if grade_id in marked]
    slots = sorted(marked[grade_id] for grade_id in order)
    if slots != [marked[grade_id] for grade_id in order]:
        changes.append("cells in another order")
    for slot, grade_id, own in zip(slots, order, [cells[marked[grade_id]] for grade_id in order], strict=True):
        cells[slot] = _put_back(own, wanted[grade_id], changes)
    _insert_missing(cells, wanted, changes)
    for number, cell in enumerate(cells):
        cell.id = _name(cell) or f"cell-{number:02d}"
    notebook = from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": release.metadata, "cells": cells})
    return Restored(notebook, list(dict.fromkeys(changes)), ungraded)  # a thousand copies of a cell are one change


def _find_notebook(submission: Submission, assignment: str) -> tuple[str, list[str]]:
    """The file named as released, or the only notebook there is (a download may have renamed it); then the others."""
    everywhere = [path for path in submission.files if path.lower().endswith(ENDINGS)]
    notebooks = [path for path in everywhere if "/" not in path and path[0] != "."]  # a Mac's zip has a "._" beside each file
    named = f"{assignment}.ipynb"
    if named in notebooks or len(notebooks) == 1:
        own = named if named in notebooks else notebooks[0]
        return own, [path for path in notebooks if path != own]
    found = f"{len(notebooks)} notebooks, none of that name" if notebooks else "no notebook"
    found += " (there is one in a folder inside it)" if everywhere and not notebooks else ""
    raise Rejected(f"{named} is missing: the folder holds {found}")


def _read_cells(content: bytes) -> list[NotebookNode]:
    """Only what grading needs of each cell: its kind, its source, nbgrader's mark, pasted pictures. Outputs go."""
    if content.count(b"{") + content.count(b"[") > MOST_CONTAINERS:  # those in texts count too: nothing is parsed yet
        raise Rejected(f"the notebook holds more than {MOST_CONTAINERS} brackets; clear its outputs and hand it in again")
    try:
        notebook = _parsed(content)
    except (ValueError, RecursionError) as error:
        raise Rejected("the notebook cannot be read: the file is not a whole notebook (broken JSON)") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Rejected("the notebook cannot be read: the file has no list of cells (is it a notebook of format 4?)")
    if len(cells) > MOST_CELLS:
        raise Rejected(f"the notebook has {len(cells)} cells; at most {MOST_CELLS} are graded")
    plain = [_plain(cell) for cell in cells]
    if sum(len(cell.source if cell.cell_type == "code" else PASTED.sub("", cell.source)) for cell in plain) > MOST_SOURCE:
        raise Rejected(f"the notebook's cells hold more than {MOST_SOURCE} characters")
    return plain


def _parsed(content: bytes) -> object:
    """JSON in UTF-8 or UTF-16, with a mark or without, or in what old editors on Windows write."""
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        return json.loads(content.decode("cp1252", "replace"))


def _plain(cell: dict) -> NotebookNode:
    kind, source, metadata = cell.get("cell_type"), cell.get("source") or "", cell.get("metadata") or {}
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(kind, str) or kind not in NEW_CELL or not isinstance(source, str) or not isinstance(metadata, dict):
        raise Rejected("the notebook cannot be read: a cell is neither code nor text")
    source = source.replace("\r\n", "\n").encode("utf-8", "replace").decode()  # half an emoji would break later writing
    clean = NEW_CELL[kind](source)
    mark = metadata.get("nbgrader")
    name = mark.get("grade_id") if isinstance(mark, dict) else cell.get("id", metadata.get("id"))  # an id survives tools that drop metadata
    if isinstance(name, str):
        clean.metadata["claims"] = {"name": name, "marked": isinstance(mark, dict), "flags": _flags(mark)}
    pictures = _pictures(cell.get("attachments"))
    if pictures and kind == "markdown":
        clean.attachments = pictures
    return clean


def _flags(mark: object) -> list:
    return [mark.get(flag) or False for flag in FLAGS] if isinstance(mark, dict) else []


def _pictures(attachments: object) -> dict:
    """Pasted pictures of the usual kinds whose content is base64 and nothing else."""
    pictures = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for kind, content in bundle.items() if isinstance(bundle, dict) else ():
            if kind in PICTURES and name.isprintable() and isinstance(content, str) and _is_base64(content):
                pictures[name] = {kind: content}
    return pictures


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _mark(cells: list[NotebookNode], wanted: dict) -> tuple[dict[str, int], list[str]]:
    """Which cell is which released one: by nbgrader's mark, else by its id. Of two the last one counts, as in nbgrader."""
    changes, marked = [], {}
    claims = [(number, cell.metadata.pop("claims", None)) for number, cell in enumerate(cells)]
    for number, claim in claims:
        if claim and claim["marked"] and claim["name"] in wanted:
            if claim["name"] in marked:
                changes.append(f"{claim['name']} (there twice; the last counts)")
            marked[claim["name"]] = number
            released = wanted[claim["name"]].metadata.nbgrader
            if claim["flags"] != _flags(released):
                changes.append(f"{claim['name']} (its points or kind)")
    for number, claim in claims:
        if claim and not claim["marked"] and claim["name"] in wanted:
            marked.setdefault(claim["name"], number)
    return marked, changes


def _put_back(own: NotebookNode, released: NotebookNode, changes: list[str]) -> NotebookNode:
    """The released cell, with the student's source where the cell is hers to fill in."""
    cell, mark = from_dict(released), released.metadata.nbgrader
    if own.cell_type != released.cell_type:
        changes.append(f"{mark.grade_id} (its cell type)")
    if mark.solution or mark.get("task"):
        cell.source = own.source
        if "attachments" in own and cell.cell_type == "markdown":
            cell.attachments = own.attachments
    elif released.cell_type == "code" and _as_read(own.source) != _as_read(released.source):
        changes.append(f"{mark.grade_id} (changed)")
    return cell


def _as_read(source: str) -> list[str]:
    """Lines without the blanks at their ends, which editors remove and add by themselves."""
    return [line.rstrip() for line in source.rstrip().splitlines()]


def _insert_missing(cells: list[NotebookNode], wanted: dict, changes: list[str]) -> None:
    """Add each missing cell after the released one before it. A missing text of the instructor's is not worth telling."""
    place = 0
    for grade_id, released in wanted.items():
        present = [number for number, cell in enumerate(cells) if _name(cell) == grade_id]
        if not present:
            cells.insert(place, _as_missing(released))
            if released.cell_type == "code" or released.metadata.nbgrader.solution:
                changes.append(f"{grade_id} (missing)")
        place = (present[0] if present else place) + 1


def _as_missing(released: NotebookNode) -> NotebookNode:
    """A cell that she fills in comes back empty: its `raise NotImplementedError()` would undo what she merged into another."""
    cell = from_dict(released)
    if cell.cell_type == "code" and cell.metadata.nbgrader.solution and not cell.metadata.nbgrader.grade:
        cell.source = ""
    return cell


def _name(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")

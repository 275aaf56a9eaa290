"""The notebooks that pages offer to download."""
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(page for page in (REPOSITORY / "chapters").glob("*.md") if page.read_text().startswith("---\njupytext:"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_has_the_page_s_code_and_no_directive_is_left(page, site):
    notebook = nbformat.read(site / "notebooks" / "chapters" / f"{page.stem}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.source.startswith("%pip")]
    assert code == [cell.source for cell in jupytext.read(page).cells if cell.cell_type == "code"]
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not re.search(r"^(`{3,}|:{3,})\{|\{[\w:-]+\}`|^\([\w-]+\)=$", text, re.M)


def test_listings_are_put_in(site):
    notebook = (site / "notebooks" / "chapters" / "cell.ipynb").read_text()
    assert "h = o * torch.tanh(c)" in notebook


def test_runs(site, tmp_path):
    notebook = nbformat.read(site / "notebooks" / "chapters" / "notation.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()

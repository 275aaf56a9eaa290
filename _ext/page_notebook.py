"""Each page as a notebook to download: its MyST expanded to what JupyterLab and Colab can show.

Code cells stay as they are. In the text, listings are put in, cross-references become the titles they lead to, citations their
keys, measured numbers what this build measured, admonitions quoted blocks; quizzes stay on the page, which is named.
"""
import ast
import re
import textwrap
from pathlib import Path

import jupytext
import nbformat
from myst_nb.core.variables import format_plain_text
from myst_nb.ext.glue.crossref import read_glue_cache
from sphinx.application import Sphinx

FENCE = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w-]+)\} *(?P<argument>[^\n]*)\n(?P<body>.*?)^(?P=fence) *$", re.M | re.S)
ROLE = re.compile(r"\{(?P<name>[\w:-]+)\}`(?P<text>[^`]+)`")
TITLED = re.compile(r"(?P<title>.+?)\s*<(?P<target>[^>]+)>")
FOLDER = "notebooks"


def listing(file: Path, name: str) -> str:
    """The source of ``function``, ``Class`` or ``Class.method`` in a file."""
    source = file.read_text()
    node = ast.parse(source)
    for part in name.split("."):
        node = next(child for child in node.body if getattr(child, "name", None) == part)
    first = min([node.lineno, *(line.lineno for line in node.decorator_list)])
    return textwrap.dedent("\n".join(source.splitlines()[first - 1 : node.end_lineno]))


class Expander:
    """Turns the MyST of one page into plain Markdown, by what the build knows of the book."""

    def __init__(self, app: Sphinx, page: str):
        self.env, self.page = app.env, page
        self.folder = Path(app.env.doc2path(page)).parent
        self.title = app.env.titles[page].astext()

    def markdown(self, text: str) -> str:
        text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.M)
        text = re.sub(r"(\$\$) \([\w-]+\)$", r"\1", text, flags=re.M)
        return ROLE.sub(self.role, FENCE.sub(self.directive, text))

    def directive(self, match: re.Match) -> str:
        options = dict(re.findall(r"^:([\w-]+): *(.*)$", match["body"], re.M))
        content = re.sub(r"^(:[\w-]+:.*\n)+", "", match["body"]).strip()
        if match["name"] == "literalinclude":
            return f"```python\n{listing(self.folder / match['argument'], options['pyobject'])}\n```"
        if match["name"] == "math":
            return f"$$\n{content}\n$$"
        if match["name"].startswith(("quiz", "bibliography", "tableofcontents")):
            return f"*On the book's page “{self.title}”.*"
        lines = [f"**{match['argument']}**", "", *content.splitlines()] if match["argument"] else content.splitlines()
        return "\n".join(f"> {line}".rstrip() for line in lines)

    def role(self, match: re.Match) -> str:
        titled = TITLED.fullmatch(match["text"])
        title, target = (titled["title"], titled["target"]) if titled else (None, match["text"])
        if match["name"].startswith("cite"):
            return f"[{target.replace(',', ', ')}]"
        if match["name"].startswith("glue"):
            return self.measured(target)
        if match["name"] == "eq":
            return f"({self.env.get_domain('math').equations[target][1]})"
        return title or self.name_of(match["name"], target)

    def measured(self, target: str) -> str:
        """What a cell of the page glued under ``name`` or, to be formatted, ``name:spec``."""
        name, _, spec = target.partition(":")
        data = read_glue_cache(self.env.mystnb_config.output_folder, self.page)
        return format_plain_text(data[name]["data"]["text/plain"], spec)

    def name_of(self, role: str, target: str) -> str:
        labels = self.env.get_domain("std").labels
        document = self.env.relfn2path(f"{target}.md", self.page)[0].removesuffix(".md")
        if role == "doc" and document in self.env.titles:
            return f"*{self.env.titles[document].astext()}*"
        if target in labels:
            return f"*{labels[target][2]}*"
        return target  # the build has warned that it leads nowhere


def page_notebook(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """The notebook of a page whose source is a MyST notebook."""
    notebook = jupytext.read(app.env.doc2path(page))
    expander = Expander(app, page)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03}"
        if cell.cell_type == "markdown":
            cell.source = expander.markdown(cell.source)
        cell.metadata = {key: value for key, value in cell.metadata.items() if key != "mystnb"}
    if address := app.config.html_theme_options.get("repository_url"):
        needs = f"git+{address}" + (" myst-nb" if "myst_nb" in "".join(cell.source for cell in notebook.cells) else "")
        install = nbformat.v4.new_code_cell(f"%pip install --quiet {needs}", id="install")
        notebook.cells.insert(0, install)
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    return notebook


def is_notebook(app: Sphinx, page: str) -> bool:
    source = Path(app.env.doc2path(page))
    return source.suffix == ".md" and source.read_text().startswith("---\njupytext:")


def offer(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """A button in the page's header."""
    if doctree is not None and is_notebook(app, page):
        context["header_buttons"].append({
            "type": "link", "url": context["pathto"](f"{FOLDER}/{page}.ipynb", 1), "icon": "fas fa-download",
            "tooltip": "Download this page as a notebook", "label": "download-notebook-button",
        })  # fmt: skip


def write_all(app: Sphinx, failure: Exception | None) -> None:
    if failure or app.builder.name != "html":
        return
    for page in app.env.found_docs:
        if is_notebook(app, page):
            place = Path(app.outdir, FOLDER, f"{page}.ipynb")
            place.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(page_notebook(app, page), place)


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", offer, priority=502)  # the theme fills the list at 501
    app.connect("build-finished", write_all)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

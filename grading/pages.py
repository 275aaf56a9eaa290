"""What of a student's notebook may reach a browser: formgrader shows it on the instructor's own origin."""

import re
from html import escape
from urllib.parse import unquote

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from nbformat.notebooknode import NotebookNode, from_dict

from grading.restore import PASTED

TAGS = frozenset(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s small span"
    " strong sub summary sup table tbody td th thead tr u ul".split()
)
STYLES = CSSSanitizer(allowed_css_properties=["text-align", "width", "height"])
PICTURE = {"alt", "title", "width", "height"}
LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)  # no path: it would lead about the instructor's own Jupyter
LONGEST = 10_000  # characters of a text cell, pasted pictures aside: rendering takes time by the square of it
MOST_PICTURES = 32 * 2**20  # characters of one cell's pictures and links: a text can name the same one a thousand times
STYLED = re.compile(r"<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
MOST_STYLED = 30  # of a student's own HTML: left open, each is repeated in every paragraph that follows
BESIDE = re.compile(r"(\./)?\w(?!.*\.\.)[\w. /+-]*\.(png|jpe?g|gif)", re.IGNORECASE)  # what record.py lays beside the page


def _may_stay(tag: str, name: str, value: str) -> bool:
    """A link leads out or within the page; a picture is in the notebook or beside it, or opening the page tells a stranger."""
    if (tag, name) == ("a", "href"):
        return bool(LINK.match(value))
    if (tag, name) == ("img", "src"):
        return bool(PASTED.fullmatch(value) or BESIDE.fullmatch(unquote(value)))
    return name in {"class", "id", "style"} or (tag, name) == ("a", "title") or (tag == "img" and name in PICTURE)


class Renderer(IPythonRenderer):
    """nbconvert's, with an end to what repeating a picture or a link can fill."""

    room = MOST_PICTURES

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self._bounded(super().image(text, url, title))

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return self._bounded(super().link(text, url, title))

    def _bounded(self, html: str) -> str:
        self.room -= len(html)
        if self.room < 0:
            raise InvalidNotebook("a text that fills the memory")
        return html


@pass_context
def markdown_to_html(context, source: str) -> str:
    """In the place of nbconvert's filter, which lets a notebook's own HTML and scripts through."""
    renderer = Renderer(escape=False, attachments=context.get("cell", {}).get("attachments", {}))
    if len(PASTED.sub("", source)) > LONGEST or len(STYLED.findall(source)) > MOST_STYLED:
        return f"<pre>{escape(source)}</pre>"
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except InvalidNotebook:  # the text names a pasted picture that is not there, or too much of one that is
        return f"<pre>{escape(source)}</pre>"


def clean_html(html: str | bytes) -> str:
    """In the place of nbconvert's filter of this name, which escapes paragraphs and headings too."""
    html = html.decode() if isinstance(html, bytes) else html
    protocols = {"http", "https", "mailto", "data"}
    return bleach.clean(html, tags=TAGS, attributes=_may_stay, protocols=protocols, css_sanitizer=STYLES)


def for_browser(notebook: NotebookNode) -> NotebookNode:
    """A copy without any metadata but nbgrader's; the examiner has seen to the outputs."""
    shown = from_dict(notebook)
    for cell in shown.cells:
        kept = ("nbgrader", "deletable", "editable")
        cell.metadata = from_dict({key: cell.metadata[key] for key in kept if key in cell.metadata})
    return shown

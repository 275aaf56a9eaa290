"""What of a student's notebook may reach a browser: formgrader shows it on the instructor's own origin."""

import re
from urllib.parse import unquote

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from nbformat.notebooknode import NotebookNode, from_dict

TAGS = frozenset(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s small span"
    " strong sub summary sup table tbody td th thead tr u ul".split()
)
STYLES = CSSSanitizer(allowed_css_properties=["text-align", "width", "height"])
PICTURE = {"alt", "title", "width", "height"}
LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)  # no path: it would lead about the instructor's own Jupyter
PASTED = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")  # SVG can hold scripts
BESIDE = re.compile(r"(\./)?\w(?!.*\.\.)[\w. /+-]*\.(png|jpe?g|gif)", re.IGNORECASE)  # what record.py lays beside the page


def _may_stay(tag: str, name: str, value: str) -> bool:
    """A link leads out or within the page; a picture is in the notebook or beside it, or opening the page tells a stranger."""
    if (tag, name) == ("a", "href"):
        return bool(LINK.match(value))
    if (tag, name) == ("img", "src"):
        return bool(PASTED.fullmatch(value) or BESIDE.fullmatch(unquote(value)))
    return name in {"class", "id", "style"} or (tag, name) == ("a", "title") or (tag == "img" and name in PICTURE)


@pass_context
def markdown_to_html(context, source: str) -> str:
    """In the place of nbconvert's filter, which lets a notebook's own HTML and scripts through."""
    renderer = IPythonRenderer(escape=False, attachments=context.get("cell", {}).get("attachments", {}))
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except InvalidNotebook:  # the text names a pasted picture that is not there
        return f"<pre>{bleach.clean(source)}</pre>"


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

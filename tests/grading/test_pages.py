"""Nothing that a student wrote runs in the browser of who reads it."""

import time

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader.handlers import static_path, template_path
from traitlets.config.loader import PyFileConfigLoader

from grading.course import CONFIG, REPOSITORY
from grading.pages import clean_html, for_browser, markdown_to_html

ATTACKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)></svg>",
    "[x](javascript:alert(1))",
    "![x](x){onerror=alert(1)}",
    "<iframe src='http://evil.example'></iframe>",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    "$</span><script>alert(1)</script>$",
    "\\begin{x}<script>alert(1)</script>\\end{x}",
    "# <script>alert(1)</script>",
    "<style>body { display: none }</style>",
    "<form action='http://evil.example'><input></form>",
    "<a href='data:text/html,<script>alert(1)</script>' onclick='alert(1)'>x</a>",
    "<a href=' da\tta:text/html,x'>x</a> <a href='&#100;ata:text/html,x'>x</a> [x](data:text/html,x) <a href='/files/submitted/eve/x.html'>x</a>",
    "<img src='http://evil.example/x.png'> ![x](https://evil.example/x.png) <img src='//evil.example/x.png'> <img src=' //evil.example/x.png'>",
    "<img src='\\\\evil.example/x.png'> <img src='/\t/evil.example/x.png'> <img src='&#47;/evil.example/x.png'> <img src='x' srcset='//evil.example/x.png'>",
    "<img src='a/%2e%2e/../x.png'> <img src='/logout?x.png'> <img src='data:image/svg+xml;base64,PHN2Zz4='> <img src='data:text/html,x'>",
]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


RESOURCES = {"nbgrader": {"notebook": "x", "score": 0, "max_score": 1, "late_penalty": 0}, "index": 0, "total": 1, "base_url": ""}


@pytest.fixture(scope="module", params=["feedback", "formgrade"])
def page(request):
    """What nbgrader's own templates make of a notebook under the repository's nbgrader configuration."""
    config = PyFileConfigLoader(CONFIG, path=str(REPOSITORY)).load_config()
    folders = {"extra_template_basedirs": [template_path], "extra_template_paths": [f"{static_path}/node_modules/bootstrap/dist/css"]}
    exporter = HTMLExporter(config=config, template_name=request.param, **folders)
    return lambda *cells: exporter.from_notebook_node(for_browser(new_notebook(cells=list(cells))), resources=dict(RESOURCES))[0]


def is_harmless(html):
    soup = BeautifulSoup(html, "html.parser").find(id="notebook-container")
    tags = soup.find_all(True)
    assert not [tag.name for tag in tags if tag.name in {"script", "iframe", "form", "input", "object", "embed", "style", "svg"}]
    assert not [name for tag in tags for name in tag.attrs if name.startswith("on")]
    links = [tag["href"] for tag in tags if tag.get("href")]
    assert not [link for link in links if not link.startswith(("http://", "https://", "mailto:", "#"))]
    pictures = [tag for tag in tags if tag.name == "img"]
    assert not [tag for tag in pictures if "srcset" in tag.attrs or not tag.get("src", "data:image/").startswith("data:image/")]
    return True


@pytest.mark.parametrize("source", ATTACKS)
def test_text_cells_are_cleaned(page, source):
    assert is_harmless(page(new_markdown_cell(source)))


@pytest.mark.parametrize("source", ATTACKS)
def test_outputs_are_cleaned(page, source):
    outputs = [
        new_output("display_data", data={"text/html": source, "text/plain": source}),
        new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": source}),
        new_output("display_data", data={"image/svg+xml": source}),
        new_output("display_data", data={"text/markdown": source, "text/latex": source}),
        new_output("stream", name="stdout", text=source),
        new_output("error", ename=source, evalue=source, traceback=[source]),
    ]
    assert is_harmless(page(new_code_cell(source, outputs=outputs)))


def test_raw_cells_are_cleaned(page):
    assert is_harmless(page(nbformat.v4.new_raw_cell(ATTACKS[0], metadata={"format": "text/html"})))


def test_an_honest_page_keeps_what_it_has(page):
    text = "# Title\n\n**bold** `a < b`, $x_t$\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<details><summary>Hint</summary>\n\nhere\n\n</details>"
    picture = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"})
    score = new_output("execute_result", data={"text/plain": "3.0", "text/html": "<p>3 of 4 points</p>"})
    html = page(new_markdown_cell(text), new_code_cell("x = 1", outputs=[score, picture]))
    for kept in ("<p>3 of 4 points</p>", '<span class="mi">1</span>', "<strong>bold</strong>", "a &lt; b", "$x_t$", "<td>1</td>", "<summary>Hint</summary>", f"base64,{PNG}"):
        assert kept in html


@pytest.mark.parametrize("source", ["data:image/svg+xml;base64,PHN2Zz4=", "data:image/png,x", "x.svg", "x", "x.html", "a/../x.png"])
def test_no_picture_that_may_hold_more_than_a_picture(source):
    assert clean_html(f'<img src="{source}">') == "<img>"


@pytest.mark.parametrize("source", [f"data:image/png;base64,{PNG}", "plot.png", "./data/größe 1.JPG", "gr%C3%B6%C3%9Fe%201.png"])
def test_pictures_of_the_submission_are_shown(source):
    assert BeautifulSoup(clean_html(f'<img src="{source}" alt="x">'), "html.parser").img.attrs == {"src": source, "alt": "x"}


def test_a_pasted_picture_and_a_link_are_shown(page):
    pasted = new_markdown_cell("![x](attachment:a.png) [web](https://pytorch.org/docs)", attachments={"a.png": {"image/png": PNG}})
    html = page(pasted)
    assert f'src="data:image/png;base64,{PNG}"' in html and 'href="https://pytorch.org/docs"' in html


def test_a_picture_that_was_not_pasted_is_no_error(page):
    assert "attachment:gone.png" in page(new_markdown_cell("![x](attachment:gone.png)"))


def test_metadata_other_than_nbgraders_goes():
    cell = new_code_cell("x", metadata={"tags": ["<script>"], "nbgrader": {"grade_id": "a"}, "collapsed": True})
    (clean,) = for_browser(new_notebook(cells=[cell], metadata={"widgets": {"x": 1}})).cells
    assert clean.metadata == {"nbgrader": {"grade_id": "a"}}


REPEATED = {
    "a pasted picture": "![](attachment:a.png)" * 400,
    "a picture by reference": "[a]: attachment:a.png\n\n" + "![][a]" * 1000,
    "a long link": f"[a]: http://{'x' * 5000}\n\n" + "[a]" * 1500,
    "open tags": "".join(f"<b id={n}>" for n in range(400)) + "<p>x" * 1500,
    "half a formula": "\\begin{a}" * 100_000,
    "a long text": "a <b>" * 200_000,
}


@pytest.mark.parametrize("text", REPEATED)
def test_no_text_of_a_student_fills_the_instructors_memory_or_time(text):
    """On formgrader's pages a text is rendered in the instructor's own server."""
    started = time.process_time()
    cell = {"attachments": {"a.png": {"image/png": "A" * 2**20}}}
    html = markdown_to_html({"cell": cell}, REPEATED[text])
    assert html.startswith("<pre>") or len(html) < 32 * 2**20
    assert time.process_time() - started < 10


def test_pictures_in_a_text_do_not_make_it_long():
    html = markdown_to_html({}, f"**so** ![](data:image/png;base64,{'A' * 400_000})")
    assert html.startswith("<p><strong>so</strong> <img") and len(html) > 400_000

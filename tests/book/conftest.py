"""The built book. `make book` is what a reader types, so it is what the tests look at."""
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture(scope="session")
def site(repository):
    """The folder of the built pages; the build's own words are the failure's message."""
    done = subprocess.run(["make", "book", "ARGS="], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return repository / "_build" / "html"


@pytest.fixture(scope="module")
def offline(browser):
    """Open pages in a browser whose network is cut; what they ask for elsewhere is collected in `.wanted`."""
    contexts = []

    def open_page(path, **options):
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.wanted = []
        page.problems = []
        page.on("request", lambda request: page.wanted.append(request.url) if not request.url.startswith(("file:", "data:", "blob:")) else None)
        page.on("requestfailed", lambda request: page.problems.append(f"not loaded: {request.url}"))
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.goto(Path(path).as_uri())
        page.wait_for_function("window.MathJax === undefined || MathJax.startup?.promise !== undefined")
        page.evaluate("window.MathJax && MathJax.startup.promise")
        return page

    yield open_page
    for context in contexts:
        context.close()

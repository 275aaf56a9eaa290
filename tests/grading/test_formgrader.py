"""formgrader in a real browser: the button grades through the sandbox, and a person's score joins the exam's."""

import socket
import subprocess
import time
import urllib.request

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

ASSIGNMENT = "00_tiny"
SCRIPT = "Because <script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"


@pytest.fixture
def server(tiny, programs, tmp_path, bubblewrap):
    """Jupyter with formgrader, in the class folder, on this machine only; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    command = [
        "jupyter", "server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--IdentityProvider.token=", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={tiny.folder}",
    ]
    with open(tmp_path / "server.log", "wb") as log:
        process = subprocess.Popen(command, cwd=tiny.folder, env=programs | own, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if answers(f"{address}/formgrader/api/status"):
                break
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture
def page(browser):
    """A browser page that reaches this machine only."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.route("**/*", lambda route: route.continue_() if "//127.0.0.1" in route.request.url else route.abort())
    yield page
    page.close()


def test_grade_by_button_and_by_hand_then_feedback(server, page, tiny, programs):
    tiny.hand_in("ada", tiny.notebook(double="def double(x):\n    return 2 * x if x else None", why=SCRIPT))
    page.goto(f"{server}/formgrader/manage_submissions/{ASSIGNMENT}")
    row = page.locator("#main-table tr", has_text="ada")
    assert row.locator(".status").inner_text() == "needs autograding"

    row.locator(".autograde a").click()
    page.locator("#success-modal").wait_for()
    assert "ada: graded, 5 of 8" in page.locator("#success-modal").inner_text()
    assert tiny.report()["ada"]["scores"] == {"test_double": 3, "test_triple": 2}
    page.reload()
    row.wait_for()
    assert row.locator(".status").inner_text() == "needs manual grading"
    assert row.locator(".score").inner_text() == "5 / 8"

    page.goto(f"{server}/formgrader/gradebook/{ASSIGNMENT}/{ASSIGNMENT}")
    page.locator("#main-table a", has_text="Submission").first.click()
    page.locator("input.score#why").wait_for()
    expect(page.locator("input.score#test_double")).to_have_attribute("placeholder", "3")
    assert "Double zero." in page.inner_text("#notebook-container")
    assert "SECRET" not in page.content()
    assert page.title() != "taken over"
    with page.expect_response(lambda reply: "/formgrader/api/grade/" in reply.url and reply.request.method == "PUT"):
        page.locator("input.score#why").fill("1.5")
        page.locator("input.score#why").blur()
    with page.expect_response(lambda reply: "/formgrader/api/comment/" in reply.url and reply.request.method == "PUT"):
        page.locator("textarea#why-comment").fill("Say which one.")
        page.locator("textarea#why-comment").blur()

    page.goto(f"{server}/formgrader/manage_submissions/{ASSIGNMENT}")
    row.wait_for()
    assert row.locator(".status").inner_text() == "graded"
    assert row.locator(".score").inner_text() == "6.5 / 8"
    row.locator(".generate-feedback a").click()
    page.locator("#success-modal").wait_for()
    feedback = (tiny.folder / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    assert "Score: 6.5 / 8.0" in feedback and "Say which one." in feedback
    assert "Double zero." in feedback
    shown = BeautifulSoup(feedback, "html.parser").find(id="notebook-container")
    assert "return 2 * x if x else None" in shown.text
    assert not shown.find_all("script") and not shown.find_all(onerror=True)
    assert "SECRET" not in feedback and str(tiny.folder) not in feedback

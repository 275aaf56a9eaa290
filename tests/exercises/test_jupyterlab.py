"""An instructor opens a source in JupyterLab as a notebook, edits it and saves: the text changes, and the release follows."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from grading import release

NAME = "02_cell"
ENTRY = {"ipynb": "Notebook", "md": "Jupytext Notebook"}  # under "Open With"


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "solutions"
    shutil.copytree(release.SOURCES, folder, ignore=shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints"))
    release.write_notebook(folder / NAME / f"{NAME}.md")
    return folder


@pytest.fixture
def lab(sources, tmp_path):
    """The address of a JupyterLab on the sources, with no settings but those the packages bring."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
               "--IdentityProvider.token=", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={sources}"]  # fmt: skip
    home = {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "OMP_NUM_THREADS": "1"}
    with open(tmp_path / "lab.log", "wb") as log:
        server = subprocess.Popen(command, env=os.environ | home, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/api"), lambda: (tmp_path / "lab.log").read_text())
        yield address
    finally:
        server.terminate()
        server.wait(30)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def wait_for(condition, story, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, story()
        time.sleep(0.2)


@pytest.mark.parametrize("kind", ENTRY)
def test_an_edit_in_the_notebook_reaches_text_and_release(browser, lab, sources, tmp_path, kind):
    text = sources / NAME / f"{NAME}.md"
    before = text.read_text(encoding="utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    try:
        page.goto(f"{lab}/lab/tree/{NAME}", timeout=90_000)
        page.locator(".jp-DirListing-item", has_text=f"{NAME}.{kind}").click(button="right", timeout=90_000)
        page.locator(".lm-Menu-itemLabel").get_by_text("Open With", exact=True).hover()
        page.locator(".lm-Menu-itemLabel").get_by_text(ENTRY[kind], exact=True).click()
        cell = page.locator(".jp-MarkdownCell:visible").first
        cell.wait_for(timeout=90_000)
        page.locator(".jp-Toolbar-kernelName:visible", has_text="Python 3").wait_for(timeout=90_000)
        cell.click(position={"x": 200, "y": 8})
        page.keyboard.press("Enter")
        page.keyboard.press("Control+Home")
        page.keyboard.press("End")
        page.keyboard.type(", seen by the instructor")
        page.keyboard.press("Control+s")
        wait_for(lambda: text.read_text(encoding="utf-8") != before, lambda: "saving did not change the text")
    finally:
        page.close()
    title = next(line for line in before.splitlines() if line.startswith("# "))
    assert text.read_text(encoding="utf-8") == before.replace(title, f"{title}, seen by the instructor", 1)
    (made,) = release.release([NAME], tmp_path / "course", sources)
    assert f"{title}, seen by the instructor" in made.read_text(encoding="utf-8")

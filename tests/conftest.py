"""What tests of several kinds need: the system tools, and a browser."""
import gc
import os
import shutil

import pytest
import torch

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HEADLESS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--no-first-run")  # fmt: skip

# Fixtures that take long: the tests that share one go to the same worker.
ONCE = {"site": "the built book", "demo": "the sample class", "marked": "a tiny class", "book": "a book of quizzes", "made": "the handout"}

torch.set_num_threads(1)


def pytest_xdist_auto_num_workers():
    """One process more than there are cores, since some tests wait for a limit; at most 4, as each loads everything."""
    return min(4, 1 + (os.cpu_count() or 1))


def pytest_collection_finish():
    gc.freeze()  # what is loaded by now stays: no search for garbage need walk through it again


@pytest.hookimpl(tryfirst=True)  # xdist looks for the marks in a hook of the same name
def pytest_collection_modifyitems(items):
    for item in items:
        for fixture, group in ONCE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(group))


def unavailable(reason):
    """Skip for want of a tool; under REQUIRE_ALL=1 that is a failure."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{reason} (REQUIRE_ALL=1 makes this a failure)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium; the test is skipped where there is none."""
    found = [path for path in map(shutil.which, CHROMIUM) if path]
    return found[0] if found else unavailable("needs chromium: sudo apt-get install chromium")


@pytest.fixture(scope="session")
def bubblewrap():
    """The path of bubblewrap; the test is skipped where there is none."""
    return shutil.which("bwrap") or unavailable("needs bubblewrap: sudo apt-get install bubblewrap")


@pytest.fixture(scope="session")
def browser(chromium):
    """One headless browser for the whole run (Playwright's synchronous API allows only one at a time)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(HEADLESS))
        yield browser
        browser.close()

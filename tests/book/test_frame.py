"""What a page says of its repository and of its build."""
import importlib.util
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("frame", REPOSITORY / "_ext" / "frame.py")
frame = importlib.util.module_from_spec(spec)
spec.loader.exec_module(frame)


@pytest.mark.parametrize(
    "remote, address",
    [
        ("https://github.com/someone/course.git", "https://github.com/someone/course"),
        ("https://github.com/someone/course", "https://github.com/someone/course"),
        ("https://token@github.com/someone/course.git", "https://github.com/someone/course"),
        ("git@github.com:someone/course.git", "https://github.com/someone/course"),
        ("ssh://git@gitlab.com:22/group/sub/course.git", "https://gitlab.com/group/sub/course"),
        ("/somewhere/course", None),
        ("file:///somewhere/course.git", None),
        ("../course", None),
        ("https://example.org/someone/course.git", None),
        ("", None),
    ],
)
def test_address_of_a_remote(remote, address):
    assert frame.repository_address(remote) == address


def test_without_an_address_no_button_leads_nowhere(site, repository):
    page = (site / "index.html").read_text()
    if frame.repository_address(frame.origin(repository)) is None:
        assert "github.com" not in page and "btn-source-" not in page
    else:
        assert frame.repository_address(frame.origin(repository)) in page


def test_pages_say_what_they_were_checked_with(site):
    import torch

    assert f"Checked with torch {torch.__version__}" in (site / "index.html").read_text()


@pytest.mark.parametrize("width", [1200, 1430, 1600])
def test_the_text_moves_by_the_sidebar_s_own_width(site, offline, width):
    page = offline(site / "chapters" / "cell.html", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    left = "document.querySelector('main').getBoundingClientRect().left"
    before, sidebar = page.evaluate(left), page.locator(".bd-sidebar-primary").bounding_box()
    page.locator(".primary-toggle:visible").first.click()
    page.locator(".bd-sidebar-primary").wait_for(state="hidden")
    page.wait_for_timeout(500)  # the theme slides it
    assert page.evaluate(left) == pytest.approx(before - sidebar["width"], abs=1)

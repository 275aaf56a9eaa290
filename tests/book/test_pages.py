"""Every page of the built book, in a browser whose network is cut."""
import pytest
import yaml
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

REPOSITORY = Path(__file__).resolve().parents[2]

# In each listing the first word of a kind, such as a keyword, stands for the others, which look the same: these lose
# their colours, and axe has fewer contrasts to compute.
ONE_OF_A_KIND = """() => {
    for (const listing of document.querySelectorAll(".highlight pre")) {
        const kinds = new Set();
        for (const word of listing.querySelectorAll("span:not(:has(*))")) {
            let kind = "";
            for (let element = word; element !== listing; element = element.parentElement) kind += element.className + "/";
            if (kinds.has(kind)) word.replaceWith(word.textContent);
            kinds.add(kind);
        }
    }
}"""


def pages():
    """The documents that _toc.yml names, in its order."""
    toc = yaml.safe_load((REPOSITORY / "_toc.yml").read_text())
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *chapters]


@pytest.fixture(scope="module", params=pages())
def loaded(request, site, offline):
    """A page, loaded once for all that is asked of it."""
    page = offline(site / f"{request.param}.html")
    yield page
    page.context.close()


@pytest.fixture
def page(loaded):
    loaded.set_viewport_size({"width": 1280, "height": 900})
    loaded.emulate_media(color_scheme="light", reduced_motion="reduce")
    return loaded


def test_is_complete_without_the_network(page):
    assert page.wanted == [] and page.problems == []
    formulas = page.locator("span.math, div.math").count()
    assert page.locator("mjx-container").count() >= formulas
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0


def test_pictures_are_there_and_described(page):
    for picture in page.locator("article img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0"), picture.get_attribute("src")
        assert picture.get_attribute("alt")
    for figure in page.locator("article .figure-neutral svg").all():
        assert figure.get_attribute("aria-label")
        assert figure.bounding_box()["width"] > 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_axe(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    page.evaluate(ONE_OF_A_KIND)
    found = Axe().run(page).response["violations"]
    serious = [(rule["id"], [node["target"] for node in rule["nodes"]][:5]) for rule in found if rule["impact"] in ("serious", "critical")]
    assert serious == []


def test_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

"""The quiz directive: a small book built with it, looked at as files and in a browser without a network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from grading.bank import Bank

REPOSITORY = Path(__file__).resolve().parents[2]
CONF = f"""
import sys
sys.path.insert(0, {str(REPOSITORY / "_ext")!r})
extensions = ["myst_nb", "quiz", "sphinx-mathjax-offline"]
html_theme = "sphinx_book_theme"
project, root_doc, language = "Quizzes", "index", "en"
myst_enable_extensions = ["dollarmath"]
html_context = {{"default_mode": "auto"}}
"""
INDEX = """# First page

```{toctree}
second
answers
```

```{quiz} lstm-output-shape memory-fades
```

```{quiz} purpose-of-the-layer
```
"""
SECOND = """# Second page

```{quiz}
:topic: shapes
:level: hard
:draws: 2
```
"""
ANSWERS = """# Answers to the quizzes

```{quiz-answers}
```
"""


class Book:
    """A folder of pages with a bank of its own; `build` returns Sphinx's exit status and what it said."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(REPOSITORY / "quizzes", folder / "quizzes")
        for name, text in {"conf.py": CONF, "index.md": INDEX, "second.md": SECOND, "answers.md": ANSWERS}.items():
            (folder / name).write_text(text, encoding="utf-8")

    def build(self, builder="html"):
        command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-b", builder, ".", f"_build/{builder}"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def read(self, name):
        return (self.folder / "_build" / name).read_text(encoding="utf-8")

    def change(self, name, old, new):
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Built once as HTML; tests that change it take `fresh_book`."""
    book = Book(tmp_path_factory.mktemp("book"))
    status, said = book.build()
    assert status == 0, said
    return book


@pytest.fixture
def fresh_book(tmp_path):
    return Book(tmp_path)


# As files


def test_each_question_is_a_form_with_its_draws(book):
    page = book.read("html/index.html")
    assert page.count('class="quiz"') == 3
    assert page.count('class="quiz-draw"') == 4 + 4 + 1  # a question without parameters has one draw
    assert page.count("<fieldset") == page.count("<legend") == 9
    radios = re.findall(r'<input id="([^"]+)" name="([^"]+)" type="radio"', page)
    labels = re.findall(r'<label for="([^"]+)"', page)
    assert [id for id, _ in radios] == labels and len(set(labels)) == 36
    assert book.read("html/second.html").count('class="quiz-draw"') == 2


def test_the_answer_in_the_page_is_the_one_that_the_code_gives(book):
    draws = Bank.load()["lstm-output-shape"].on_page("index", 4)
    page = book.read("html/index.html").split('id="quiz-lstm-output-shape"')[1].split('id="quiz-memory-fades"')[0]
    assert re.findall(r'data-answer="(.)"', page) == [drawn.answer for drawn in draws]


def test_maths_and_code_are_drawn_by_the_page(book):
    page = book.read("html/index.html")
    assert '<span class="math notranslate nohighlight">\\(f \\cdot f \\cdots f\\)</span>' in page
    assert '<span class="n">nn</span><span class="o">.</span><span class="n">LSTM</span>' in page


def test_the_answers_stand_at_the_back_with_links(book):
    page = book.read("html/answers.html")
    assert page.index("First page") < page.rindex("Second page")
    links = re.findall(r'href="(index|second)\.html#quiz-([a-z-]+)"', page)
    assert links[:4] == [("index", "lstm-output-shape"), ("index", "memory-fades"), ("index", "purpose-of-the-layer"), ("second", "lstm-sizes-from-data")]  # fmt: skip
    assert "One vector of 3 for each of 4 steps" in page


def test_in_print_a_question_is_a_lettered_list(fresh_book):
    status, said = fresh_book.build("latex")
    assert status == 0, said
    (tex,) = (fresh_book.folder / "_build" / "latex").glob("*.tex")
    text = tex.read_text(encoding="utf-8")
    assert text.count(r"\sphinxsetlistlabels{\Alph}") == 4
    assert r"\hyperref[\detokenize{second:quiz-lstm-sizes-from-data}]" in text
    assert r"\label{\detokenize{second:quiz-lstm-sizes-from-data}}" in text
    assert "input type" not in text and "Another one" not in text


BROKEN = """# Broken

```{quiz} purpose-of-layers
```

```{quiz}
```

```{quiz} purpose-of-the-layer purpose-of-the-layer
```

```{quiz} lstm-output-shape
```
"""


def test_a_wrong_shape_and_a_directive_that_cannot_ask_turn_the_build_red(fresh_book):
    (fresh_book.folder / "second.md").write_text(BROKEN, encoding="utf-8")
    fresh_book.change("index.md", "lstm-output-shape ", "")
    fresh_book.change("quizzes/shapes.yml", "- value: (time, batch, hidden)", "- value: (time, batch, hidden + 1)")
    status, said = fresh_book.build()
    assert status != 0
    for line, told in {
        3: "no question 'purpose-of-layers' in the bank; there are: ",
        6: "asks nothing: it needs a question's id",
        9: "'purpose-of-the-layer' is asked twice on this page",
        12: "shapes.yml: question 'lstm-output-shape', options: 0 of them agree with what the code gives",
    }.items():
        assert re.search(rf"second\.md:{line}: WARNING: quiz: {re.escape(told)}", said), said


def test_a_bank_off_its_schema_ends_the_build_in_one_line(fresh_book):
    fresh_book.change("quizzes/purpose.yml", "level: easy", "level: simple")
    status, said = fresh_book.build()
    assert status != 0
    assert "purpose.yml: question 'purpose-of-the-layer', level: 'simple' is not one of" in said
    assert "Traceback" not in said


def test_a_changed_question_renews_its_pages_and_the_answers_only(fresh_book):
    fresh_book.build()
    second = (fresh_book.folder / "_build/html/second.html").stat().st_mtime_ns
    fresh_book.change("quizzes/purpose.yml", "Which of the four jobs needs", "Which of these jobs needs")
    fresh_book.change("quizzes/purpose.yml", "something of the\n          first step was carried", "a trace of the\n          first step was carried")
    status, said = fresh_book.build()
    assert status == 0, said
    assert "Which of these jobs needs" in fresh_book.read("html/index.html")
    assert "a trace of the first step" in fresh_book.read("html/answers.html")
    assert (fresh_book.folder / "_build/html/second.html").stat().st_mtime_ns == second


# In a browser, opened from a file, with the network cut


@pytest.fixture
def page(book, offline):
    return offline(book.folder / "_build/html/index.html", viewport={"width": 1100, "height": 900})


@pytest.fixture
def question(page):
    return page.locator("#quiz-lstm-output-shape")


def letters(question, right):
    """The letter that is right in the draw that shows, or one that is not."""
    answer = question.locator(".quiz-draw:not([hidden])").get_attribute("data-answer")
    return answer if right else next(letter for letter in "ABCD" if letter != answer)


def visible(question, css):
    return question.locator(f".quiz-draw:not([hidden]) {css}:visible")


def test_a_question_is_answered_by_keyboard_alone(page, question):
    live = question.locator(".quiz-draw:not([hidden]) .quiz-live")
    assert live.get_attribute("aria-live") == "polite"
    assert live.inner_text().strip() == ""
    page.evaluate("document.querySelector('#quiz-lstm-output-shape').scrollIntoView()")
    while page.evaluate("document.activeElement.name") != "quiz-lstm-output-shape-0":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for wanted in (letters(question, right=False), letters(question, right=True)):
        while page.evaluate("document.activeElement.value") != wanted:
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Check"
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"  # the focus is seen
        page.keyboard.press("Enter")
        right = wanted == letters(question, right=True)
        assert f"{wanted} is {'right' if right else 'not right'}." in live.inner_text()
        assert ("so output is (4, 2, 3)" in live.inner_text()) == right  # worked steps: open once it is right
        assert "Worked steps" in live.inner_text()
        page.keyboard.press("Shift+Tab")


def test_checking_without_a_choice_asks_for_one(question):
    visible(question, ".quiz-check").click()
    assert visible(question, ".quiz-live").inner_text().strip() == "Choose an answer first."


def test_every_option_has_its_own_feedback_and_a_new_choice_takes_it_back(question):
    told = set()
    for letter in "ABCD":
        visible(question, f"input[value={letter}]").check()
        assert visible(question, ".quiz-feedback").count() == 0
        visible(question, ".quiz-check").click()
        assert visible(question, ".quiz-feedback").count() == 1
        told.add(visible(question, ".quiz-feedback").inner_text())
    assert len(told) == 4


def test_another_one_has_other_numbers_and_takes_the_focus(page, question):
    seen = []
    for _ in range(4):
        seen.append(visible(question, "pre").first.inner_text())
        visible(question, "input").first.check()
        visible(question, ".quiz-check").click()
        visible(question, ".quiz-another").click()
        assert page.evaluate("document.activeElement.tagName") == "FIELDSET"
        assert visible(question, "input:checked").count() == 0
        assert visible(question, ".quiz-feedback").count() == 0
    assert len(set(seen)) == 4
    assert visible(question, "pre").first.inner_text() == seen[0]  # and round again


def test_a_question_without_parameters_offers_no_other(page):
    assert page.locator("#quiz-purpose-of-the-layer .quiz-another").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_axe_before_and_after_an_answer(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    for right in (None, False, True):
        for question in page.locator(".quiz").all():
            if right is not None:
                visible(question, f"input[value={letters(question, right)}]").check()
                visible(question, ".quiz-check").click()
                question.locator("summary:visible").last.scroll_into_view_if_needed()
        found = Axe().run(page, context=".quiz").response["violations"]
        assert [(r["id"], [n["target"] for n in r["nodes"]]) for r in found if r["impact"] in ("serious", "critical")] == []


def test_the_page_asks_nothing_of_the_network_and_fits_a_phone(page):
    assert page.wanted == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_script_the_answer_folds_out(book, offline):
    page = offline(book.folder / "_build/html/index.html", java_script_enabled=False)
    question = page.locator("#quiz-lstm-output-shape")
    assert not visible(question, ".quiz-check").count()
    assert visible(question, "legend").count() == 1  # the first draw alone
    assert not visible(question, ".quiz-feedback").count()
    visible(question, ".quiz-answer summary").first.click()
    assert visible(question, ".quiz-feedback").count() == 4


def test_on_paper_the_options_are_listed_and_the_answers_stand_at_the_end(page, question):
    visible(question, ".quiz-another").click()
    page.emulate_media(media="print", color_scheme="dark")
    assert question.locator("legend:visible").inner_text() == "x holds 4 time steps of 2 sequences with 5 features. What is the shape of output?"
    for gone in (".quiz-check", ".quiz-another", ".quiz-hint", ".quiz-live"):
        assert page.locator(f"{gone}:visible").count() == 0
    answers = page.locator(".quiz-page-answers")
    assert answers.is_visible()
    assert "Question 1" in answers.inner_text() and "so output is (4, 2, 3)" in answers.inner_text()
    page.emulate_media(media="screen")
    assert not answers.is_visible()

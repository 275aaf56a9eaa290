"""The ``quiz`` directive: questions of the bank as forms on a page, as a list in print.

    ```{quiz} lstm-output-shape cell-state-shapes
    ```
    ```{quiz}
    :topic: gates
    :level: easy
    ```
    ```{quiz-answers}
    ```

Each question is drawn several times when the page is built, so that "Another one" needs no Python. The right answer
of every draw comes from running the question's code (grading.bank): a question whose code and options disagree is a
warning of the build. Outside HTML a question is a lettered list, and ``quiz-answers`` gives the worked answers of the
whole book; a page printed from a browser carries its own answers at its end.
"""
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from grading.bank import Bank, BankError, Question
from grading.drawn import Drawn, Option
from quiz_nodes import Answered, FinishQuizzes, depart_html_element, html_element, quiz, quiz_answers, tag
from quiz_nodes import visit_html_element

logger = logging.getLogger(__name__)


class QuizDirective(SphinxDirective):
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = {
        "topic": directives.unchanged_required,
        "level": lambda text: directives.choice(text, ("easy", "medium", "hard")),
        "draws": directives.positive_int,
    }

    def run(self) -> list[nodes.Node]:
        try:
            return [self.question(question) for question in self.chosen()]
        except (KeyError, BankError) as error:
            logger.warning("quiz: %s", error.args[0], location=self.get_location(), type="quiz")
            return []

    def chosen(self) -> list[Question]:
        bank, topic, level = self.env.app.quiz_bank, self.options.get("topic"), self.options.get("level")
        questions = [bank[id] for id in " ".join(self.arguments).split()] + (bank.topic(topic) if topic else [])
        questions = [q for q in questions if level in (None, q.level)]
        if not questions:
            raise KeyError("asks nothing: it needs a question's id or `:topic:` (and one with that `:level:`)")
        return questions

    def question(self, question: Question) -> nodes.Node:
        self.env.note_dependency(str(Path(self.env.app.confdir, self.config.quiz_bank, question.file)))
        answered = self.env.quiz_answered.setdefault(self.env.docname, [])
        anchor, label = f"quiz-{question.id}", f"Question {len(answered) + 1}"
        if anchor in (other.anchor for other in answered):
            raise KeyError(f"{question.id!r} is asked twice on this page")
        draws = question.on_page(self.env.docname, self.options.get("draws", self.config.quiz_draws))
        answered.append(Answered(label, anchor, self.worked_answer(draws[0])))
        head = tag("p", tag("span", nodes.Text(label), class_="quiz-number"), nodes.Text(" "),
                   tag("span", nodes.Text(question.level), class_=f"quiz-level quiz-level-{question.level}"),
                   class_="quiz-head", id=f"{anchor}-head")
        forms = [self.form(drawn, f"{anchor}-{k}", k > 0, len(draws) > 1) for k, drawn in enumerate(draws)]
        card = tag("div", head, *forms, class_="quiz", id=anchor, role="group", aria_labelledby=f"{anchor}-head")
        return quiz("", card, self.plain(draws[0], f"{label} ({question.level})", anchor))

    # What a question is made of

    def parse(self, text: str) -> list[nodes.Node]:
        """Markdown (or whatever the page is written in) as nodes."""
        parent = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), source=self.env.docname), self.content_offset, parent)
        return parent.children

    def inline(self, text: str) -> list[nodes.Node]:
        """One paragraph of Markdown, without the paragraph."""
        blocks = self.parse(text)
        if len(blocks) != 1 or not isinstance(blocks[0], nodes.paragraph):
            raise KeyError(f"this text must be one paragraph: {text!r}")
        return [nodes.inline("", "", *blocks[0].children)]

    def code(self, source: str) -> list[nodes.Node]:
        return [nodes.literal_block(source, source, language="python")] if source else []

    def steps(self, drawn: Drawn) -> list[nodes.Node]:
        """The worked steps and the code that shows the answer."""
        items = [nodes.list_item("", *self.parse(step)) for step in drawn.steps]
        return [nodes.enumerated_list("", *items, enumtype="arabic", prefix="", suffix="."), *self.code(drawn.proof)]

    def worked_answer(self, drawn: Drawn) -> list[nodes.Node]:
        right = next(option for option in drawn.options if option.letter == drawn.answer)
        first = nodes.paragraph("", "", nodes.strong("", f"{right.letter}. "), *self.inline(right.text))
        return [first, *self.parse(right.feedback), *self.steps(drawn)]

    def plain(self, drawn: Drawn, title: str, anchor: str) -> nodes.Node:
        items = [nodes.list_item("", nodes.paragraph("", "", *self.inline(o.text))) for o in drawn.options]
        options = nodes.enumerated_list("", *items, enumtype="upperalpha", prefix="", suffix=".")
        head = nodes.paragraph("", "", nodes.target("", "", ids=[anchor]), nodes.strong("", f"{title}."))
        return nodes.container("", head, *self.parse(drawn.ask), *self.code(drawn.code), options)

    def form(self, drawn: Drawn, name: str, hidden: bool, another: bool) -> nodes.Node:
        first, *rest = self.parse(drawn.ask)
        legend = tag("legend", nodes.inline("", "", *first.children))
        options = tag("div", *(self.option(o, name) for o in drawn.options), class_="quiz-options")
        fieldset = tag("fieldset", legend, *rest, *self.code(drawn.code), options, tabindex="-1")
        hint = tag("details", tag("summary", nodes.Text("Hint")), *self.parse(drawn.hint), class_="quiz-hint")
        buttons = [tag("button", nodes.Text("Check"), type="submit", class_="quiz-check")]
        buttons += [tag("button", nodes.Text("Another one"), type="button", class_="quiz-another")] if another else []
        actions = tag("div", *buttons, class_="quiz-actions")
        folded = {"hidden": "hidden"} if hidden else {}
        return tag("form", fieldset, actions, hint, self.feedback(drawn), class_="quiz-draw",
                   data_answer=drawn.answer, autocomplete="off", **folded)

    def option(self, option: Option, name: str) -> nodes.Node:
        id = f"{name}-{option.letter}"
        radio = tag("input", type="radio", name=name, id=id, value=option.letter)
        letter = tag("span", nodes.Text(option.letter), class_="quiz-letter")
        text = tag("span", *self.inline(option.text), class_="quiz-text")
        return tag("div", radio, tag("label", letter, text, for_=id), class_="quiz-option")

    def feedback(self, drawn: Drawn) -> nodes.Node:
        """What each option earns, then the steps: folded away until the script takes over, or for good without it."""
        said = []
        for option in drawn.options:
            right = option.letter == drawn.answer
            verdict = f"{option.letter} is right. " if right else f"{option.letter} is not right. "
            named = [] if right or not option.mistake else [nodes.emphasis("", "", *self.inline(f"{option.mistake}."))]
            line = tag("p", tag("strong", nodes.Text(verdict)), *named, class_="quiz-verdict")
            kind = "quiz-feedback quiz-is-right" if right else "quiz-feedback quiz-is-wrong"
            said.append(tag("div", line, *self.parse(option.feedback), class_=kind, data_letter=option.letter))
        mistakes = nodes.bullet_list("", *(nodes.list_item("", *self.parse(m)) for m in drawn.mistakes))
        steps = tag("details", tag("summary", nodes.Text("Worked steps")), *self.steps(drawn),
                    tag("p", nodes.Text("Common mistakes"), class_="quiz-mistakes"), mistakes, class_="quiz-steps")
        live = tag("div", tag("p", class_="quiz-notice"), *said, steps, class_="quiz-live", aria_live="polite")
        return tag("details", tag("summary", nodes.Text("Answer")), live, class_="quiz-answer")


class QuizAnswersDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.quiz_answer_pages.add(self.env.docname)
        return [quiz_answers()]


def load_bank(app: Sphinx, config: Config) -> None:
    """Read the bank once a build; add the script and the style sheet where the book has not listed them."""
    try:
        app.quiz_bank = Bank.load(Path(app.confdir, config.quiz_bank))
    except BankError as error:
        raise ConfigError(str(error)) from error
    if "quiz.js" not in config.html_js_files:
        config.html_static_path.append(str(Path(__file__).resolve().parent.parent / "_static"))
        app.add_js_file("quiz.js", loading_method="defer")
        app.add_css_file("quiz.css")


def begin(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    if not hasattr(env, "quiz_answered"):
        env.quiz_answered, env.quiz_answer_pages = {}, set()


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    getattr(env, "quiz_answered", {}).pop(docname, None)
    getattr(env, "quiz_answer_pages", set()).discard(docname)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """What a parallel reader found in its pages."""
    env.quiz_answered |= {name: found for name, found in other.quiz_answered.items() if name in docnames}
    env.quiz_answer_pages |= other.quiz_answer_pages & set(docnames)


def outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> set[str]:
    """The answers are written anew whenever any page is."""
    return getattr(env, "quiz_answer_pages", set()) & env.found_docs if added | changed | removed else set()


def setup(app: Sphinx) -> dict:
    app.add_config_value("quiz_bank", "quizzes", "env", str)
    app.add_config_value("quiz_draws", 4, "env", int)
    app.add_node(html_element, html=(visit_html_element, depart_html_element))
    app.add_node(quiz)
    app.add_node(quiz_answers)
    app.add_directive("quiz", QuizDirective)
    app.add_directive("quiz-answers", QuizAnswersDirective)
    app.add_post_transform(FinishQuizzes)
    app.connect("config-inited", load_bank)
    app.connect("env-before-read-docs", begin)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-get-outdated", outdated)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}

"""What the ``quiz`` directive puts into a page, and what becomes of it: a form in HTML, a list elsewhere."""
from dataclasses import dataclass

from docutils import nodes
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform


class html_element(nodes.General, nodes.Element):
    """An HTML element around its children; only ever written by an HTML builder."""


class quiz(nodes.General, nodes.Element):
    """A question: its form for HTML, then its list for every other builder."""


class quiz_answers(nodes.General, nodes.Element):
    """Where the answers of all pages go."""


@dataclass
class Answered:
    """A question on a page and the worked answer of its first draw, for the back of the book."""

    label: str
    anchor: str
    answer: list[nodes.Node]


def tag(name: str, /, *children: nodes.Node, **attributes: str) -> html_element:
    """``tag("p", text, class_="x", data_letter="A")``: an underscore stands for a hyphen, a last one for nothing."""
    attributes = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    ids = [attributes.pop("id")] if "id" in attributes else []
    return html_element("", *children, tag=name, attributes=attributes, ids=ids)


def visit_html_element(translator, node: html_element) -> None:
    translator.body.append(translator.starttag(node, node["tag"], "", **node["attributes"]))


def depart_html_element(translator, node: html_element) -> None:
    translator.body.append("" if node["tag"] == "input" else f"</{node['tag']}>\n")


class FinishQuizzes(SphinxPostTransform):
    """Keep of each question what the builder can write, and bring the answers to where they belong."""

    default_priority = 5  # before the transforms that see to the code blocks in what is put in

    def run(self, **kwargs) -> None:
        html = self.app.builder.format == "html"
        questions = list(self.document.findall(quiz))
        for question in questions:
            form, plain = question.children
            question.replace_self([form] if html else plain.children)
        for place in list(self.document.findall(quiz_answers)):
            place.replace_self(self.answers_of_all())
        if html and questions:
            head = nodes.rubric("", "Answers to the questions on this page")
            answers = self.answers_of(self.env.docname)
            last = list(self.document.findall(nodes.section))[:1] or [self.document]
            last[0] += tag("div", head, *answers, class_="quiz-page-answers")

    def answers_of_all(self) -> list[nodes.Node]:
        found = []
        for docname in reading_order(self.env):
            if answers := self.answers_of(docname):
                found += [nodes.rubric("", self.env.titles[docname].astext()), *answers]
        return found or [nodes.paragraph("", "No page asks a question.")]

    def answers_of(self, docname: str) -> list[nodes.Node]:
        found = []
        for answered in self.env.quiz_answered.get(docname, []):
            page = self.app.builder.get_relative_uri(self.env.docname, docname)
            label = nodes.strong("", answered.label)
            link = nodes.reference("", "", label, internal=True, refuri=f"{page}#{answered.anchor}")
            first, *rest = (node.deepcopy() for node in answered.answer)
            first[:0] = [link, nodes.Text(": ")]
            found += [first, *rest]
        return found


def reading_order(env: BuildEnvironment) -> list[str]:
    """The pages as the table of contents has them; those it lacks come last."""
    order: list[str] = []

    def visit(docname: str) -> None:
        if docname not in order:
            order.append(docname)
            for child in env.toctree_includes.get(docname, []):
                visit(child)

    visit(env.config.root_doc)
    return order + sorted(env.found_docs - set(order))

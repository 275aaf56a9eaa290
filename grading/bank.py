"""The question bank: quizzes/*.yml read, checked and drawn.

    bank = Bank.load()
    drawn = bank["lstm-output-shape"].draw("a seed")
    drawn.as_markdown(), drawn.answer

No file holds an answer. `drawn.answer` runs the question's code and takes the option that agrees with it
(grading/bank_truth.py); everything else here is plain Python and does not load torch.
"""

import itertools
import math
import re
from functools import cached_property
from pathlib import Path

from grading.bank_file import QUIZZES, BankError, read_topic
from grading.drawn import Drawn, rank, show

MOST_SETS = 240  # few enough for a test to run every one
PAGE = "page/"  # seeds of the book's pages; all others are graded ones

CALCULATOR = {
    "__builtins__": {},
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "tanh", "prod", "ceil", "floor")},
    **{f.__name__: f for f in (abs, all, any, float, int, len, list, max, min, range, round, sorted, str, sum, tuple)},
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "distinct": lambda *values: len(set(values)) == len(values),
}


def kin(rows: list[tuple]) -> list[tuple]:
    """For each row the first of its kin: the rows that share a value in a column, and theirs in turn.

    A column that never changes makes no kin."""
    group = list(rows)
    for column in [column for column in zip(*rows) if len(set(column)) > 1]:
        first = {}
        for row, value in enumerate(column):
            mine, theirs = group[row], group[first.setdefault(value, row)]
            group = [theirs if label == mine else label for label in group]
    return group


class Question:
    def __init__(self, spec: dict, topic: str, file: str):
        self.spec, self.topic, self.file = spec, topic, file
        self.id, self.level, self.source = spec["id"], spec["level"], tuple(spec["source"])

    def error(self, field: str, message: str) -> BankError:
        return BankError(f"{self.file}: question {self.id!r}, {field}: {message}")

    def evaluate(self, expression, names: dict, field: str):
        """An expression in the parameters; numbers stand for themselves."""
        try:
            return eval(str(expression), {**CALCULATOR, **names})
        except Exception as error:
            known = ", ".join(sorted(names)) or "none"
            raise self.error(field, f"{expression!r} does not evaluate: {error} (names: {known})") from error

    def fill(self, text: str, names: dict, field: str) -> str:
        """The text with every {{expression}} replaced by its value; a parameter's own name gives it unrounded."""
        decimals, exact = self.spec.get("decimals", 2), self.spec.get("params", {})

        def value(match: re.Match) -> str:
            expression = match[1].strip()
            found = self.evaluate(expression, names, field)
            return str(found) if expression in exact else show(found, decimals)

        return re.sub(r"\{\{(.+?)\}\}", value, text)

    def names(self, params: dict) -> dict:
        """The parameters and what `let` computes from them."""
        names = dict(params)
        for name, expression in self.spec.get("let", {}).items():
            names[name] = self.evaluate(expression, names, f"let.{name}")
        return names

    @cached_property
    def sets(self) -> list[dict]:
        """Every set of parameters that `where` admits, the default one first."""
        lists = self.spec.get("params", {})
        product = [dict(zip(lists, values)) for values in itertools.product(*lists.values())]
        sets = [p for p in product if self.evaluate(self.spec.get("where", "True"), p, "where")]
        if not sets or sets[0] != product[0]:
            raise self.error("where", f"refuses the first values, which are the default draw: {product[0]}")
        if len(sets) > MOST_SETS:
            raise self.error("params", f"{len(sets)} sets are more than {MOST_SETS}, too many for a test to run them all")
        return sets

    @cached_property
    def halves(self) -> tuple[list[dict], list[dict]]:
        """The sets for pages and those for graded cells, so parted that no option reads the same in both.

        That holds for each option apart from those that never change. Where it cannot, the halves have at least no
        question in common. The default set is a page's. A question without parameters has the same set in both."""
        texts = [tuple(o.text for o in Drawn(self, p, "").options) for p in self.sets]
        labels = next((found for found in (kin(texts), texts) if len(set(found)) > 1), range(len(texts)))
        shuffled = rank(dict.fromkeys(map(repr, labels)), self.id)
        shuffled.remove(repr(labels[0]))
        for_pages = {repr(labels[0]), *shuffled[: len(shuffled) // 2]}
        page = [p for p, label in zip(self.sets, labels) if repr(label) in for_pages]
        graded = [p for p, label in zip(self.sets, labels) if repr(label) not in for_pages]
        return page, graded or page

    def draw(self, seed: str) -> Drawn:
        """The question with the numbers and the order of options that the seed decides."""
        pool = self.halves[0 if seed.startswith(PAGE) else 1]
        return Drawn(self, rank(pool, seed)[0], seed)

    def on_page(self, place: str, count: int = 1) -> list[Drawn]:
        """Up to `count` draws for a page, no two with the same numbers, the default one first."""
        default, *others = self.halves[0]
        chosen = [default, *rank(others, PAGE + place)][:count]
        return [Drawn(self, params, f"{PAGE}{place}/{k}") for k, params in enumerate(chosen)]


class Bank:
    """Every question, by id and by topic."""

    def __init__(self, questions: list[Question], titles: dict[str, str]):
        self.questions, self.titles = {}, titles
        for question in questions:
            if question.id in self.questions:
                raise question.error("id", f"is taken already, in {self.questions[question.id].file}")
            self.questions[question.id] = question

    @classmethod
    def load(cls, path: Path | str | None = None) -> "Bank":
        """Read a folder of topics (default: the course's quizzes/); BankError where one breaks the schema."""
        folder = Path(path) if path else QUIZZES
        files = sorted(folder.glob("*.yml"))
        if not files:
            raise BankError(f"no question files (*.yml) in {folder}")
        topics = {file: read_topic(file) for file in files}
        questions = [Question(spec, t["topic"], f.name) for f, t in topics.items() for spec in t["questions"]]
        return cls(questions, {t["topic"]: t["title"] for t in topics.values()})

    def __getitem__(self, id: str) -> Question:
        if id not in self.questions:
            raise KeyError(f"no question {id!r} in the bank; there are: {', '.join(sorted(self.questions))}")
        return self.questions[id]

    def __iter__(self):
        return iter(self.questions.values())

    def __len__(self) -> int:
        return len(self.questions)

    def topic(self, name: str) -> list[Question]:
        if name not in self.titles:
            raise KeyError(f"no topic {name!r} in the bank; there are: {', '.join(sorted(self.titles))}")
        return [q for q in self if q.topic == name]

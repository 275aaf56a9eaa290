"""A question of the bank with its numbers drawn: what is asked, the options in their order, the worked answer.

    drawn = bank["lstm-output-shape"].draw("a seed")
    drawn.ask, drawn.code, drawn.options
    drawn.answer                                    # runs the code: this is where torch is loaded
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grading.bank import Question

LETTERS = "ABCDEF"


@dataclass(frozen=True)
class Option:
    letter: str
    text: str
    feedback: str
    mistake: str | None


def show(value, decimals: int = 2) -> str:
    """A value as a question prints it: floats rounded, never -0.00."""
    if isinstance(value, float):
        return f"{round(value, decimals) + 0.0:.{decimals}f}"
    if isinstance(value, tuple):
        return f"({', '.join(show(v, decimals) for v in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(show(v, decimals) for v in value)}]"
    return str(value)


def rank(items, seed: str) -> list:
    """The items in an order that the seed alone decides, on every machine and Python."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}/{item!r}".encode()).digest())


class Drawn:
    """A question with its numbers drawn and its options in order."""

    def __init__(self, question: "Question", params: dict, seed: str):
        self.question, self.params, self.seed = question, params, seed
        self.names = question.names(params)

    def _text(self, field: str) -> str:
        return self.question.fill(self.question.spec.get(field, ""), self.names, field).strip()

    ask = property(lambda self: self._text("ask"))
    code = property(lambda self: self._text("code"))
    hint = property(lambda self: self._text("hint"))
    check = property(lambda self: self._text("check"))

    def _texts(self, field: str) -> tuple[str, ...]:
        texts = self.question.spec.get(field, [])
        return tuple(self.question.fill(t, self.names, f"{field}[{k}]").strip() for k, t in enumerate(texts))

    steps = property(lambda self: self._texts("steps"))

    @property
    def evidence(self) -> str:
        """Code beyond the question's own that shows the answer."""
        if isinstance(self.question.spec.get("evidence"), list):
            return "\n\n".join(self._texts("evidence"))
        return self._text("evidence")

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The common mistakes: those the wrong options name, then any others."""
        return tuple(o.mistake for o in self.options if o.mistake) + self._texts("mistakes")

    @cached_property
    def order(self) -> list[int]:
        """Which of the file's options stands at each letter."""
        return rank(range(len(self.question.spec["options"])), f"{self.question.id}/{self.seed}")

    def value(self, k: int):
        """What option k of the file comes to with these numbers, for questions whose options are values."""
        return self.question.evaluate(self.question.spec["options"][k]["value"], self.names, f"options[{k}].value")

    def _option(self, letter: str, k: int) -> Option:
        spec, question, field = self.question.spec["options"][k], self.question, f"options[{k}]"
        names = self.names | ({"value": self.value(k)} if "value" in spec else {})
        source = spec.get("text") or ("`{{value}}`" if "value" in spec else f"`{spec['code'].strip()}`")
        text, feedback = (question.fill(t, names, field).strip() for t in (source, spec["feedback"]))
        mistake = question.fill(spec["mistake"], names, field).strip() if "mistake" in spec else None
        return Option(letter, text, feedback, mistake)

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """The options, A first; no two read alike."""
        options = tuple(self._option(letter, k) for letter, k in zip(LETTERS, self.order))
        if len({o.text for o in options}) < len(options):
            texts = ", ".join(o.text for o in options)
            raise self.question.error("options", f"two are alike with {self.params or 'no parameters'}: {texts}")
        return options

    @cached_property
    def answer(self) -> str:
        """The letter of the option that agrees with what the question's code does when it is run."""
        from grading import bank_truth  # loads torch

        return LETTERS[self.order.index(bank_truth.judge(self)[0])]

    @cached_property
    def proof(self) -> str:
        """The code that shows the answer: the evidence, then the check and what it gives when it is run."""
        from grading import bank_truth

        gives = show(bank_truth.after(self, self.check, "check"), self.question.spec.get("decimals", 2))
        return "\n\n".join(part for part in (self.evidence, f"{self.check}\n# {gives}") if part)

    def as_markdown(self) -> str:
        """The question as it is printed: what is asked, the code, the lettered options."""
        code = f"\n\n```python\n{self.code}\n```" if self.code else ""
        return f"{self.ask}{code}\n\n" + "\n".join(f"- **{o.letter}.** {o.text}" for o in self.options) + "\n"

    def answer_as_markdown(self) -> str:
        """The answer as it is printed: letter, why, worked steps, the code that shows it, the one-line check."""
        right = next(o for o in self.options if o.letter == self.answer)
        steps = "\n".join(f"{n}. {step}" for n, step in enumerate(self.steps, 1))
        return f"**{right.letter}.** {right.text}\n\n{right.feedback}\n\n{steps}\n\n```python\n{self.proof}\n```\n"

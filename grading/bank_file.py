"""One file of the question bank, read and held against quizzes/schema.json.

    topic = read_topic(Path("quizzes/shapes.yml"))

A file that breaks the schema raises BankError, which names the file, the question and the field.
"""

import json
from functools import cache
from pathlib import Path

import jsonschema
import yaml

QUIZZES = Path(__file__).resolve().parent.parent / "quizzes"


class BankError(ValueError):
    """A question that cannot be asked; the message names file, question and field."""


class _OneKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as usual, but a key written twice is an error: PyYAML would silently drop the first."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice.pop()!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_topic(file: Path) -> dict:
    """The file's content: topic, title and questions."""
    try:
        topic = yaml.load(file.read_text(encoding="utf-8"), _OneKeyLoader)
    except yaml.YAMLError as error:
        raise BankError(f"{file.name}: not readable as YAML: {error}") from error
    faults = sorted(_validator().iter_errors(topic), key=lambda fault: list(map(str, fault.absolute_path)))
    if faults:
        raise BankError("\n".join(f"{file.name}: {_describe(fault, topic)}" for fault in faults))
    if topic["topic"] != file.stem:
        raise BankError(f"{file.name}: topic: is {topic['topic']!r}, but the file's name makes it {file.stem!r}")
    return topic


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((QUIZZES / "schema.json").read_text(encoding="utf-8")))


def _describe(fault: jsonschema.ValidationError, topic) -> str:
    """Where the fault is, in the words of the file: question by id, field by path."""
    path, where = list(fault.absolute_path), ""
    if path[:1] == ["questions"] and len(path) > 1:
        question = topic["questions"][path[1]]
        name = question.get("id") if isinstance(question, dict) else None
        where = f"question {name!r}, " if name else f"question {path[1] + 1} (no id), "
        path = path[2:]
    field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    message = "a question has an `answer` or a `goal`, not both" if fault.validator == "not" else fault.message
    return f"{where}{field or 'fields'}: {message}"

"""The report of a class: one record per student in reports/<assignment>.json, the readable columns in .csv."""

import contextlib
import csv
import fcntl
import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
COLUMNS = ("student", "score", "max_score", "status", "seconds", "message")
SECONDS_BETWEEN_WRITES = 1.0


@dataclass(frozen=True)
class Record:
    """What came of one submission. `score` is None where none was given: then there is nothing to count."""

    student: str
    score: float | None
    max_score: float
    status: str
    seconds: float
    message: str
    attempt: int
    seed: int
    digest: str
    sandboxed: bool = True
    scores: dict[str, float] = field(default_factory=dict)
    to_read: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The message, and which answers wait for a person."""
        waiting = self.to_read and "to be read by a person: " + ", ".join(self.to_read)
        return "; ".join(filter(None, (self.message.rstrip("."), waiting)))


class Report:
    """The records of one assignment. Several processes may add to it: writing merges under a lock."""

    def __init__(self, root: Path, assignment: str):
        self.json = root / "reports" / f"{assignment}.json"
        self.csv = self.json.with_suffix(".csv")
        self.assignment = assignment
        self.fresh: dict[str, Record] = {}
        self.written = 0.0
        self.records = self._read()

    def add(self, record: Record) -> None:
        """Keep the record; it reaches the disk within a second of work, or when the run ends."""
        self.records[record.student] = self.fresh[record.student] = record
        if time.monotonic() - self.written > SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Merge what is new into the files; a reader always finds them whole."""
        with self._locked():
            self.records = dict(sorted((self._read() | self.fresh).items()))
            rows = [asdict(record) for record in self.records.values()]
            _replace(self.json, json.dumps({"assignment": self.assignment, "records": rows}, indent=1) + "\n")
            _replace(self.csv, _table([asdict(record) | {"message": record.line()} for record in self.records.values()]))
        self.fresh.clear()
        self.written = time.monotonic()

    def _read(self) -> dict[str, Record]:
        if not self.json.exists():
            return {}
        rows = json.loads(self.json.read_text(encoding="utf-8"))["records"]
        return {row["student"]: Record(**row) for row in rows}

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.json.parent.mkdir(exist_ok=True)
        with open(self.json.parent / ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _table(rows: list[dict]) -> str:
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(without_formulas, rows))
    return lines.getvalue()


def without_formulas(row: dict) -> dict:
    """A spreadsheet computes a text that begins like a formula; after a single quote it shows it. Numbers stay numbers."""
    return {name: f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for name, cell in row.items()}


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)

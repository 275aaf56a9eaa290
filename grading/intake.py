"""Take a handed-in folder from disk without trusting it: no link is followed, nothing is run, every size is bounded."""

import hashlib
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path

from nbgrader.utils import parse_utc

MOST_FILES = 200
MOST_BYTES = 32 * 2**20  # outputs of an honest notebook can be large; they are dropped later
DEEPEST = 6
NAME_MARKS = " ._@+-',"
LEFT_OUT = {".ipynb_checkpoints", "__pycache__", ".DS_Store", ".git", ".vscode", ".idea", ".venv", "Thumbs.db", "desktop.ini", "Icon\r"}
STARTS_WITH_PYTHON = {"sitecustomize", "usercustomize", "ipython_config", "ipython_kernel_config", "jupyter_config"}


class Rejected(Exception):
    """The submission cannot be graded as it is; the text is one line for the report and the student."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in: every file's bytes by its path in the folder, and one digest over all of them."""

    files: dict[str, bytes]
    digest: str


def unfit_name(student: str) -> str:
    """Why no gradebook should hold this folder's name, empty if it may: formgrader writes names into its pages as they are."""
    odd = [mark for mark in student if mark not in NAME_MARKS and unicodedata.category(mark)[0] not in "LMN"]
    if odd or student[0] in ".-":
        problem = f"holds {odd[0]!a}" if odd else f"begins with {student[0]!a}"
        allowed = f"letters, digits, spaces and {' '.join(NAME_MARKS.strip())} are allowed, no dot or dash first"
        return f"the name of the student's folder {problem}; {allowed}: rename the folder"
    return ""


def take(folder: Path) -> Submission:
    """Read ``<submitted>/<student>/<assignment>`` into memory; raises Rejected with the reason."""
    with _opened(folder) as descriptor:
        files = dict(_walk(descriptor, Path(), {"files": 0, "bytes": 0}))
    _refuse_shadowing(files)
    return Submission(files, _digest(files))


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The hand-in as a descriptor. The way to the student's folder is the instructor's and may hold links; hers may not."""
    options = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    descriptors = []
    try:
        descriptors.append(os.open(folder.parent, options))
        descriptors.append(os.open(folder.name, options, dir_fd=descriptors[0]))
        yield descriptors[1]
    except OSError as error:
        what = f"the folder of {folder.parent.name!r} for {folder.name!r}"
        raise Rejected(f"{what} is a link, is not a folder, or cannot be read ({error.strerror})") from error
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _walk(folder: int, where: Path, used: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each regular file below an open folder."""
    if len(where.parts) > DEEPEST:
        raise Rejected(f"folders are nested deeper than {DEEPEST} levels")
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        yield from _take_entry(name, folder, where, used)


def _take_entry(name: str, folder: int, where: Path, used: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    if name in LEFT_OUT:
        return
    path = where / name
    if "\\" in name or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise Rejected(f"the file name {name!a} holds a character that a path must not")
    used["files"] += 1
    if used["files"] > MOST_FILES:
        raise Rejected(f"more than {MOST_FILES} files")
    kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISLNK(kind):
        raise Rejected(f"{str(path)!r} is a symbolic link; hand in the file itself")
    if stat.S_ISDIR(kind):
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            yield from _walk(inner, path, used)
        finally:
            os.close(inner)
    else:
        yield path.as_posix(), _read(name, folder, path, used)


def _read(name: str, folder: int, path: Path, used: dict[str, int]) -> bytes:
    """The bytes of a regular file; the checks are made on the open file, so swapping it in between gains nothing."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise Rejected(f"{str(path)!r} cannot be opened as a plain file") from error
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise Rejected(f"{str(path)!r} is not a plain file")
        if state.st_nlink > 1:
            raise Rejected(f"{str(path)!r} is a hard link; hand in a copy of the file")
        content = file.read(MOST_BYTES - used["bytes"] + 1)
    used["bytes"] += len(content)
    if used["bytes"] > MOST_BYTES:
        raise Rejected(f"the folder holds more than {MOST_BYTES // 2**20} MiB; hand in the notebook and small files only")
    return content


def small_file(folder: Path, name: str) -> str:
    """The text of a file that nbgrader keeps beside a submission; empty if it is not there or not a plain file."""
    try:
        with _opened(folder) as descriptor:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
    except (Rejected, OSError):
        return ""
    try:
        content = os.read(file, 1000) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)
    return content.decode("ascii", "replace").strip()


def handed_in_at(folder: Path) -> datetime | None:
    """What timestamp.txt says, in UTC; anything but a date counts as no date."""
    try:
        when = parse_utc(small_file(folder, "timestamp.txt") or None)
    except Exception:  # whatever the parser makes of a student's words
        return None
    return when if when and 1970 < when.year < 9999 else None  # the first and last years overflow in another time zone


def _refuse_shadowing(files: dict[str, bytes]) -> None:
    """A file that Python would import in place of a module, or run at its start, is refused."""
    for path in files:
        first = Path(path).parts[0]
        suffixes = Path(path).suffixes
        if path.endswith(".pth") or first.split(".")[0] in STARTS_WITH_PYTHON:
            raise Rejected(f"{path!r} would change how Python starts; remove it")
        importable = suffixes and suffixes[-1] in {".py", ".pyc", ".so", ".pyd", ".zip"}
        if importable and first.split(".")[0] in known_modules():
            raise Rejected(f"{path!r} would be imported in place of the module {first.split('.')[0]!r}; rename or remove it")


@cache
def known_modules() -> frozenset[str]:
    """Top-level names a notebook may import: Python's own, the installed packages' and the course's."""
    return frozenset(sys.stdlib_module_names | set(metadata.packages_distributions()) | {"lstmlib", "grading"})


def _digest(files: dict[str, bytes]) -> str:
    """One digest of all names and contents, the same on every machine."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(hashlib.sha256(name.encode()).digest())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()

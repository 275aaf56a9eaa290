"""Collecting through nbgrader's exchange without following what a student's own folder points at."""

import os
import shutil
import stat
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns

from grading.intake import handed_in_at


class Collect(ExchangeCollect):
    """nbgrader's copy opens what a link points at, as the instructor. Ours copies the link: the intake then rejects it."""

    def do_copy(self, src: str, dest: str, log=None) -> None:
        """Copy one hand-in to submitted/: links as links, plain files only, no timestamp that is none."""
        if self.get_size(src) > 1000 * self.coursedir.max_dir_size:
            self.log.error("%s is larger than %s kB: not collected", src, self.coursedir.max_dir_size)
            return
        left_out = ignore_patterns(self.coursedir.ignore, self.coursedir.include, self.coursedir.max_file_size, self.log)
        shutil.copytree(src, dest, symlinks=True, ignore=left_out, copy_function=copy_plain_file)
        timestamp = os.path.join(dest, "timestamp.txt")
        if os.path.lexists(timestamp) and handed_in_at(Path(dest)) is None:  # formgrader's list would fail on it
            self.log.warning("%s: timestamp.txt is not a date: left out", src)
            os.unlink(timestamp)


def copy_plain_file(source: str, destination: str) -> str:
    """Copy a regular file, opened so that a link put there in between is not followed."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as reading, open(destination, "xb") as writing:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise shutil.Error(f"{source} is not a plain file")
        shutil.copyfileobj(reading, writing)
    return destination


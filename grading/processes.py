"""What /proc tells about a process and its descendants: who they are and what they occupy.

On a system without /proc it tells of the process itself alone, and of no memory.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FILE_BYTES = 1024  # what the system's memory holds for a file, even an empty one, on a tmpfs
SOCKET_BYTES = 212_992  # the most that waits in a local socket, by the kernel's default, which seccomp keeps


def over(pid: int, limit: int) -> bool:
    """Whether a process and its descendants occupy more than `limit` bytes, files only read aside."""
    tables = sum(_fields(f"/proc/{process}/status", "VmPTE") for process in tree(pid))
    private = ("RssAnon", "RssShmem", "VmSwap")
    if tables + sum(_fields(f"/proc/{process}/status", *private) for process in tree(pid)) <= limit:
        return False
    # Dearer, but what forks share counts once.
    exact = ("Pss_Anon", "Pss_Shmem", "SwapPss")
    return tables + sum(_fields(f"/proc/{process}/smaps_rollup", *exact) for process in tree(pid)) > limit


def files(pid: int) -> int:
    """How many files the sandbox under bubblewrap's process `pid` has made; their size is limited elsewhere."""
    count = 0
    for folder in (f"/proc/{child}/root/{place}" for child in children(pid) for place in ("tmp", "dev/shm")):
        with suppress(OSError):
            room = os.statvfs(folder)
            count += room.f_files - room.f_ffree
    return count


def sockets(pid: int) -> int:
    """How many sockets there are in the sandbox under bubblewrap's process `pid`."""
    count = 0
    for child in children(pid):
        with suppress(OSError):
            count += int(Path(f"/proc/{child}/net/sockstat").read_text().split()[2])
    return count


def tree(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from tree(child)


def children(pid: int) -> list[int]:
    found = []
    with suppress(OSError):  # it may end at any moment
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _fields(file: str, *names: str) -> int:
    """The sum, in bytes, of some fields of a file of /proc; 0 for a process that has just ended."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith(names))
    return sum(int(words[1]) * 1024 for words in found)

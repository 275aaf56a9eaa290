"""The life of one sandbox: started, watched, and ended with everything in it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

from grading import bubblewrap, frames, processes
from grading.bubblewrap import SandboxUnavailable, require
from grading.outcome import Limits, Status

__all__ = ["Sandbox", "SandboxUnavailable", "require"]

_PERIOD = 0.1  # seconds between two looks at the memory
_FIRST_USER, _USERS = 20_000, 40_000  # as root, each running worker has its own unprivileged user


class Sandbox:
    """One running sandbox, used with `with`; at its end none of its processes is left.

    `report` and `control` are the sockets to `grading.kernel` and `grading.driver` inside.
    `verdict` is set when a limit was passed and everything inside was killed for it. With
    `sandboxed=False` the same programs run as ordinary processes: only the time, and on Linux
    the memory, is then limited, and the code can read and write what its user can.
    """

    verdict: Status | None

    def __init__(
        self,
        limits: Limits,
        helpers: tuple[Path, ...] = (),
        secrets: tuple[Path, ...] = (),
        sandboxed: bool = True,
        extras: Path | None = None,
    ):
        self.limits, self.verdict = limits, None
        self._helpers, self._secrets, self._sandboxed, self._extras = helpers, secrets, sandboxed, extras
        self._deadline = time.monotonic() + limits.start_seconds
        self._begun, self._over = False, threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> "Sandbox":
        with ExitStack() as stack:
            self._stack = stack
            self.report, report = map(stack.enter_context, socket.socketpair())
            self.control, control = map(stack.enter_context, socket.socketpair())
            self._process = self._start(report.fileno(), control.fileno())
            stack.callback(self._end)
            report.close()
            control.close()
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
            self._wait_until_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception) -> None:
        self._stack.close()

    def begin(self) -> None:
        """From here on the student's time runs."""
        self._deadline = time.monotonic() + self.limits.seconds
        self._begun = True

    def alive(self) -> bool:
        return self._process.poll() is None

    def _start(self, report: int, control: int) -> subprocess.Popen:
        user = _FIRST_USER + os.getpid() % _USERS if self._sandboxed and os.getuid() == 0 else 0
        module = [sys.executable, "-m", "grading.kernel", str(report), str(control), str(user)]
        with ExitStack() as files:
            if self._sandboxed:
                require()
                start, passed = bubblewrap.command(self.limits, self._helpers, self._secrets, files, self._extras)
                folder, home, package = "/", bubblewrap.HOME, bubblewrap.PACKAGE
            else:
                start, passed = [], []
                home = folder = self._stack.enter_context(tempfile.TemporaryDirectory())
                package = str(Path(__file__).parents[1])
                _lay((*self._helpers, *(self._extras.iterdir() if self._extras else ())), Path(folder))
            return subprocess.Popen(
                [*start, *module],
                env=_variables(home, package),
                cwd=folder,
                pass_fds=[report, control, *passed],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        limits = asdict(self.limits)
        if not self._sandboxed:
            limits["processes"] = sys.maxsize  # it would count everything that this user runs
        try:
            frames.send(self.report, json.dumps(limits).encode(), self._deadline)
            frames.receive(self.report, 1024, self._deadline)
            frames.receive(self.control, 1024, self._deadline)
        except (OSError, ValueError) as error:
            self._over.set()
            self._kill()
            said = self._process.stderr.read().decode(errors="replace").strip()
            raise SandboxUnavailable(f"the sandbox did not start: {said or error}") from error

    def _watch(self) -> None:
        try:
            while not self.verdict and not self._over.wait(_PERIOD):
                if time.monotonic() > self._deadline:
                    self.verdict = "timeout"
                elif processes.over(self._process.pid, self._room()):
                    self.verdict = "out-of-memory"
        finally:  # nobody else ends what waits for a student's process
            self._kill()

    def _room(self) -> int:
        """The memory that the processes may occupy: files, even empty ones, and sockets take from it."""
        taken, outer = 0, self._process.pid
        if self._sandboxed and self._begun:
            taken = processes.files(outer) * processes.FILE_BYTES + processes.sockets(outer) * processes.SOCKET_BYTES
        return self.limits.memory_mb * frames.MEBIBYTE - taken

    def _end(self) -> None:
        self._over.set()
        self._kill()
        self._watcher.join()
        self._process.stderr.close()

    def _kill(self) -> None:
        """End every process: with its first process the whole process namespace ends."""
        outer = self._process.pid
        for pid in (self._sandboxed and processes.children(outer)) or list(processes.tree(outer)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()


def _variables(home: str, package: str) -> dict[str, str]:
    """The whole environment of the student's processes; nothing of ours is in it."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return threads | {
        "HOME": home,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "PYTHONPATH": package,  # not yet the student's files, see `driver`
        "PYTHONSAFEPATH": "1",  # a file that a cell writes does not become a module of ours
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCH_COMPILE_DISABLE": "1",  # a decorated answer runs as written; compiling takes minutes here
    }


def _lay(helpers: tuple[Path, ...], folder: Path) -> None:
    for helper in helpers:
        copy = shutil.copytree if helper.is_dir() else shutil.copyfile
        copy(helper, folder / helper.name)

"""What a sandbox sees: the command line of bubblewrap.

A read-only system of `/usr`, the Python installation and its environment; the six modules of
this package that run inside; the helpers of the exercise; one sized tmpfs to write to. The
repository, the gradebook and other submissions are not hidden in it: they are not there.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from grading import frames, seccomp
from grading.outcome import Limits

INSTALL = "sudo apt-get install bubblewrap"
HOME = "/tmp/student"
PACKAGE = "/opt/examiner"
_INSIDE = ("__init__.py", "driver.py", "frames.py", "kernel.py", "refusal.py", "wire.py")
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")


class SandboxUnavailable(RuntimeError):
    """No sandbox can be made here; nothing is graded without one unless that is asked for."""


def require() -> None:
    """Raise `SandboxUnavailable`, with what to type, unless a sandbox can be made here."""
    if platform.system() != "Linux" or platform.machine() not in seccomp.MACHINES:
        needed = f"Linux on {' or '.join(seccomp.MACHINES)}"
        raise SandboxUnavailable(
            f"the sandbox needs {needed}; this is {platform.system()} on {platform.machine()}"
        )
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable(
            f"the sandbox needs bubblewrap, which is not installed; type: {INSTALL}"
        )
    trial = ["bwrap", *_namespaces(), "--ro-bind", "/", "/", "true"]
    done = subprocess.run(trial, capture_output=True, text=True)
    if done.returncode:
        raise SandboxUnavailable(
            f"bubblewrap cannot make a sandbox here ({done.stderr.strip()}). A container must "
            "allow user namespaces; on Ubuntu 24.04 type: "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )


def command(limits: Limits, helpers: Iterable[Path], secrets: Iterable[Path], stack: ExitStack, extras: Path | None = None):
    """Return the start of the command line and the descriptors to pass with it.

    `secrets` are files that must not be visible: raise `SandboxUnavailable` if a folder that
    every sandbox sees holds one.
    """
    for secret in secrets:
        for folder in (Path("/usr"), *_python()):
            if secret.resolve().is_relative_to(folder):
                raise SandboxUnavailable(
                    f"{secret} lies in {folder}, which every sandbox sees; move the course"
                )
    people = f"student:x:{os.getuid()}:{os.getgid()}::{HOME}:/bin/sh\n".encode()
    passwd, refused = _file(people, stack), _file(seccomp.program(), stack)
    arguments = [
        *("bwrap", "--die-with-parent", "--new-session", "--seccomp", str(refused)),
        *_namespaces(),
        *_system(),
        *("--perms", "0444", "--ro-bind-data", str(passwd), "/etc/passwd"),
        *_devices(limits),
        *("--perms", "1777", "--size", str(limits.disk_mb * frames.MEBIBYTE), "--tmpfs", "/tmp"),
        *_programs(),
        *("--perms", "0777", "--dir", HOME),
    ]
    for helper in helpers:
        arguments += ["--ro-bind", str(_readable(helper)), f"{HOME}/{helper.name}"]
    if extras:
        arguments += [*_parents(Path(frames.EXTRAS)), "--ro-bind", str(_readable(extras)), frames.EXTRAS]
    return [*arguments, "--remount-ro", "/", "--chdir", HOME, "--"], [passwd, refused]


def _programs() -> list[str]:
    """The Python installation and what of this package runs inside."""
    arguments = []
    for folder in _python():
        arguments += [*_parents(folder), "--ro-bind", str(folder), str(folder)]
    for file in _traces_of_the_repository():
        arguments += ["--dev-bind", "/dev/null", str(file)]
    for source in (Path(__file__).with_name(name) for name in _INSIDE):
        inside = Path(PACKAGE, "grading", source.name)
        arguments += [*_parents(inside), "--ro-bind", str(source), str(inside)]
    return arguments


def _readable(helper: Path) -> Path:
    """As root, the student's code runs as somebody else: what only root can read is of no use."""
    wanted = 0o005 if helper.is_dir() else 0o004
    if os.getuid() == 0 and helper.stat().st_mode & wanted != wanted:
        raise SandboxUnavailable(f"{helper} cannot be read by others; type: chmod -R a+rX {helper}")
    return helper


def _namespaces() -> list[str]:
    """Everything unshared. Root stays root for bubblewrap and is dropped inside, see `kernel`."""
    kinds = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    kinds += ["--hostname", "sandbox"]  # else the machine's own name could be read
    if os.getuid() == 0:
        return [*kinds, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user", *kinds, "--cap-drop", "ALL"]


def _system() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr", "--proc", "/proc"]
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--perms", "0755", "--dir", "/etc"]
    for path in _ETC:
        arguments += ["--ro-bind-try", path, path]
    return arguments


def _devices(limits: Limits) -> list[str]:
    """The usual devices; /dev/zero shared between processes would be memory that nobody counts."""
    shared = ["--size", str(limits.disk_mb * frames.MEBIBYTE), "--perms", "1777", "--tmpfs", "/dev/shm"]
    return ["--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero", *shared, "--remount-ro", "/dev"]


def _python() -> list[Path]:
    """The folders outside /usr that the running interpreter needs, outer before inner."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    prefixes |= {prefix.resolve() for prefix in prefixes}
    return sorted(p for p in prefixes if not p.is_relative_to("/usr"))


def _parents(path: Path) -> list[str]:
    """Make the folders above `path` such that the unprivileged user can pass through them."""
    folders = [folder for folder in reversed(path.parents) if folder != Path("/")]
    return [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]


def _traces_of_the_repository() -> list[Path]:
    """Files of an editable install: they name the repository, which is not there to be found."""
    packages = Path(sysconfig.get_path("purelib"))
    return [*packages.glob("__editable__*"), *packages.glob("*.dist-info/direct_url.json")]


def _file(content: bytes, stack: ExitStack) -> int:
    """A descriptor from which bubblewrap can read `content`."""
    file = stack.enter_context(tempfile.TemporaryFile())
    file.write(content)
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return file.fileno()

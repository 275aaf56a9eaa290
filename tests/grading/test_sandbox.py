"""The sandbox itself: refused where it cannot be made, and gone with everything in it."""

import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from grading import bubblewrap as command
from grading import processes, sandbox, seccomp
from grading.outcome import Limits
from grading.sandbox import Sandbox, SandboxUnavailable


def test_bubblewrap_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailable, match="type: sudo apt-get install bubblewrap"):
        sandbox.require()


def test_bubblewrap_that_may_not_make_namespaces(monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match=r"uid map: Permission denied.*sysctl kernel.apparmor_restrict"):
        sandbox.require()


@pytest.mark.parametrize("system, machine", [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_other_systems_are_named(monkeypatch, system, machine):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(SandboxUnavailable, match=f"this is {system} on {machine}"):
        sandbox.require()


def test_a_secret_in_a_folder_that_every_sandbox_sees_is_refused(bubblewrap):
    secret = Path(sys.prefix) / "course" / "exam.py"
    with pytest.raises(SandboxUnavailable, match="which every sandbox sees; move the course"):
        with Sandbox(Limits(), secrets=(secret,)):
            raise AssertionError("it was made")


def test_the_repository_is_not_bound():
    """Of the repository only the modules that run inside, and the virtual environment if it lies there."""
    repository = Path(command.__file__).parents[1]
    with ExitStack() as stack:
        words, _ = command.command(Limits(), (), (), stack)
    sources = [words[n + 1] for n, word in enumerate(words) if word in ("--ro-bind", "--dev-bind", "--bind")]
    ours = {source for source in sources if Path(source).is_relative_to(repository) and not Path(source).is_relative_to(sys.prefix)}
    assert ours == {str(repository / "grading" / name) for name in command._INSIDE}
    assert "exam.py" not in {Path(source).name for source in ours}


def test_the_modules_inside_import_no_other_module_of_ours():
    """What is bound must be enough, and what knows the exam must not be pulled in."""
    folder = Path(command.__file__).parent
    for name in command._INSIDE:
        for line in (folder / name).read_text().splitlines():
            if line.startswith("from grading import"):
                imported = {f"{word.strip()}.py" for word in line.split("import")[1].split(",")}
                assert imported <= set(command._INSIDE), line
            assert not line.startswith(("from grading.", "import grading"))


def test_the_filter_is_known_for_both_architectures():
    for machine in seccomp.MACHINES:
        steps = seccomp.program(machine)
        assert len(steps) % 8 == 0 and len(steps) // 8 < 256
    with pytest.raises(KeyError):
        seccomp.program("riscv64")


def test_nothing_is_left_of_a_sandbox_after_its_end(bubblewrap):
    with Sandbox(Limits()) as box:
        pids = list(processes.tree(box._process.pid))
        assert len(pids) >= 4 and box.alive()
    assert not box.alive()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_nothing_is_left_when_the_examiner_is_killed(bubblewrap):
    script = (
        "import time; from grading.sandbox import Sandbox; from grading.outcome import Limits\n"
        "with Sandbox(Limits()) as box:\n    print('ready', flush=True); time.sleep(600)"
    )
    examiner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert examiner.stdout.readline() == b"ready\n"
    inside = list(processes.tree(examiner.pid))[1:]
    assert len(inside) >= 4
    examiner.send_signal(signal.SIGKILL)
    examiner.communicate()
    deadline = time.monotonic() + 30
    while [pid for pid in inside if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, "the sandbox outlived its examiner"
        time.sleep(0.05)


def test_shared_memory_of_forks_is_counted_once():
    """Twelve forks of a process with 100 MB are not 1.2 GB."""
    script = "import os, time\nkept = bytearray(os.urandom(100 << 20))\nfor _ in range(12):\n    if os.fork() == 0: time.sleep(600)\nprint('ready', flush=True)\ntime.sleep(600)"
    hog = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert hog.stdout.readline() == b"ready\n"
        assert processes.over(hog.pid, 90 << 20) and not processes.over(hog.pid, 300 << 20)
    finally:
        os.killpg(hog.pid, signal.SIGKILL)
        hog.communicate()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs students' code as somebody else")
def test_a_helper_that_only_root_can_read_is_named(bubblewrap, tmp_path):
    helper = tmp_path / "given.py"
    helper.write_text("")
    helper.chmod(0o600)
    with pytest.raises(SandboxUnavailable, match=f"type: chmod -R a\\+rX {helper}"):
        with Sandbox(Limits(), helpers=(helper,)):
            raise AssertionError("it was made")

"""The Makefile's words where something is missing: one clear line each."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def make(tmp_path):
    """Run make in a copy of the few files that set-up reads; returns its exit status and its own lines."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path)

    def run(*arguments, **environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIP_"))}
        done = subprocess.run(["make", "--no-print-directory", *arguments], cwd=tmp_path, capture_output=True, text=True, env=inherited | environment)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make: ***")]
        return done.returncode, lines

    run.folder = tmp_path
    return run


def script(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["(2, 7)", "(3, 10)", "(3, 14)"])
def test_python_of_another_age(make, version):
    pretend = f'exec {sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[2])" "$@"'
    status, lines = make("book", f"PYTHON={script(make.folder, 'python-other', '#!/bin/sh' + chr(10) + pretend + chr(10))}")
    assert status != 0 and len(lines) == 1
    assert "the course needs 3.11 to 3.13" in lines[0] and ".".join(version.strip("()").split(", ")) in lines[0]


def test_no_python(make):
    status, lines = make("test", "PYTHON=no-such-python")
    assert status != 0 and len(lines) == 1 and "no-such-python" in lines[0] and "3.11 to 3.13" in lines[0]


def test_no_network(make):
    unreachable = dict(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    status, lines = make("book", f"PYTHON={sys.executable}", **unreachable)
    assert status != 0 and len(lines) == 2
    assert lines[0].startswith("Setting up .venv") and lines[1].startswith("No packages could be fetched")


@pytest.mark.parametrize("tool", ["chromium", "bubblewrap"])
def test_system_tool_missing_for_an_ordinary_user(make, tool):
    few = make.folder / "few"
    script(few, "id", "#!/bin/sh\necho 1000\n")
    (few / "sh").symlink_to("/bin/sh")
    (few / "make").symlink_to(shutil.which("make"))
    status, lines = make(tool, PATH=str(few))
    assert status == 0 and len(lines) == 1
    assert lines[0].startswith(f"{tool} is missing") and f"sudo apt-get install {tool}" in lines[0]

"""The intake reads a hostile folder without following, running or drowning in anything."""

import os
import socket

import pytest

from grading import intake
from grading.intake import Rejected, handed_in_at, small_file, take, unfit_name


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "submitted" / "ada" / "02_cell"
    folder.mkdir(parents=True)
    (folder / "02_cell.ipynb").write_text("{}")
    return folder


def refused(folder):
    with pytest.raises(Rejected) as caught:
        take(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_all_files_are_read_with_their_paths(folder):
    (folder / "data").mkdir()
    (folder / "data" / "größe 1.csv").write_bytes(b"1,2")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "old.ipynb").write_text("left out")
    assert take(folder).files == {"02_cell.ipynb": b"{}", "data/größe 1.csv": b"1,2"}


@pytest.mark.parametrize("student", ["O'Neil, Ann", "学生", "a b", "a-b_c.d+e@f.org", "Jose\u0301", "+49", "नीतू"])
def test_odd_student_names_are_only_names(tmp_path, student):
    assert unfit_name(student) == ""
    folder = tmp_path / student / "02_cell"
    folder.mkdir(parents=True)
    (folder / "02_cell.ipynb").write_text("{}")
    assert take(folder).files == {"02_cell.ipynb": b"{}"}


@pytest.mark.parametrize(
    ("student", "said"),
    [
        (os.fsdecode(b"Jos\xe9"), r"holds '\udce9'"), ("a\nb", r"holds '\n'"), ("a\x1b[2J", r"holds '\x1b'"), ("a\u202eb", r"holds '\u202e'"),
        ("=1+1", "holds '='"), ("<img src=x onerror=alert(1)>", "holds '<'"), ('a"b', "holds '\"'"), ("a\\b", r"holds '\\'"),
        ("a%2eb", "holds '%'"), ("a?b", "holds '?'"), ("[a]", "holds '['"), ("{a}", "holds '{'"), (".ann", "begins with '.'"), ("-rf", "begins with '-'"),
    ],
)
def test_names_that_pages_terminals_or_programs_misread_are_refused(student, said):
    reason = unfit_name(student)
    assert said in reason and reason.isprintable() and reason.isascii()


def test_the_digest_sees_names_and_contents(folder):
    first = take(folder).digest
    assert take(folder).digest == first
    (folder / "02_cell.ipynb").write_text("{ }")
    second = take(folder).digest
    (folder / "02_cell.ipynb").rename(folder / "other.ipynb")
    assert len({first, second, take(folder).digest}) == 3


def test_a_link_to_a_file_is_refused(folder, tmp_path):
    (tmp_path / "gradebook.db").write_text("secret")
    (folder / "notes.txt").symlink_to(tmp_path / "gradebook.db")
    assert "'notes.txt' is a symbolic link" in refused(folder)


def test_a_dangling_link_is_refused(folder):
    (folder / "notes.txt").symlink_to("nowhere")
    assert "'notes.txt' is a symbolic link" in refused(folder)


def test_the_notebook_itself_as_a_link_is_refused(folder, tmp_path):
    (folder / "02_cell.ipynb").rename(tmp_path / "elsewhere.ipynb")
    (folder / "02_cell.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    assert "'02_cell.ipynb' is a symbolic link" in refused(folder)


def test_a_link_to_a_folder_is_refused(folder, tmp_path):
    (folder / "data").symlink_to(tmp_path, target_is_directory=True)
    assert "'data' is a symbolic link" in refused(folder)


def test_a_link_deep_in_a_folder_is_refused(folder):
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "up").symlink_to("../../..")
    assert "'a/b/up' is a symbolic link" in refused(folder)


@pytest.mark.parametrize("levels", [0, 1])
def test_the_assignment_or_the_student_as_a_link_is_refused(folder, tmp_path, levels):
    place = [folder, folder.parent][levels]
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved", target_is_directory=True)
    assert "is a link, is not a folder" in refused(folder)


def test_a_link_above_the_students_folder_is_the_instructors_own(folder, tmp_path):
    (tmp_path / "class").symlink_to(tmp_path / "submitted", target_is_directory=True)
    assert take(tmp_path / "class" / "ada" / "02_cell").files == {"02_cell.ipynb": b"{}"}


def test_a_hard_link_is_refused(folder, tmp_path):
    (tmp_path / "gradebook.db").write_text("secret")
    os.link(tmp_path / "gradebook.db", folder / "notes.txt")
    assert "'notes.txt' is a hard link" in refused(folder)


def test_a_pipe_is_refused_and_does_not_block(folder):
    os.mkfifo(folder / "pipe")
    assert "'pipe' is not a plain file" in refused(folder)


def test_a_socket_is_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("door")
        assert "'door'" in refused(folder)


def test_a_file_as_the_assignment_is_refused(folder):
    (folder / "02_cell.ipynb").unlink()
    folder.rmdir()
    folder.write_text("not a folder")
    assert "is not a folder" in refused(folder)


@pytest.mark.parametrize("name", ["..\\..\\x.txt", "a\nb.txt", "a\x1b[31m.txt", "\udcff.txt"])
def test_names_that_mean_something_to_a_path_or_a_terminal_are_refused(folder, name):
    (folder / name).write_text("x")
    message = refused(folder)
    assert "holds a character" in message
    assert message.isprintable()


def test_what_may_not_be_read_is_refused_and_raises_nothing_else(folder, monkeypatch):
    def refuse(descriptor):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert "cannot be read (Permission denied)" in refused(folder)


def test_too_large_is_refused_before_it_is_read(folder):
    with open(folder / "data.bin", "wb") as file:
        file.truncate(10 * 2**30)  # sparse: ten gigabytes that take no space
    assert "more than 32 MiB" in refused(folder)


def test_many_small_files_add_up(folder, monkeypatch):
    monkeypatch.setattr(intake, "MOST_BYTES", 10)
    for number in range(4):
        (folder / f"{number}.txt").write_text("abc")
    assert "hand in the notebook and small files only" in refused(folder)


def test_too_many_files_are_refused(folder):
    for number in range(intake.MOST_FILES):
        (folder / f"{number}.txt").touch()
    assert f"more than {intake.MOST_FILES} files" in refused(folder)


def test_folders_without_end_are_refused(folder):
    (folder / "/".join("d" * 20)).mkdir(parents=True)
    assert "nested deeper" in refused(folder)


@pytest.mark.parametrize(
    "path",
    ["torch.py", "numpy/__init__.py", "lstmlib/__init__.py", "grading/exam.py", "json.py", "torch.cpython-311-x86_64-linux-gnu.so",
     "ipykernel_launcher.py", "zmq.pyc", "os.zip"],
)
def test_a_file_in_the_place_of_a_module_is_refused(folder, path):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("import os")
    message = refused(folder)
    assert path in message and "in place of the module" in message


@pytest.mark.parametrize("path", ["sitecustomize.py", "usercustomize/__init__.py", "a.pth", "lib/b.pth", "ipython_config.py", "ipython_kernel_config.json"])
def test_a_file_that_changes_how_python_starts_is_refused(folder, path):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("import os")
    assert "how Python starts" in refused(folder)


@pytest.mark.parametrize("path", ["my_step.py", "torch.csv", "data/torch.py", "numpy/notes.txt"])
def test_other_files_are_welcome(folder, path):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("x = 1")
    assert path in take(folder).files


def test_what_nbgrader_keeps_beside_a_hand_in_is_read_from_it_alone(folder, tmp_path):
    (folder / "timestamp.txt").write_text("2026-11-21 07:54:57.896742 UTC\n")
    (folder / "submission_secret.txt").write_text("a" * 128)
    assert str(handed_in_at(folder)) == "2026-11-21 07:54:57.896742"
    assert small_file(folder, "submission_secret.txt") == "a" * 128
    (tmp_path / "submitted" / "eve").mkdir()
    (tmp_path / "submitted" / "eve" / "02_cell").symlink_to(folder, target_is_directory=True)
    assert small_file(tmp_path / "submitted" / "eve" / "02_cell", "submission_secret.txt") == ""
    assert handed_in_at(tmp_path / "submitted" / "eve" / "02_cell") is None


@pytest.mark.parametrize("text", ["", "yesterday", "9" * 500, "\x00", "é", "0001-01-01 00:00:00 UTC", "9999-12-31 23:59:59 UTC"])
def test_a_timestamp_that_is_none_counts_as_none(folder, text):
    (folder / "timestamp.txt").write_text(text)
    assert handed_in_at(folder) is None


def test_a_folder_in_the_place_of_what_nbgrader_keeps_counts_as_nothing(folder):
    (folder / "timestamp.txt").mkdir()
    assert handed_in_at(folder) is None and small_file(folder, "timestamp.txt") == ""


def test_what_machines_leave_beside_a_notebook_is_left_out(folder):
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (folder / "Icon\r").touch()
    assert take(folder).files == {"02_cell.ipynb": b"{}"}

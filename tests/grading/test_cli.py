"""What an instructor types: runs that are cut short, workers that die, one student again, and refusals in one line."""

import csv
import os
import signal
import subprocess
import sys
import time

ASSIGNMENT = "00_tiny"
POISON = '''

@exam("test_double", hint="Not reached.")
def ends_the_examiner(student, rng):
    import os, signal
    if student.value("'poison' in globals()"):
        os.kill(os.getpid(), signal.SIGKILL)
'''


def grading(programs, *arguments):
    command = [sys.executable, "-m", "grading", *map(str, arguments)]
    return subprocess.run(command, env=programs, capture_output=True, text=True, timeout=400)


def test_a_dying_worker_costs_no_classmate_and_is_graded_when_the_cause_is_gone(tiny, programs, bubblewrap, tmp_path):
    sources = tmp_path / "sources"
    (sources / ASSIGNMENT).mkdir(parents=True)
    exam = (tiny.sources / ASSIGNMENT / "exam.py").read_text()
    (sources / ASSIGNMENT / "exam.py").write_text(exam + POISON)
    with open(tiny.folder / "nbgrader_config.py", "a") as config:
        config.write(f"c.CourseDirectory.source_directory = {str(sources)!r}\n")
    for name in ("ada", "bob", "zoe"):
        tiny.hand_in(name, tiny.notebook())
    tiny.hand_in("fatal", tiny.notebook(double="poison = True\ndef double(x):\n    return 2 * x"))

    done = grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder, "--workers", 2)
    report = tiny.report()
    assert done.returncode == 1
    assert {name: (row["status"], row["score"]) for name, row in report.items()} == {
        "ada": ("graded", 6), "bob": ("graded", 6), "zoe": ("graded", 6), "fatal": ("infrastructure-error", None)
    }
    assert report["fatal"]["message"] == "the grading process died"
    assert grading(programs, "export", "--course", tiny.folder, "--to", tmp_path / "grades.csv").returncode == 0
    with open(tmp_path / "grades.csv", newline="") as file:
        assert {row["student_id"]: row["score"] for row in csv.DictReader(file)} == {"ada": "6.0", "bob": "6.0", "zoe": "6.0", "fatal": ""}

    (sources / ASSIGNMENT / "exam.py").write_text(exam)
    done = grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder)
    assert done.returncode == 0
    assert done.stderr.count("graded before") == 3
    assert tiny.report()["fatal"]["score"] == 6 and tiny.report()["fatal"]["attempt"] == 1


def test_a_killed_run_goes_on_where_it_was(tiny, programs, bubblewrap):
    for name in ("ada", "bob"):
        tiny.hand_in(name, tiny.notebook())
    tiny.hand_in("cyd", tiny.notebook(double="import time\nwhile True: time.sleep(0.1)"))
    command = [sys.executable, "-m", "grading", "autograde", ASSIGNMENT, "--course", str(tiny.folder)]
    run = subprocess.Popen(command, env=programs, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert "[1/3] ada: graded" in run.stderr.readline()
    assert "[2/3] bob: graded" in run.stderr.readline()
    time.sleep(2)  # into cyd's endless loop
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert {"ada"} <= set(tiny.report()) < {"ada", "bob", "cyd"}

    done = grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder)
    assert done.returncode == 0 and "ada: graded before" in done.stderr
    assert {name: (row["status"], row["score"]) for name, row in tiny.report().items()} == {
        "ada": ("graded", 6), "bob": ("graded", 6), "cyd": ("timeout", 0)
    }


def test_one_student_again_and_what_the_exam_said(tiny, programs, bubblewrap):
    tiny.hand_in("ada", tiny.notebook(double="def double(x):\n    return 3 * x"))
    tiny.hand_in("bob", tiny.notebook())
    grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder, "--student", "ada")
    assert set(tiny.report()) == {"ada"}
    first = tiny.report()["ada"]

    shown = grading(programs, "replay", ASSIGNMENT, "--student", "ada", "--part", "doubles_numbers", "--course", tiny.folder).stdout
    again = grading(programs, "replay", ASSIGNMENT, "--student", "ada", "--course", tiny.folder).stdout
    assert f"seed {first['seed']}" in shown and "FAILED  test_double / doubles_numbers" in shown
    (said,) = [text for text in shown.splitlines() if "SECRET of the exam" in text]
    assert said in again and "FAILED" not in again.split("doubles_zero")[1].split("test_triple")[0]
    assert tiny.report()["ada"] == first

    tiny.hand_in("ada", tiny.notebook())
    changed = grading(programs, "replay", ASSIGNMENT, "--student", "ada", "--course", tiny.folder).stdout
    assert "it has changed since" in changed
    grading(programs, "autograde", ASSIGNMENT, "--course", tiny.folder, "--student", "ada")
    second = tiny.report()["ada"]
    assert (second["attempt"], second["score"]) == (2, 6) and second["seed"] != first["seed"]


def test_refusals_are_one_line_that_says_what_to_do(tiny, programs, tmp_path):
    tiny.hand_in("ada", tiny.notebook())
    for arguments, said in (
        (["autograde", ASSIGNMENT, "--cluster", "tcp://x:1"], "--cluster is not built yet"),
        (["autograde", ASSIGNMENT, "--student", "eve"], "eve handed in no 00_tiny"),
        (["autograde", ASSIGNMENT, "--student", "../ada"], "../ada handed in no 00_tiny"),
        (["autograde", "99_none"], "is '99_none' the name of an assignment?"),
        (["replay", ASSIGNMENT, "--student", "ada"], "autograde first"),
        (["feedback", ASSIGNMENT], "has 00_tiny been autograded?"),
    ):
        done = grading(programs, *arguments, "--course", tiny.folder)
        assert done.returncode == 2, arguments
        assert said in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert "is no folder" in grading(programs, "export", "--course", tmp_path / "new").stderr
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    assert "no gradebook yet" in grading(programs, "export", "--course", tmp_path / "new").stderr


def test_the_doctor_names_what_is_wrong(tiny, programs, bubblewrap, tmp_path):
    well = grading(programs, "doctor", "--course", tiny.folder)
    assert well.returncode == 0, well.stdout
    assert "3 hidden tests, 8 points, 1 answers to read" in well.stdout and "PROBLEM" not in well.stdout
    secret = tiny.folder / ".grading-secret"
    secret.write_text("x")
    secret.chmod(0o644)
    with open(tiny.folder / "nbgrader_config.py", "a") as config:
        config.write(f"c.CourseDirectory.source_directory = {str(tmp_path / 'sources')!r}\n")
    (tmp_path / "sources" / ASSIGNMENT).mkdir(parents=True)
    (tmp_path / "sources" / ASSIGNMENT / "exam.py").write_text("import no_such_module")
    ill = grading(programs | {"PATH": str(tmp_path)}, "doctor", "--course", tiny.folder)
    assert ill.returncode == 1
    problems = [line for line in ill.stdout.splitlines() if line.startswith("PROBLEM")]
    assert len(problems) == 3, ill.stdout
    assert "sudo apt-get install bubblewrap" in problems[0]
    assert "readable by others" in problems[1]
    assert "no_such_module" in problems[2]

"""Loading an exam.py, its seeds, and a Student facing every kind of answer."""

import contextlib
import socket
import threading
import time

import pytest

from grading import exam, frames, wire
from grading.exam import ExamError, Student, StudentError
from grading.outcome import Limits

LIMITS = Limits(part_seconds=5, answer_mb=1)
HEAD = "from grading.exam import exam\n"
PART = "@exam('t', hint='Look again.')\ndef part(student, rng):\n    pass\n"


def load(tmp_path, text):
    path = tmp_path / "exam.py"
    path.write_text(HEAD + text)
    return exam.load(path)


def test_parts_come_in_order_with_their_weights_and_hints(tmp_path):
    text = "LIMITS = {'seconds': 5}\n@exam('b', weight=2.5, hint='One.')\ndef z(student, rng): pass\n" + PART
    loaded = load(tmp_path, text)
    assert [(p.grade_id, p.name, p.weight, p.hint) for p in loaded.parts] == [("b", "z", 2.5, "One."), ("t", "part", 1, "Look again.")]
    assert loaded.limits == {"seconds": 5}


def test_loading_leaves_nothing_beside_the_exam(tmp_path):
    load(tmp_path, PART)
    assert [path.name for path in tmp_path.iterdir()] == ["exam.py"]


def test_one_exam_does_not_leak_into_the_next(tmp_path):
    load(tmp_path, PART)
    assert len(load(tmp_path, PART).parts) == 1


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "it has no part"),
        ("1/0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        (PART + PART, "two parts are called part"),
        (PART.replace("student, rng", "student"), r"needs exactly the arguments \(student, rng\)"),
        (PART.replace("Look again.", " "), "needs a weight above 0 and a hint"),
        (PART.replace("'t',", "'t', weight=0,"), "needs a weight above 0 and a hint"),
        ("LIMITS = {'second': 5}\n" + PART, r"LIMITS names \['second'\]"),
    ],
)
def test_what_is_wrong_with_an_exam_is_named(tmp_path, text, told):
    with pytest.raises(ExamError, match=told):
        load(tmp_path, text)


def test_seeds_depend_on_every_name_and_on_where_one_ends():
    seeds = {
        exam.derive(b"secret", "ada", "02_cell", 1),
        exam.derive(b"Secret", "ada", "02_cell", 1),
        exam.derive(b"secret", "bob", "02_cell", 1),
        exam.derive(b"secret", "ada", "03_cell", 1),
        exam.derive(b"secret", "ada", "02_cell", 2),
        exam.derive(b"secret", "ada0", "2_cell", 1),
    }
    assert len(seeds) == 6
    assert exam.derive(b"secret", "ada", "02_cell", 1) in seeds
    first, again = (exam.generator(exam.derive(1, "x")).standard_normal(3).tolist() for _ in range(2))
    assert first == again


@pytest.fixture
def kernel():
    """A Student whose kernel answers with the given frames; the requests it got are in `.requests`."""
    threads, opened = [], []

    def answering(*replies, limits=LIMITS, begun=("value", None)):
        ours, theirs = socket.socketpair()
        opened.extend((ours, theirs))
        requests = []

        def serve():
            for reply in (begun, *replies):
                requests.append(wire.decode(frames.receive(theirs, 1 << 24)))
                if reply is None:
                    return theirs.close()
                if reply is not ...:
                    raw = reply if isinstance(reply, bytes) else wire.encode(reply, 1 << 24)
                    frames.send(theirs, raw)

        def serve_until_left():
            with contextlib.suppress(frames.Closed):
                serve()

        threads.append(threading.Thread(target=serve_until_left))
        threads[-1].start()
        student = Student(lambda: ours, limits)
        student.requests = requests
        return student

    yield answering
    for end in opened:
        end.close()
    for thread in threads:
        thread.join()


def test_the_requests_and_the_answer(kernel):
    student = kernel(("value", None), ("value", None), ("value", 3), ("value", "x"))
    student.put("x", [1, 2])
    student.run("y = f(x)")
    assert student.call("f", 1, b=2) == 3
    assert student.value("y") == "x"
    assert student.requests == [
        ("begin", 0),
        ("put", "x", [1, 2]),
        ("run", "y = f(x)"),
        ("call", "f", (1,), {"b": 2}),
        ("value", "y"),
    ]


def test_an_error_at_the_beginning_is_not_the_one_a_part_waits_for(kernel):
    student = kernel(begun=("error", "ValueError", "not today"))
    with pytest.raises(StudentError, match="not today") as caught:
        student.call("f")
    assert caught.value.raised == ""


@pytest.mark.parametrize(
    "reply, message, reason, raised",
    [
        (("undefined", "f"), "f is not defined", "`f` is not defined after the notebook has run", "NameError"),
        (("undefined", "<b>else</b>"), "a reply that is none", "cannot be graded", ""),
        (("error", "NotImplementedError", ""), "NotImplementedError: ", "not filled in yet", "NotImplementedError"),
        (("error", "ValueError", "the input was 3\n\x1b[31m"), "ValueError: the input was 3  [31m", "Your code raised ValueError.", "ValueError"),
        (("error", "<script>", "x"), "<script>: x", "Your code raised an exception.", ""),
        (("error", "print", "x"), "print: x", "Your code raised an exception.", ""),
        (("error", 3, 4), "a reply that is none", "cannot be graded", ""),
        (("refused", "nn.LSTM"), "a reply that is none", "cannot be graded", ""),
        (("unusable", "an object of type Liar"), "an object of type Liar", "cannot be graded", ""),
        (("value",), "a reply that is none", "cannot be graded", ""),
        ("value", "a reply that is none", "cannot be graded", ""),
        (b"garbage", "not accepted", "cannot be graded", ""),
        (b"", "not a message", "cannot be graded", ""),
        (bytes(2 << 20), "2097152 bytes", "cannot be graded", ""),
        (None, "the process answering this part died", "Your code ended its process.", ""),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_other_answer_is_told_apart(kernel, reply, message, reason, raised):
    with pytest.raises(StudentError) as caught:
        kernel(reply).call("f")
    assert message in str(caught.value) and reason in caught.value.reason
    assert caught.value.raised == raised


def test_the_reason_for_the_student_holds_none_of_the_students_words(kernel):
    """An exception's text could carry the hidden inputs home."""
    with pytest.raises(StudentError) as caught:
        kernel(("error", "ValueError", "input 0.1234")).call("f")
    assert "0.1234" in str(caught.value) and "0.1234" not in caught.value.reason


def test_a_refused_name_is_told(kernel):
    student = kernel(("value", None), ("refused", "nn.LSTM"))
    student.refusing("nn.LSTM", "lstmlib")
    with pytest.raises(StudentError, match="used nn.LSTM"):
        student.call("f")


def test_no_answer_ends_the_part_and_later_questions_get_no_more_time(kernel):
    student = kernel(..., limits=Limits(part_seconds=0.3))
    with pytest.raises(StudentError, match="no answer within 0.3 s"):
        student.call("f")
    started = time.monotonic()
    with pytest.raises(StudentError, match="no answer within 0.3 s"):
        student.call("f")
    assert time.monotonic() - started < 0.3


def test_long_texts_are_cut():
    assert exam.clean("é\u202e" * 1000).startswith("é é ") and len(exam.clean("x" * 1000)) == 503

"""What the runner inside keeps of a cell's messages."""

import json

import pytest

from grading.kernel import collect

LARGE = 10_000


def kept(*messages, room=LARGE):
    outputs = []
    for kind, content in messages:
        room = collect(outputs, kind, content, room)
    return outputs, room


def stream(text, name="stdout"):
    return "stream", {"name": name, "text": text}


def test_a_stream_is_one_output_until_the_other_stream_speaks():
    outputs, _ = kept(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))
    assert [(o["name"], o["text"]) for o in outputs] == [("stdout", ["a", "b"]), ("stderr", ["c"]), ("stdout", ["d"])]


@pytest.mark.parametrize("kind", ["display_data", "execute_result", "error"])
def test_results_are_kept_with_their_kind(kind):
    outputs, _ = kept((kind, {"data": {"text/plain": "1"}}))
    assert outputs == [{"kind": kind, "data": {"text/plain": "1"}}]


@pytest.mark.parametrize("kind", ["status", "execute_input", "comm_open", "update_display_data"])
def test_other_messages_are_not_outputs(kind):
    assert kept((kind, {"data": 1})) == ([], LARGE)


def test_clear_output_clears():
    outputs, _ = kept(stream("a"), ("clear_output", {"wait": False}), stream("b"))
    assert outputs == [{"kind": "stream", "name": "stdout", "text": ["b"]}]


def test_what_does_not_fit_is_told_once_and_room_never_grows_back():
    flood = [stream("x" * 90) for _ in range(1000)]
    outputs, room = kept(*flood, room=1000)
    assert len(outputs) == 2 and "more was shown than is kept" in outputs[1]["text"][0]
    assert 0 <= room < 200
    assert len(json.dumps(outputs)) < 1200
    cleared, left = kept(*flood, ("clear_output", {}), *flood, room=1000)
    assert left == room and len(json.dumps(cleared)) < 400

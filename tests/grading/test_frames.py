"""Messages from a sender that is not trusted: whole, of bounded size, and in time."""

import socket
import struct
import threading
import time

import pytest

from grading import frames


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 1000])
def test_a_frame_arrives_whole(ends, payload):
    ours, theirs = ends
    sender = threading.Thread(target=frames.send, args=(theirs, payload))
    sender.start()
    assert frames.receive(ours, len(payload)) == payload
    sender.join()


def test_an_announced_size_over_the_limit_is_refused_before_anything_is_read(ends):
    ours, theirs = ends
    theirs.sendall(struct.pack("<Q", 2**63))
    with pytest.raises(frames.TooLarge, match="9223372036854775808 bytes"):
        frames.receive(ours, 1000)


def test_a_sender_that_closes_in_the_middle_is_noticed(ends):
    ours, theirs = ends
    theirs.sendall(struct.pack("<Q", 10) + b"half")
    theirs.close()
    with pytest.raises(frames.Closed):
        frames.receive(ours, 1000)


def test_sending_to_nobody_is_noticed(ends):
    ours, theirs = ends
    theirs.close()
    with pytest.raises(frames.Closed):
        frames.send(ours, b"x" * 1_000_000)


def test_dripping_bytes_gain_no_time(ends):
    ours, theirs = ends
    over = threading.Event()

    def drip():
        theirs.sendall(struct.pack("<Q", 10_000))
        while not over.wait(0.01):
            theirs.sendall(b".")

    dripper = threading.Thread(target=drip)
    dripper.start()
    with pytest.raises(TimeoutError):
        frames.receive(ours, 10_000, time.monotonic() + 0.2)
    over.set()
    dripper.join()


def test_a_receiver_that_does_not_read_cannot_hold_the_sender(ends):
    with pytest.raises(TimeoutError):
        frames.send(ends[0], bytes(50_000_000), time.monotonic() + 0.2)

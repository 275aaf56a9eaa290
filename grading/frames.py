"""Whole messages over a socket, received without trusting the other end.

A frame is its length (8 bytes, little-endian) and that many bytes. Deadlines are readings of
`time.monotonic()`, so a sender that drips byte by byte gains no time.
"""

import socket
import struct
import time

_LENGTH = struct.Struct("<Q")
MEBIBYTE = 1 << 20

# The variables in which `grading.kernel` tells `grading.driver` its socket and its limit.
CONTROL = "GRADING_CONTROL"
ANSWER_BYTES = "GRADING_ANSWER_BYTES"
EXTRAS = "/opt/handed-in"  # where the sandbox has the student's other files


class Closed(ConnectionError):
    """The other end is gone."""


class TooLarge(ValueError):
    """A frame announced more bytes than allowed; nothing was allocated for it."""


def send(channel: socket.socket, payload: bytes, deadline: float | None = None) -> None:
    """Send one frame; raise `TimeoutError` at the deadline and `Closed` if nobody listens."""
    try:
        channel.settimeout(_left(deadline))
        channel.sendall(_LENGTH.pack(len(payload)))
        channel.settimeout(_left(deadline))
        channel.sendall(payload)
    except OSError as error:
        raise _named(error) from error


def receive(channel: socket.socket, limit: int, deadline: float | None = None) -> bytes:
    """Receive one frame of at most `limit` bytes; raise `TooLarge`, `TimeoutError` or `Closed`."""
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, deadline))
    if length > limit:
        raise TooLarge(f"a message of {length} bytes, of which at most {limit} are accepted")
    return bytes(_exactly(channel, length, deadline))


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        try:
            channel.settimeout(_left(deadline))
            received = channel.recv_into(view)
        except OSError as error:
            raise _named(error) from error
        if not received:
            raise Closed("the other end closed the connection")
        view = view[received:]
    return data


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no complete message before the deadline")
    return left


def _named(error: OSError) -> OSError:
    return error if isinstance(error, TimeoutError) else Closed(str(error))

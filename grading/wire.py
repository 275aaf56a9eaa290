"""The data that may pass between the examiner and a student's kernel, and nothing else.

Tensors, arrays, numbers, strings, None, and tuples, lists and dicts of them. The types are
compared exactly: a subclass can carry code, such as an `__eq__` that is always true. Named
tuples and ordered dicts, such as a `state_dict`, cross as what they are made of. What arrives
is built here from checked numbers and strings; nothing is ever unpickled.

A message is the length of a JSON header (4 bytes), the header, and the bytes of every tensor
and array in the order in which the header names them. In the header a JSON scalar stands for
itself and everything else is a list that begins with its kind.
"""

import json
import math
import struct
import sys
from collections import OrderedDict, defaultdict

import numpy as np
import torch

_HEADER = struct.Struct("<I")
_HEADER_LIMIT = 8 << 20
_DEPTH_LIMIT = 32
_NODE_LIMIT = 200_000
_AXES_LIMIT = 16
_SCALARS = (type(None), bool, int, float, str)
_BOTH = "bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128".split()
_TENSORS = {name: getattr(torch, name) for name in (*_BOTH, "bfloat16")}
_TENSOR_NAMES = {dtype: name for name, dtype in _TENSORS.items()}
_ARRAYS = {name: np.dtype(name) for name in (*_BOTH, "uint16", "uint32", "uint64")}
_NUMBERS = {dtype.type: name for name, dtype in _ARRAYS.items()}
_SEQUENCES = {tuple: "tuple", list: "list", torch.Size: "tuple"}
_MAPPINGS = (dict, OrderedDict, defaultdict)
_CROSSES = "only tensors, arrays, numbers, strings, None, tuples, lists and dicts of them cross"


class WireError(ValueError):
    """Something that may not cross, or bytes that are no message."""


def encode(value, limit: int) -> bytes:
    """Turn data into at most `limit` bytes; raise `WireError` naming the place that cannot cross."""
    writer = _Writer(limit)
    header = json.dumps(writer.node(value, "", 0), separators=(",", ":")).encode("ascii")
    if len(header) > _HEADER_LIMIT or len(header) + writer.size > limit:
        raise WireError(f"an answer of more than {min(limit, _HEADER_LIMIT)} bytes is not accepted")
    return b"".join([_HEADER.pack(len(header)), header, *writer.chunks])


def decode(message: bytes):
    """Turn bytes from an untrusted sender back into data; raise `WireError` if they are not."""
    try:
        (length,) = _HEADER.unpack_from(message)
        if length > _HEADER_LIMIT:
            raise WireError(f"a header of {length} bytes is not accepted")
        header = json.loads(message[_HEADER.size : _HEADER.size + length].decode("ascii"))
        reader = _Reader(memoryview(message)[_HEADER.size + length :])
        value = reader.value(header, 0)
    except WireError:
        raise
    except (ValueError, TypeError, OverflowError, RuntimeError, LookupError, struct.error) as error:
        raise WireError(f"not a message: {type(error).__name__}") from error
    if reader.buffer:
        raise WireError(f"{len(reader.buffer)} bytes too many after the message")
    return value


class _Writer:
    def __init__(self, limit: int):
        self.limit, self.size, self.count, self.chunks = limit, 0, 0, []

    def node(self, value, place: str, depth: int):
        kind = type(value)
        self.count += 1
        if depth > _DEPTH_LIMIT or self.count > _NODE_LIMIT:
            raise WireError(f"{place or 'the answer'} is nested too deeply or has too many items")
        if kind in _SCALARS:
            return _scalar(value, place)
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            return self.tensor(value, place)
        if kind is np.ndarray:
            return self.array("array", value, place)
        if kind in _NUMBERS:
            return self.array("number", np.asarray(value), place)
        if kind in _SEQUENCES or _is_named(kind):
            items = (self.node(v, f"{place}[{n}]", depth + 1) for n, v in enumerate(value))
            return [_SEQUENCES.get(kind, "tuple"), *items]
        if kind in _MAPPINGS:
            return ["dict", *(self.item(k, v, place, depth) for k, v in value.items())]
        raise WireError(f"{_at(place)}an object of type {kind.__name__}: {_CROSSES}")

    def item(self, key, value, place: str, depth: int):
        if type(key) not in (str, int):
            raise WireError(f"{_at(place)}a dict key of type {type(key).__name__}: use str or int")
        return [_scalar(key, place), self.node(value, f"{place}[{key!r:.40}]", depth + 1)]

    def tensor(self, value: torch.Tensor, place: str):
        name = _TENSOR_NAMES.get(value.dtype)
        if name is None or value.layout is not torch.strided or value.device.type != "cpu":
            found = f"{value.dtype}, {value.layout}, on {value.device}"
            raise WireError(f"{_at(place)}a tensor of an unusual kind ({found})")
        self.room(value.numel() * value.element_size(), value.shape, place)
        # A clone, since contiguous() keeps the stride of a dimension of size 1, which view() refuses.
        own = value.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
        plain = own.reshape(-1)  # (elements,)
        self.chunks.append(plain.view(torch.uint8).numpy().tobytes())
        return ["tensor", name, list(value.shape), value.requires_grad]

    def array(self, kind: str, value: np.ndarray, place: str):
        if _ARRAYS.get(value.dtype.name) != value.dtype:
            raise WireError(f"{_at(place)}an array of dtype {value.dtype}")
        self.room(value.nbytes, value.shape, place)
        self.chunks.append(value.tobytes())
        return [kind, value.dtype.name, list(value.shape)]

    def room(self, nbytes: int, shape, place: str) -> None:
        self.size += nbytes
        if self.size > self.limit or len(shape) > _AXES_LIMIT:
            size = f"shape {tuple(shape)}, {self.size} bytes of at most {self.limit} in all"
            raise WireError(f"{_at(place)}data that is too large: {size}")


class _Reader:
    def __init__(self, buffer: memoryview):
        self.buffer = buffer

    def value(self, node, depth: int):
        if depth > _DEPTH_LIMIT:
            raise WireError("nested too deeply")
        if not isinstance(node, list):
            return _scalar(node, "the message")
        kind, *rest = node
        if kind in ("tuple", "list"):
            items = [self.value(item, depth + 1) for item in rest]
            return tuple(items) if kind == "tuple" else items
        if kind == "dict":
            return self.mapping(rest, depth)
        if kind == "tensor":
            return self.tensor(*rest)
        if kind in ("array", "number"):
            array = self.array(*rest)
            return array if kind == "array" else array[()]
        raise WireError(f"an unknown kind {kind!r:.40}")

    def mapping(self, items: list, depth: int) -> dict:
        pairs = [(_scalar(key, "a key"), self.value(value, depth + 1)) for key, value in items]
        if any(type(key) not in (str, int) for key, _ in pairs) or len(dict(pairs)) < len(pairs):
            raise WireError("a dict with keys that are double or neither str nor int")
        return dict(pairs)

    def tensor(self, name: str, shape: list, requires_grad: bool) -> torch.Tensor:
        dtype = _TENSORS[name]
        data = self.take(shape, dtype.itemsize, name)
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        value = flat.reshape(shape)
        return value.requires_grad_() if requires_grad is True else value

    def array(self, name: str, shape: list) -> np.ndarray:
        dtype = _ARRAYS[name]
        return np.frombuffer(self.take(shape, dtype.itemsize, name), dtype).reshape(shape)

    def take(self, shape: list, itemsize: int, name: str) -> bytearray:
        """Cut the next array out of the buffer, as memory of its own."""
        if len(shape) > _AXES_LIMIT or any(type(n) is not int or n < 0 for n in shape):
            raise WireError("a shape that is none")
        nbytes = math.prod(shape) * itemsize
        if nbytes > len(self.buffer):
            raise WireError(f"shape {tuple(shape)} needs {nbytes} bytes, {len(self.buffer)} came")
        data, self.buffer = bytearray(self.buffer[:nbytes]), self.buffer[nbytes:]
        if name == "bool" and data.translate(None, b"\0\1"):
            raise WireError("a bool that is neither true nor false")
        return data


def _is_named(kind: type) -> bool:
    """Whether these are named tuples, made by `namedtuple` or `typing.NamedTuple`."""
    return kind.__bases__ == (tuple,) and hasattr(kind, "_fields")


def _scalar(value, place: str):
    """Check None, a bool, an int, a float or a str."""
    if type(value) not in _SCALARS:
        raise WireError(f"{_at(place)}a {type(value).__name__} where a plain value is needed")
    if type(value) is int and value.bit_length() > 4096:
        raise WireError(f"{_at(place)}an integer of more than 4096 bits")
    if type(value) is str and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise WireError(f"{_at(place)}a string that is not valid Unicode") from error
    return value


def _at(place: str) -> str:
    return f"{place}: " if place else ""


if sys.byteorder != "little":
    raise ImportError("grading.wire sends numbers as little-endian bytes; this machine is not")

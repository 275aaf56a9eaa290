"""Only data crosses: what does arrives unchanged, what does not is refused by name, and bytes are never trusted."""

import json
import math
import struct
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grading import wire
from grading.wire import WireError, decode, encode

LIMIT = 1 << 20


def crossed(value, limit=LIMIT):
    return decode(encode(value, limit))


def message(header, body=b""):
    """Bytes that a student's process could send: any header, any body."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + body


PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(
    st.characters(exclude_categories=["Cs"])
)
DATA = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


def same(one, other):
    """Equal in type and value, all the way down; NaN is itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (one != one and other != other)
    return one == other


@given(DATA)
def test_plain_data_arrives_unchanged(value):
    assert same(crossed(value), value)


@pytest.mark.parametrize("dtype", list(wire._TENSORS.values()), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (4,), (2, 1, 3)], ids=str)
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    value = (torch.arange(math.prod(shape)) % 2 if dtype == torch.bool else torch.arange(math.prod(shape))).to(dtype).reshape(shape)
    arrived = crossed(value)
    assert arrived.dtype == dtype and arrived.shape == value.shape and torch.equal(arrived, value)


@pytest.mark.parametrize("name", list(wire._ARRAYS))
@pytest.mark.parametrize("shape", [(), (0, 2), (3, 2)], ids=str)
def test_arrays_of_every_dtype_and_shape(name, shape):
    value = np.arange(math.prod(shape)).reshape(shape).astype(name)
    arrived = crossed(value)
    assert type(arrived) is np.ndarray and arrived.dtype == value.dtype
    np.testing.assert_array_equal(arrived, value)


@pytest.mark.parametrize("value", [np.float32(0.1), np.float64("nan"), np.int64(-3), np.bool_(True)], ids=repr)
def test_numpy_numbers_keep_their_type(value):
    arrived = crossed(value)
    assert type(arrived) is type(value)
    np.testing.assert_array_equal(arrived, value)


@pytest.mark.parametrize(
    "view",
    [
        torch.arange(12.0).reshape(3, 4).t(),
        torch.arange(12.0)[::3],
        torch.arange(3.0).expand(4, 3),
        torch.arange(5.0).reshape(1, 5)[:, 2],
        torch.tensor([1 + 2j, 3 - 1j]).conj(),
        torch.tensor([1 + 2j, 3 - 1j]).conj().imag,
        torch.tensor([math.nan, math.inf, -math.inf, -0.0]),
        torch.zeros(3).to(torch.bfloat16),
    ],
    ids=["transposed", "strided", "expanded", "one of a row", "conjugated", "negated", "not finite", "bfloat16"],
)
def test_views_arrive_as_what_they_show(view):
    arrived = crossed(view)
    assert arrived.is_contiguous()
    torch.testing.assert_close(arrived, view.resolve_conj().resolve_neg(), equal_nan=True, rtol=0, atol=0)


def test_transposed_and_reversed_arrays():
    value = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(crossed(value.T[::-1]), value.T[::-1])


def test_requires_grad_crosses_and_a_graph_does_not():
    leaf = torch.ones(2, requires_grad=True)
    arrived = crossed({"leaf": leaf, "result": leaf * 2, "plain": torch.ones(2)})
    assert [t.requires_grad for t in arrived.values()] == [True, True, False]
    assert all(t.is_leaf for t in arrived.values())


def test_a_parameter_arrives_as_a_tensor_and_a_size_as_a_tuple():
    parameter, size = crossed((torch.nn.Parameter(torch.ones(2)), torch.ones(2, 3).shape))
    assert type(parameter) is torch.Tensor and parameter.requires_grad
    assert size == (2, 3) and type(size) is tuple


def test_what_arrives_can_be_written_to_and_shares_nothing():
    first, second = crossed((torch.ones(3), torch.ones(3)))
    first += 1
    assert second.tolist() == [1, 1, 1]
    array = crossed(np.ones(3))
    array += 1


class Liar:
    def __eq__(self, other):
        return True


class LyingFloat(float):
    __eq__ = Liar.__eq__
    __hash__ = float.__hash__


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


class LyingArray(np.ndarray):
    __eq__ = Liar.__eq__


class Pretender:
    """An object that claims another class."""

    @property
    def __class__(self):
        return torch.Tensor


class LyingPair(tuple):
    def __eq__(self, other):
        return True


class LyingDict(dict):
    def __eq__(self, other):
        return True


Pair = namedtuple("Pair", "one other")
CYCLE: list = []
CYCLE.append(CYCLE)
DEEP: list = []
for _ in range(100):
    DEEP = [DEEP]
WIDE = [0]
for _ in range(20):
    WIDE = [WIDE, WIDE]


@pytest.mark.parametrize("value, plain", [(Pair(1, [2]), (1, [2])), (OrderedDict(a=Pair(1, 2)), {"a": (1, 2)}), (defaultdict(list, a=1), {"a": 1})])
def test_named_tuples_and_ordered_dicts_arrive_as_plain_ones(value, plain):
    arrived = wire.decode(wire.encode(value, LIMIT))
    assert arrived == plain and type(arrived) is type(plain)


@pytest.mark.parametrize(
    "value, told",
    [
        (Liar(), "an object of type Liar"),
        ([1, {"h": Liar()}], r"\[1\]\['h'\]: an object of type Liar"),
        (LyingFloat(1), "LyingFloat"),
        (torch.ones(2).as_subclass(LyingTensor), "LyingTensor"),
        (np.ones(2).view(LyingArray), "LyingArray"),
        (Pretender(), "Pretender"),
        (LyingPair((1, 2)), "LyingPair"),
        (LyingDict(a=1), "LyingDict"),
        ({1, 2}, "set"),
        (1j, "complex"),
        (b"bytes", "bytes"),
        (lambda: 1, "function"),
        (torch.nn.Linear(1, 1), "Linear"),
        (torch.float32, "dtype"),
        (CYCLE, "nested too deeply"),
        (DEEP, "nested too deeply"),
        (WIDE, "too many items"),
        ({math.nan: 1}, "a dict key of type float"),
        ({(1, 2): 1}, "a dict key of type tuple"),
        ({True: 1}, "a dict key of type bool"),
        (10**2000, "an integer of more than 4096 bits"),
        ("\ud800", "not valid Unicode"),
        (torch.zeros(1).expand(10**12), "too large"),
        (np.broadcast_to(np.zeros(1), (10**6, 10**6)), "too large"),
        (torch.zeros([1] * 17), "too large"),
        ([torch.zeros(200_000)] * 2, "too large"),
        ("x" * LIMIT, "not accepted"),
        (torch.eye(2).to_sparse(), "unusual kind"),
        (torch.zeros(2, device="meta"), "unusual kind"),
        (np.array([1.0]).astype(">f8"), "dtype >f8"),
        (np.array([Liar()], dtype=object), "dtype object"),
        (np.array(["a"]), "dtype <U1"),
        (np.zeros(2, dtype=[("a", "f4")]), "dtype"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_not_cross_is_refused_by_name(value, told):
    with pytest.raises(WireError, match=told):
        encode(value, LIMIT)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\xff\xff\xff\xff",
        message(b"not json"),
        message(b"\xff\xfe"),
        message(b"[" * 100_000),
        message(b"1" * 100_000),
        message(b"[" * 40 + b"]" * 40),
        message({"a": 1}),
        message([]),
        message([["list"]]),
        message(["object", "builtins", "eval"]),
        message(["tensor"]),
        message(["tensor", "float32", [2], False], b"1234567"),
        message(["tensor", "float32", [2], False], b"123456789"),
        message(["tensor", "float32", [-1], False], b"1234"),
        message(["tensor", "float32", [10**30, 0], False]),
        message(["tensor", "float32", [2**62, 2**62], False]),
        message(["tensor", "float32", [True], False], b"1234"),
        message(["tensor", "float32", ["1"], False], b"1234"),
        message(["tensor", "float32", [1.0], False], b"1234"),
        message(["tensor", "float32", 1, False], b"1234"),
        message(["tensor", "float32", None, False], b"1234"),
        message(["tensor", "float32", [1] * 1000, False], b"1234"),
        message(["tensor", "object", [1], False], b"12345678"),
        message(["tensor", ["float32"], [1], False], b"1234"),
        message(["tensor", "bool", [1], False], b"\x02"),
        message(["tensor", "int64", [1], True], b"12345678"),
        message(["array", "object", [1]], b"12345678"),
        message(["array", "bool", [1]], b"\x7f"),
        message(["number", "float32", []]),
        message(["dict", 1]),
        message(["dict", ["a"]]),
        message(["dict", ["a", 1, 2]]),
        message(["dict", ["a", 1], ["a", 2]]),
        message(["dict", [None, 1]]),
        message(["dict", [["list"], 1]]),
        message(b'"\\ud800"'),
        message(1) + b"more",
    ],
    ids=lambda hostile: repr(hostile[4:44]),
)
def test_bytes_that_are_no_message_are_refused(hostile):
    with pytest.raises(WireError):
        decode(hostile)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_a_refusal(garbage):
    for hostile in (garbage, message(garbage)):
        try:
            decode(hostile)
        except WireError:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["tensor", "array", "dict", "list", "float32", "bool"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=15,
)


@settings(max_examples=300)
@given(JSON, st.binary(max_size=16))
def test_any_header_gives_data_or_a_refusal(header, body):
    try:
        decode(message(header, body))
    except WireError:
        return


def test_no_message_names_a_pickle():
    """The codec knows no way to rebuild an object: a message is JSON and the bytes of numbers."""
    length = struct.unpack_from("<I", data := encode({"a": (1, [None, "s"])}, LIMIT))[0]
    assert json.loads(data[4 : 4 + length]) == ["dict", ["a", ["tuple", 1, ["list", None, "s"]]]]

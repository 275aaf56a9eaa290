"""Every argument and input that nn.LSTM refuses, refused with the same type and message; some with a better one."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from lstmlib import LSTM

F64 = torch.float64
r = torch.randn

ARGUMENTS = [
    dict(input_size=3),
    dict(hidden_size=5),
    dict(input_size=3, hidden_size=5, bogus=1),
    dict(input=3, hidden=5),
    dict(input_size=0, hidden_size=5),
    dict(input_size=-1, hidden_size=5),
    dict(input_size=3.0, hidden_size=5),
    dict(input_size="3", hidden_size=5),
    dict(input_size=None, hidden_size=5),
    dict(input_size=np.int64(3), hidden_size=5),
    dict(input_size=(3,), hidden_size=5),
    dict(input_size=3, hidden_size=0),
    dict(input_size=3, hidden_size=-2),
    dict(input_size=3, hidden_size=5.0),
    dict(input_size=3, hidden_size=None),
    dict(input_size=3, hidden_size=False),
    *(
        dict(input_size=3, hidden_size=5) | wrong
        for wrong in [
            dict(num_layers=0),
            dict(num_layers=-1),
            dict(num_layers=1.5),
            dict(num_layers="2"),
            dict(bias=0),
            dict(bias=1),
            dict(bias="True"),
            dict(bias=None),
            dict(batch_first=0),
            dict(batch_first="False"),
            dict(dropout=-0.1),
            dict(dropout=1.1),
            dict(dropout=True),
            dict(dropout=False),
            dict(dropout="a"),
            dict(dropout="0.5"),
            dict(dropout=None),
            dict(dropout=float("nan")),
            dict(dropout=1j),
            dict(proj_size=-1),
            dict(proj_size=5),
            dict(proj_size=6),
            dict(proj_size="2"),
            dict(proj_size=2.5),
            dict(dtype=torch.int64),
            dict(device="nowhere"),
            # two faults: the one that torch names first
            dict(dropout=2, num_layers=0),
            dict(bias=1, batch_first=1),
            dict(num_layers=0, proj_size=-1),
        ]
    ),
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_arguments(arguments):
    with pytest.raises(Exception) as theirs:
        nn.LSTM(**arguments)
    with pytest.raises(type(theirs.value)) as ours:
        LSTM(**arguments)
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value).replace("LSTM.", "RNNBase.") == str(theirs.value)


def states(*shapes, dtypes=(torch.float32, torch.float32)):
    return tuple(torch.randn(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes))


INPUTS = {
    "0-D": lambda layer: layer(torch.tensor(1.0)),
    "1-D": lambda layer: layer(r(3)),
    "4-D": lambda layer: layer(r(1, 4, 2, 3)),
    "wrong width": lambda layer: layer(r(4, 2, 5)),
    "wrong width, unbatched": lambda layer: layer(r(4, 5)),
    "float64 input": lambda layer: layer(r(4, 2, 3, dtype=F64)),
    "whole numbers": lambda layer: layer(torch.zeros(4, 2, 3, dtype=torch.int64)),
    "no steps": lambda layer: layer(r(0, 2, 3)),
    "no steps, unbatched": lambda layer: layer(r(0, 3)),
    "other device": lambda layer: layer(r(4, 2, 3, device="meta")),
    "a list": lambda layer: layer([[1.0, 2.0, 3.0]]),
    "h of wrong layers": lambda layer: layer(r(4, 2, 3), states((2, 2, 5), (1, 2, 5))),
    "h of wrong batch": lambda layer: layer(r(4, 2, 3), states((1, 3, 5), (1, 2, 5))),
    "h of wrong width": lambda layer: layer(r(4, 2, 3), states((1, 2, 4), (1, 2, 5))),
    "c of wrong width": lambda layer: layer(r(4, 2, 3), states((1, 2, 5), (1, 2, 4))),
    "c of wrong batch": lambda layer: layer(r(4, 2, 3), states((1, 2, 5), (1, 1, 5))),
    "unbatched h of wrong layers": lambda layer: layer(r(4, 3), states((2, 5), (1, 5))),
    "2-D states, 3-D input": lambda layer: layer(r(4, 2, 3), states((1, 5), (1, 5))),
    "2-D c, 3-D input": lambda layer: layer(r(4, 2, 3), states((1, 2, 5), (1, 5))),
    "3-D states, 2-D input": lambda layer: layer(r(4, 3), states((1, 1, 5), (1, 1, 5))),
    "states and input wrong": lambda layer: layer(r(4, 2, 4), states((1, 5), (1, 5))),
    "one state": lambda layer: layer(r(4, 2, 3), states((1, 2, 5))),
    "three states": lambda layer: layer(r(4, 2, 3), states((1, 2, 5), (1, 2, 5)) + states((1, 2, 5))),
    "a tensor for states": lambda layer: layer(r(4, 2, 3), r(2, 2, 5)),
    "a tensor for states, one layer": lambda layer: layer(r(4, 2, 3), r(1, 2, 5)),
    "h on another device": lambda layer: layer(r(4, 2, 3), (r(1, 2, 5, device="meta"), r(1, 2, 5))),
    "c on another device": lambda layer: layer(r(4, 2, 3), (r(1, 2, 5), r(1, 2, 5, device="meta"))),
}


@pytest.mark.parametrize("backend", ["loop", "fused"])
@pytest.mark.parametrize("call", INPUTS.values(), ids=INPUTS)
def test_inputs(call, backend):
    with pytest.raises(Exception) as theirs:
        call(nn.LSTM(3, 5))
    with pytest.raises(type(theirs.value)) as ours:
        call(LSTM(3, 5, backend=backend))
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("config", [dict(proj_size=2), dict(num_layers=2, bidirectional=True), dict(batch_first=True)])
def test_expected_state_sizes(config):
    for wrong in (states((7, 2, 5), (1, 2, 5)), states((1, 2, 2), (9, 9, 9)), states((4, 2, 5), (4, 2, 4))):
        with pytest.raises(RuntimeError) as theirs:
            nn.LSTM(3, 5, **config)(r(4, 2, 3), wrong)
        with pytest.raises(RuntimeError) as ours:
            LSTM(3, 5, **config)(r(4, 2, 3), wrong)
        assert str(ours.value) == str(theirs.value)


packed = pack_sequence([torch.zeros(4, 3), torch.zeros(2, 3)])
BETTER = {
    "packed width": (
        lambda layer: layer(pack_sequence([r(4, 4), r(2, 4)])),
        r"input.size\(-1\) must be equal to input_size. Expected 3, got 4",
    ),
    "packed dtype": (
        lambda layer: layer(pack_sequence([r(4, 3, dtype=F64)])),
        r"RNN input dtype \(torch.float64\) does not match weight dtype \(torch.float32\). Convert input",
    ),
    "packed h of wrong batch": (
        lambda layer: layer(packed, states((1, 3, 5), (1, 3, 5))),
        r"Expected hidden\[0\] size \(1, 2, 5\), got \[1, 3, 5\]",
    ),
    "packed c of wrong width": (
        lambda layer: layer(packed, states((1, 2, 5), (1, 2, 4))),
        r"Expected hidden\[1\] size \(1, 2, 5\), got \[1, 2, 4\]",
    ),
    "dtype of h": (
        lambda layer: layer(r(4, 2, 3), states((1, 2, 5), (1, 2, 5), dtypes=(F64, torch.float32))),
        r"Expected hidden\[0\] of dtype torch.float32, as the input is, got torch.float64. Convert it: hx\[0\]",
    ),
    "dtype of c": (
        lambda layer: layer(packed, states((1, 2, 5), (1, 2, 5), dtypes=(torch.float32, F64))),
        r"Expected hidden\[1\] of dtype torch.float32, as the input is, got torch.float64. Convert it: hx\[1\]",
    ),
}


@pytest.mark.parametrize("call, message", BETTER.values(), ids=BETTER)
def test_a_better_message_than_torch(call, message):
    with pytest.raises(RuntimeError):
        call(nn.LSTM(3, 5))
    with pytest.raises(RuntimeError, match=message):
        call(LSTM(3, 5))


def test_packed_data_of_one_dimension():
    odd = PackedSequence(torch.zeros(3), torch.tensor([2, 1]))
    with pytest.raises(RuntimeError, match="input must have 2 dimensions, got 1"):
        LSTM(3, 5)(odd)


class TestLengths:
    x = torch.zeros(4, 2, 3)

    @pytest.mark.parametrize(
        "lengths, error, message",
        [
            ([4], ValueError, r"lengths should be \(2,\), one for each sequence, got \(1,\)"),
            ([[4, 4]], ValueError, r"got \(1, 2\)"),
            ([4, 0], ValueError, r"from 1 to the 4 steps of the input, got lengths\[1\] = 0"),
            ([5, 4], ValueError, r"got lengths\[0\] = 5"),
            ([4.0, 2.0], TypeError, "whole numbers of steps, got torch.float32"),
        ],
    )
    def test_refused(self, lengths, error, message):
        with pytest.raises(error, match=message):
            LSTM(3, 5)(self.x, lengths=lengths)

    def test_only_with_a_padded_batch(self):
        with pytest.raises(ValueError, match="got a PackedSequence, which carries its own"):
            LSTM(3, 5)(packed, lengths=[4, 2])
        with pytest.raises(ValueError, match="got an unbatched input of 2"):
            LSTM(3, 5)(self.x[:, 0], lengths=[4])

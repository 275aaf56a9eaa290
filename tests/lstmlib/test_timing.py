"""The timing tools: who is called how often, and what is written down. Nothing depends on how long anything takes."""

import itertools
import json

import pytest
import torch

from lstmlib import timing


def test_each_function_has_its_turn_in_every_round():
    calls = []
    functions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    found = timing.time_side_by_side(functions, rounds=3, warmup=2)
    assert [name for name, _ in itertools.groupby(calls)] == ["a", "b"] * 4  # warm-up, then three rounds
    assert calls[:4] == ["a", "a", "b", "b"] and calls.count("a") == calls.count("b") >= 2 + 3
    for name in "ab":
        assert found[name]["rounds"] == 3
        assert 0 < found[name]["q1"] <= found[name]["median"] <= found[name]["q3"]


def test_summary():
    assert timing.summary([4.0, 1.0, 2.0, 3.0, 5.0]) == {"median": 3.0, "q1": 2.0, "q3": 4.0, "rounds": 5}
    assert timing.summary([2.0]) == {"median": 2.0, "q1": 2.0, "q3": 2.0, "rounds": 1}


def test_machine_says_what_but_not_whose():
    record = timing.machine()
    assert record["torch"] == torch.__version__ and record["threads"] == torch.get_num_threads() and record["device"]
    assert json.loads(json.dumps(record)) == record
    assert "/" not in json.dumps(record)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device: nothing to refuse")
def test_without_cuda_it_says_so():
    for refused in (lambda: timing.machine("cuda"), lambda: timing.time_side_by_side({}, device="cuda")):
        with pytest.raises(RuntimeError, match="no CUDA device here: torch.cuda.is_available\\(\\) is False"):
            refused()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: torch.cuda.is_available() is False")
def test_on_a_gpu():
    a = torch.randn(64, 64, device="cuda")
    found = timing.time_side_by_side({"mm": lambda: a @ a}, device="cuda", rounds=3)
    assert found["mm"]["median"] > 0 and timing.machine("cuda")["driver"]

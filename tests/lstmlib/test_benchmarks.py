"""The timing programs: what they refuse, what they write, and the promises that the recorded CPU figures keep."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "benchmarks" / "results").glob("c*.json"))  # cpu-..., cuda-...
CPU = [path for path in RECORDS if path.name.startswith("cpu-")]


def run(*arguments):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device: nothing to refuse")
def test_without_cuda_one_clear_line():
    done = run("benchmarks.layers", "--device", "cuda")
    assert done.returncode == 1 and not done.stdout
    assert re.fullmatch(r"benchmarks\.layers: no CUDA device here: .*\n", done.stderr)


def test_the_peak_of_a_process_is_of_that_process():
    small, large = (float(run("benchmarks.memory", "loop", size, "8", "16", "16").stdout) for size in ("8", "4096"))
    kept = 4096 * 8 * 16 * 4 / 2**20  # MiB of one state over all steps
    assert large > small + 5 * kept


def test_there_is_a_record_of_a_cpu():
    assert CPU


@pytest.fixture(params=RECORDS, ids=lambda path: path.name)
def record(request):
    return json.loads(request.param.read_text())


def test_record_names_what_it_was_taken_on(record):
    assert {"date", "device", "torch", "python"} <= set(record["machine"])
    if "cuda" in record["machine"]:
        assert {"driver", "cudnn", "tf32"} <= set(record["machine"])
    assert "/" not in json.dumps(record), "a path in a record"


def test_record_agrees_with_itself(record):
    rows = record["speed"]["sizes"]
    assert len(rows) == 5
    for kind in ("inference", "train"):
        for name, mean in record["speed"]["geometric_mean"][kind].items():
            logs = []
            for row in rows:
                seconds = row[kind]["seconds"]
                assert all(own["q1"] <= own["median"] <= own["q3"] for own in seconds.values())
                logs.append(math.log(seconds["nn.LSTM"]["median"] / seconds[name]["median"]))
            assert mean == pytest.approx(math.exp(sum(logs) / len(logs)))


@pytest.mark.parametrize("path", CPU, ids=lambda path: path.name)
class TestRecordedCPU:
    def test_speed(self, path):
        means = json.loads(path.read_text())["speed"]["geometric_mean"]
        assert means["train"]["fused"] >= 0.45 and means["inference"]["fused"] >= 0.35

    def test_linear_in_time(self, path):
        slopes = json.loads(path.read_text())["growth"]["slope"]
        assert slopes["loop"] <= 1.1 and slopes["fused"] <= 1.1

    def test_memory(self, path):
        for peak in json.loads(path.read_text())["memory"]["peak_mib"].values():
            assert peak["fused"] <= 0.6 * peak["loop"] and peak["fused"] < peak["nn.LSTM"]

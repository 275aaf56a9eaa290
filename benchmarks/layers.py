"""Time lstmlib's backends beside nn.LSTM and record the result as JSON: `python -m benchmarks.layers --device cpu`.

Three measurements, each on one thread and in float32:

- speed: inference and a train step (forward and backward) at five sizes, the layers in turn;
- growth: the train step at T = 128 ... 2048, and the slope of log time against log T;
- memory (CPU): the peak that a train step adds to a process of its own, with and without retain_graph.

Numbers are compared before any is timed. The record holds medians and quartiles and what they were taken on.
"""

import argparse
import json
import math
import re
import sys
from pathlib import Path

import torch
from torch import nn

from benchmarks.memory import peak_in_a_process
from lstmlib import BACKENDS, LSTM, timing

# Time, batch, input, hidden.
SIZES = [(50, 1, 64, 64), (100, 32, 64, 128), (128, 64, 128, 256), (256, 16, 512, 512), (100, 64, 512, 512)]
GROWTH = [(time, 8, 32, 64) for time in (128, 256, 512, 1024, 2048)]
MEMORY = (512, 64, 256, 256)
RESULTS = Path(__file__).parent / "results"


def layers(size, device):
    """nn.LSTM and each backend with the same weights, and an input (time, batch, input)."""
    time, batch, width, hidden = size
    torch.manual_seed(0)
    theirs = nn.LSTM(width, hidden, device=device)
    ours = {name: LSTM(width, hidden, device=device, backend=name) for name in BACKENDS}
    for layer in ours.values():
        layer.load_state_dict(theirs.state_dict())
    return {"nn.LSTM": theirs} | ours, torch.randn(time, batch, width, device=device)


def infer(layer, x):
    """One forward pass without gradients."""
    with torch.no_grad():
        return layer(x)[0]


def train(layer, x):
    """One forward and one backward pass; returns the gradients of the weights."""
    output, _ = layer(x)
    return torch.autograd.grad(output, list(layer.parameters()), torch.ones_like(output))


def compare(found, x):
    """Refuse to time layers that do not give the same numbers."""
    expected = [infer(found["nn.LSTM"], x), *train(found["nn.LSTM"], x)]
    bound = 1e-2 if x.is_cuda else 1e-4  # cuDNN's TF32 keeps ten bits
    for name, layer in found.items():
        for mine, theirs in zip([infer(layer, x), *train(layer, x)], expected, strict=True):
            apart = ((mine - theirs).abs().max() / theirs.abs().max()).item()
            if not apart < bound:
                raise ArithmeticError(f"{name} and nn.LSTM differ by {apart:.1e} of the largest value: not timed")


def speed(device, rounds):
    """Every size: seconds of each layer, and nn.LSTM's median over each backend's."""
    rows = []
    for size in SIZES:
        found, x = layers(size, device)
        compare(found, x)
        row = dict(zip(("time", "batch", "input", "hidden"), size))
        for name, work in (("inference", infer), ("train", train)):
            functions = {key: lambda layer=layer: work(layer, x) for key, layer in found.items()}
            seconds = timing.time_side_by_side(functions, device, rounds)
            row[name] = {"seconds": seconds, "speed": ratios(seconds)}
            print(f"T={size[0]} B={size[1]} I={size[2]} H={size[3]} {name:9}", said(row[name]), flush=True)
        rows.append(row)
    return {"sizes": rows, "geometric_mean": {name: mean_speed(rows, name) for name in ("inference", "train")}}


def ratios(seconds):
    """How fast each backend is where nn.LSTM is 1."""
    expected = seconds["nn.LSTM"]["median"]
    return {name: expected / own["median"] for name, own in seconds.items() if name != "nn.LSTM"}


def mean_speed(rows, name):
    """The geometric mean of each backend's speed over the sizes."""
    backends = rows[0][name]["speed"]
    return {key: math.exp(sum(math.log(row[name]["speed"][key]) for row in rows) / len(rows)) for key in backends}


def said(measured):
    medians = {name: f"{own['median'] * 1e3:9.2f} ms" for name, own in measured["seconds"].items()}
    return "  ".join(f"{name} {text}" for name, text in medians.items())


def growth(device, rounds):
    """Seconds of a train step at growing lengths, and the slope of log time against log T."""
    seconds = {}
    for size in GROWTH:
        found, x = layers(size, device)
        functions = {key: lambda layer=layer: train(layer, x) for key, layer in found.items()}
        for name, own in timing.time_side_by_side(functions, device, rounds).items():
            seconds.setdefault(name, []).append(own["median"])
    times = [size[0] for size in GROWTH]
    slopes = {name: slope(times, own) for name, own in seconds.items()}
    print("growth: time of a train step ~ T^slope,", ", ".join(f"{name} {own:.3f}" for name, own in slopes.items()))
    return {"time": times, "batch": 8, "input": 32, "hidden": 64, "seconds": seconds, "slope": slopes}


def slope(times, seconds):
    """The least-squares slope of log seconds against log time."""
    x, y = [math.log(value) for value in times], [math.log(value) for value in seconds]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y)) / sum((a - x_mean) ** 2 for a in x)


def memory():
    """MiB that a train step adds to the peak of a process, for each layer."""
    found = {}
    for key, retain in (("train", False), ("train_retain_graph", True)):
        found[key] = {name: peak_in_a_process(name, MEMORY, retain) for name in ("nn.LSTM", *BACKENDS)}
        print(f"memory, {key}:", ", ".join(f"{name} {own:.0f} MiB" for name, own in found[key].items()), flush=True)
    return dict(zip(("time", "batch", "input", "hidden"), MEMORY)) | {"peak_mib": found}


def main(arguments=None):
    """Measure and write results/<device>.json; returns 1 where there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--rounds", type=int, default=10, help="timings of each layer at each size")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the record")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        machine = timing.machine(options.device)
    except RuntimeError as error:
        print(f"benchmarks.layers: {error}", file=sys.stderr)
        return 1
    record = {"machine": machine, "dtype": "float32", "speed": speed(options.device, options.rounds)}
    record["growth"] = growth(options.device, options.rounds)
    if options.device == "cpu":
        record["memory"] = memory()
    name = re.sub(r"[^a-z0-9]+", "-", f"{options.device} {machine['device']}".lower()).strip("-")
    path = options.out / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    for kind, means in record["speed"]["geometric_mean"].items():
        print(f"{kind}, where nn.LSTM is 1:", ", ".join(f"{key} {value:.2f}" for key, value in means.items()))
    print(f"recorded in results/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

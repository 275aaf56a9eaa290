"""The peak memory of a train step, in a process of its own: `python -m benchmarks.memory fused 512 64 256 256`."""

import resource
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from lstmlib import LSTM


def peak_in_a_process(name, size, retain_graph=False):
    """MiB by which one train step of the named layer raises the peak of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.memory", name, *map(str, size)]
    command += ["--retain-graph"] if retain_graph else []
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak_of_a_train_step(name, time, batch, width, hidden, retain_graph):
    """MiB by which one train step raises this process's peak."""
    torch.set_num_threads(1)
    layer = nn.LSTM(width, hidden) if name == "nn.LSTM" else LSTM(width, hidden, backend=name)
    layer(torch.randn(2, 1, width))[0].sum().backward()  # whatever is set up once
    x = torch.randn(time, batch, width, requires_grad=True)
    before = peak_mib()
    output, _ = layer(x)
    loss = output.square().mean()
    for _ in range(2 if retain_graph else 1):
        loss.backward(retain_graph=retain_graph)
    return peak_mib() - before


def peak_mib():
    """The most memory this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count what the parent held when it forked
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak) / 2**10  # from KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS gives bytes


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[2:6]]
    print(peak_of_a_train_step(sys.argv[1], *sizes, retain_graph="--retain-graph" in sys.argv))

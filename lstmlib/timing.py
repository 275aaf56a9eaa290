"""Timing of functions side by side: CUDA events on a GPU, `torch.utils.benchmark` on a CPU, and what they ran on."""

import datetime
import platform
import statistics
import time
from pathlib import Path

import torch
from torch.utils import benchmark


def time_side_by_side(functions, device="cpu", rounds=10, warmup=1):
    """Time each of the named functions once a round, in turn, so that a busy machine slows all of them alike.

    On CUDA with events, on a CPU with `torch.utils.benchmark` and `clock`, on as many threads as torch is set to.

    `functions` maps names to functions of no argument. Returns by name a dict with `median`, `q1`, `q3` in seconds
    and the number of `rounds`. Raises RuntimeError where `device` is CUDA and there is none.
    """
    device = torch.device(device)
    require(device)
    once = _once_on_cuda if device.type == "cuda" else _once_on_cpu
    for function in functions.values():
        for _ in range(warmup):
            function()
    taken = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            taken[name].append(once(function))
    return {name: summary(seconds) for name, seconds in taken.items()}


def require(device):
    """Raise RuntimeError, with what to do, if there is no such device here."""
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            "no CUDA device here: torch.cuda.is_available() is False. Run on a machine with an NVIDIA GPU and a "
            f"CUDA build of torch (this one is {torch.__version__})"
        )


def summary(seconds):
    """Median and quartiles of some durations, in seconds."""
    q1, median, q3 = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return {"median": median, "q1": q1, "q3": q3, "rounds": len(seconds)}


def clock():
    """The clock for a CPU: on one thread the process's own CPU time, which nothing else runs up; else wall time."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def _once_on_cpu(function):
    timer = benchmark.Timer(
        "function()", globals={"function": function}, timer=clock(), num_threads=torch.get_num_threads()
    )
    return timer.timeit(1).mean  # runs it twice untimed before


def _once_on_cuda(function):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1000  # elapsed_time is in milliseconds


def machine(device="cpu"):
    """What a timing was taken on: device, versions, threads, TF32 flags, date; nothing that names a computer or user."""
    device = torch.device(device)
    require(device)
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }
    if device.type != "cuda":
        onednn = torch.backends.mkldnn.is_available()
        threads = {"threads": torch.get_num_threads(), "clock": clock().__name__}
        return record | {"device": cpu_name(), "onednn": onednn} | threads
    return record | {
        "device": torch.cuda.get_device_name(device),
        "capability": ".".join(map(str, torch.cuda.get_device_capability(device))),
        "driver": driver_version(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32": {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32},
    }


def cpu_name():
    """The processor's own name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def driver_version():
    """The NVIDIA driver's version, where the system tells it, else None."""
    info = Path("/proc/driver/nvidia/version")
    words = info.read_text().split() if info.exists() else []
    return next((word for word in words if word[0].isdigit() and word.count(".") >= 1), None)

"""Refusing finished layers, and whole packages, inside a fork of the student's kernel.

The layers are caught where every form of them ends up, at their operators: `nn.LSTM`,
`torch.lstm`, `torch._VF.lstm` and `torch.ops.aten.lstm` all meet the override. A package is
caught when one of its functions starts to run, and so are the few finished layers of torch that
are written in Python.
"""

import importlib.util
import sys
import threading
from pathlib import Path

import torch

_OPERATORS = {
    "nn.LSTM": (
        "lstm.input",
        "lstm.data",
        "lstm_cell",
        "quantized_lstm.input",
        "quantized_lstm.data",
        "quantized_lstm_cell",
        "_thnn_fused_lstm_cell",
        "mkldnn_rnn_layer",
        "_cudnn_rnn",
        "miopen_rnn",
    ),
    "nn.GRU": ("gru.input", "gru.data", "gru_cell"),
    "nn.RNN": ("rnn_tanh.input", "rnn_tanh.data", "rnn_tanh_cell", "rnn_relu.input", "rnn_relu.data", "rnn_relu_cell"),
}
# Functions in torch's own files, by a part of their names, that compute a step without an operator of it.
_WRITTEN_OUT = {
    "nn.LSTM": {"ao/nn/quantizable/modules/rnn.py": "forward", "_decomp/decompositions.py": "lstm"},
    "nn.GRU": {"_decomp/decompositions.py": "gru"},
    "nn.RNN": {"_decomp/decompositions.py": "rnn"},
}
# A composite operator is reached under the first two or, from vmap, under the third.
_KEYS = ("CPU", "AutogradCPU", "CompositeImplicitAutograd")


class Refusals:
    """What the running part refuses; `met` is the first refused name that was used."""

    def __init__(self):
        self.met = ""
        self._watched: list[tuple[str, str, str]] = []  # start of a file's path, part of a function's name, whose
        self._library = torch.library.Library("aten", "IMPL")  # its overrides end with it

    def add(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in _OPERATORS:
                self._override(name)
            else:
                self._watch(name)

    def _override(self, name: str) -> None:
        def refuse(*args, **kwargs):
            self._meet(name)

        for operator in _OPERATORS[name]:
            for key in _KEYS:
                self._library.impl(operator, refuse, key)
        for file, function in _WRITTEN_OUT[name].items():
            self._catch(str(Path(torch.__file__).parent / file), function, name)

    def _watch(self, package: str) -> None:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            return  # what is not here cannot be used
        folder = spec.origin if spec.submodule_search_locations is None else str(Path(spec.origin).parent) + "/"
        self._catch(folder, "", package)

    def _catch(self, source: str, function: str, name: str) -> None:
        self._watched.append((source, function, name))
        sys.setprofile(self._profile)
        threading.setprofile(self._profile)

    def _profile(self, frame, event, argument) -> None:
        if event == "call":
            code = frame.f_code
            for source, function, name in self._watched:
                if code.co_filename.startswith(source) and function in code.co_name:
                    self._meet(name)

    def _meet(self, name: str) -> None:
        self.met = self.met or name
        raise RuntimeError(f"{name} is refused in this task: write it yourself")

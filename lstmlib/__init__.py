"""The library the book builds up: an LSTM that can be read, and does what `torch.nn.LSTM` does."""

import importlib

from lstmlib import convert, init, reference, timing
from lstmlib.array_cell import ArrayCell, StochasticArrayCell
from lstmlib.backends import BACKENDS
from lstmlib.cell import LSTMCell
from lstmlib.gru import GRUCell
from lstmlib.layer import LSTM
from lstmlib.shapes import Shapes, shapes
from lstmlib.stepwise import StepwiseArrayLSTM, StepwiseLSTM
from lstmlib.trace import Trace, gradient_flow, trace
from lstmlib.variants import CoupledCell, LayerNormCell, PeepholeCell, RecurrentDropoutCell, ZoneoutCell

__all__ = [
    "ArrayCell",
    "BACKENDS",
    "CoupledCell",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "LayerNormCell",
    "PeepholeCell",
    "RecurrentDropoutCell",
    "Shapes",
    "StepwiseArrayLSTM",
    "StepwiseLSTM",
    "StochasticArrayCell",
    "Trace",
    "ZoneoutCell",
    "convert",
    "gradient_flow",
    "init",
    "plots",
    "reference",
    "shapes",
    "timing",
    "trace",
]


def __getattr__(name):
    if name == "plots":  # on first use: it alone needs matplotlib
        return importlib.import_module("lstmlib.plots")
    raise AttributeError(f"module 'lstmlib' has no attribute {name!r}")

"""The shape of everything an LSTM makes, by arithmetic: nothing of torch is run."""

import math
from dataclasses import dataclass

from lstmlib import arguments


@dataclass(frozen=True)
class Shapes:
    """The shapes of an LSTM's output, final states and parameters (by name, in torch's order)."""

    output: tuple
    h_n: tuple
    c_n: tuple
    parameters: dict

    @property
    def count(self):
        """How many numbers the parameters hold."""
        return sum(math.prod(shape) for shape in self.parameters.values())


def shapes(
    input_shape,
    input_size,
    hidden_size,
    num_layers=1,
    bias=True,
    batch_first=False,
    dropout=0.0,
    bidirectional=False,
    proj_size=0,
    device=None,
    dtype=None,
):
    """The `Shapes` of LSTM(input_size, hidden_size, ...) on an input of this shape; torch's errors for what it refuses.

    >>> found = shapes((4, 2, 3), 3, 5, bidirectional=True)
    >>> found.output, found.h_n, found.c_n, found.count
    ((4, 2, 10), (2, 2, 5), (2, 2, 5), 400)
    """
    arguments.check_sizes(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
    if not isinstance(proj_size, int) or isinstance(proj_size, bool):  # torch fails on it when it makes the weights
        raise TypeError(f"proj_size should be of type int, got: {type(proj_size).__name__}")
    parameters = parameter_shapes(input_size, hidden_size, num_layers, bias, bidirectional, proj_size)
    arguments.check_rank(len(input_shape))
    arguments.check_width(input_shape[-1], input_size)
    time_dim = 1 if batch_first and len(input_shape) == 3 else 0
    arguments.check_time(input_shape[time_dim])
    batch = () if len(input_shape) == 2 else (input_shape[1 - time_dim],)
    directions = 2 if bidirectional else 1
    width = proj_size or hidden_size
    return Shapes(
        output=(*input_shape[:-1], directions * width),
        h_n=(num_layers * directions, *batch, width),
        c_n=(num_layers * directions, *batch, hidden_size),
        parameters=parameters,
    )


def parameter_shapes(input_size, hidden_size, num_layers=1, bias=True, bidirectional=False, proj_size=0):
    """The shape of each parameter by name: four gates of `hidden_size` rows, as wide as what each of them reads."""
    directions = ("", "_reverse") if bidirectional else ("",)
    width = proj_size or hidden_size  # of h
    found = {}
    for layer in range(num_layers):
        below = input_size if layer == 0 else width * len(directions)  # both directions' h, side by side
        for reverse in directions:
            place = f"_l{layer}{reverse}"
            found[f"weight_ih{place}"] = (4 * hidden_size, below)
            found[f"weight_hh{place}"] = (4 * hidden_size, width)
            if bias:
                found[f"bias_ih{place}"] = found[f"bias_hh{place}"] = (4 * hidden_size,)
            if proj_size:
                found[f"weight_hr{place}"] = (proj_size, hidden_size)
    return found

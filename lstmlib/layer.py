"""A layer of cells run over time, stacked and in both directions: a drop-in for `torch.nn.LSTM`."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from lstmlib import arguments, backends, sequences
from lstmlib.cell import LSTMCell


class LSTM(nn.Module):
    """An LSTM over sequences, a drop-in for `torch.nn.LSTM` that runs any cell of this library.

    Input (time, batch, input_size), (batch, time, input_size) with `batch_first`, (time, input_size) or a
    `PackedSequence`; `hx` is (h_0, c_0), each (num_layers * directions, batch, width), zero if left out. Returns the
    output (time, batch, directions * width of h) and (h_n, c_n). `lengths` (batch,) says how long each sequence of a
    padded batch is: the output is zero beyond, and the final states are those of each sequence's own last step.
    `generator` draws the dropout. Raises torch's errors for arguments and inputs that torch refuses.

    `cell` is `LSTMCell` or a variant (`functools.partial` gives it options); `backend` is "loop", which reads like
    the equations, "fused", or "auto", the fastest that can run this cell.

    >>> output, (h_n, c_n) = LSTM(3, 5, batch_first=True)(torch.zeros(2, 4, 3))
    >>> output.shape, h_n.shape, c_n.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]), torch.Size([1, 2, 5]))
    """

    mode = "LSTM"

    def __init__(
        self,
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
        *,
        cell=LSTMCell,
        backend="auto",
    ):
        super().__init__()
        arguments.check_sizes(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._set_cell(cell)
        self.backend = backend
        backends.choose(backend, self.cell)  # refuse here, not in the first forward
        self._all_weights = []
        for layer in range(num_layers):
            width = input_size if layer == 0 else self.cell.output_size * self.directions
            for direction in range(self.directions):
                self._add_weights(layer, direction, width, device, dtype)
        self.reset_parameters()

    def _set_cell(self, cell):
        recipe = cell(self.input_size, self.hidden_size, self.bias, device="meta")
        if self.proj_size and not recipe.projects:
            raise ValueError(f"{type(recipe).__name__} keeps h as wide as hidden_size: proj_size must be 0")
        recipe.output_size = self.proj_size or self.hidden_size
        # The layer owns the parameters, under torch's flat names, so its cell has none and is not a submodule.
        recipe._parameters.clear()
        self.__dict__["cell"] = recipe

    def _add_weights(self, layer, direction, width, device, dtype):
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        shapes = self.cell.parameter_shapes(width)
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self._all_weights.append([name + suffix for name in shapes])

    @property
    def directions(self):
        """2 if the layer is bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self):
        """The parameters, a list for each layer and direction, as `torch.nn.LSTM.all_weights`."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self):
        return [weight for weights in self.all_weights for weight in weights]  # torch's name, which others came to use

    def weights(self, layer, direction=0):
        """The parameters of one layer and direction under the cell's names: `weight_ih`, `weight_hh`, ..."""
        names = self._all_weights[layer * self.directions + direction]
        return {name[: name.rindex("_l")]: getattr(self, name) for name in names}  # weight_ih_l0_reverse: weight_ih

    def reset_parameters(self):
        """Fill every parameter anew as the cell says: from U(-k, k), k = 1 / sqrt(hidden_size), like torch."""
        with torch.no_grad():
            for layer in range(self.num_layers):
                for direction in range(self.directions):
                    self.cell.reset(self.weights(layer, direction))

    def flatten_parameters(self):
        """Nothing: torch's rearranges the weights for cuDNN, which this layer does not call."""

    def train(self, mode=True):
        """Training mode for the layer and its cell; see `torch.nn.Module.train`."""
        self.cell.train(mode)
        return super().train(mode)

    def forward(self, input, hx=None, *, lengths=None, generator=None):
        """Run the layer; see the class."""
        return self.run_with(backends.choose(self.backend, self.cell), input, hx, lengths, generator)

    def run_with(self, run, input, hx=None, lengths=None, generator=None):
        """`forward` with `run(cell, x, state, weights, mask, reverse)` for each layer and direction."""
        given = arguments.states_of(hx, len(self.cell.states))
        x, given, mask, restore = sequences.arrange(input, given, lengths, self.batch_first)
        packed = isinstance(input, PackedSequence)
        dtype = self._check(x, given, packed)
        states = [self.cell.begin(x.size(1), generator, x.device, dtype) for _ in self._all_weights]
        for index, state in enumerate(states if given is not None else ()):
            state.update(zip(self.cell.states, [value[index].to(dtype) for value in given]))
        output, final = restore(*self._stack(run, x.to(dtype), states, mask, generator, packed))
        return output, tuple(final) if len(final) > 1 else final[0]

    def _check(self, x, given, packed):
        """Refuse what does not fit the layer; returns the dtype to run in, autocast's where there is one."""
        weight = getattr(self, self._all_weights[0][0])
        dtype = _autocast_dtype(x)
        if dtype is None:
            arguments.check_dtype(x.dtype, weight.dtype, packed)
        arguments.check_width(x.size(-1), self.input_size)
        if given is not None:
            count = len(self._all_weights)
            shapes = [(count, x.size(1), width) for width in self.cell.states.values()]
            arguments.check_states(given, shapes, x, any_dtype=dtype is not None)
        arguments.check_device(x, weight)
        arguments.check_time(x.size(0))
        return dtype or x.dtype

    def _stack(self, run, x, states, mask, generator, packed):
        """Layer upon layer: x (time, batch, features) to the output and the final states, each stacked."""
        finals = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                state = states[layer * self.directions + direction]
                weights = {name: weight.to(x.dtype) for name, weight in self.weights(layer, direction).items()}
                output, final = run(self.cell, x, state, weights, mask, bool(direction))
                outputs.append(output)
                finals.append(final)
            x = torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]  # (time, batch, directions * h)
            if self.training and self.dropout > 0 and layer < self.num_layers - 1:
                x = _dropout(x, self.dropout, generator, mask if packed else None)
        return x, [torch.stack([final[name] for final in finals]) for name in self.cell.states]

    def extra_repr(self):
        """Sizes and what is not the default, as torch prints them."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = dict(proj_size=0, num_layers=1, bias=True, batch_first=False, dropout=0, bidirectional=False)
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        if type(self.cell) is not LSTMCell:
            text += f", cell={type(self.cell).__name__}"
        return text + (f", backend={self.backend!r}" if self.backend != "auto" else "")


def _autocast_dtype(x):
    """The dtype to run in under `torch.autocast`, which leaves float64 alone; else None."""
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind) or not torch.is_autocast_enabled(kind) or x.dtype == torch.float64:
        return None
    return torch.get_autocast_dtype(kind)


def _dropout(x, p, generator, there=None):
    if there is not None:  # of packed data torch draws for the steps that there are
        return x.index_put((there,), _dropout(x[there], p, generator))
    if generator is None or p in (0, 1):
        return F.dropout(x, p)
    keep = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    return x * keep / (1 - p)

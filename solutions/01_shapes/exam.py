"""Hidden tests of 01_shapes: real layers of torch, built and run in the examiner's process, say every shape."""

import itertools
import warnings

import torch
from torch import nn

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

# The layers' operators first: refusing a package watches every later call into it.
REFUSED = ("nn.LSTM", "lstmlib", "torch")
RESULTS = ("output", "h_n", "c_n")


def torch_shapes(shape, *sizes, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a projection, which oneDNN does not support, and of dropout in one layer
        layer = nn.LSTM(*sizes, **options)
        output, (h_n, c_n) = layer(torch.zeros(shape))
    tensors = {**dict(zip(RESULTS, (output, h_n, c_n))), **dict(layer.named_parameters())}
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def numbers(rng, count):
    """Sizes from 2 on, no two of them alike, so that no mistake gives the right number by chance."""
    return [int(n) for n in rng.choice(range(2, 24), count, replace=False)]


def compare(student, wanted, shape, *sizes, **options):
    """The student's shapes against torch's, those whose names `wanted` holds for; no other may be added or missing."""
    found = student.call("lstm_shapes", shape, *sizes, **options)
    assert type(found) is dict, f"lstm_shapes gives a {type(found).__name__}"
    assert all(type(s) is tuple for s in found.values()), "a shape is no tuple"
    expected = torch_shapes(shape, *sizes, **options)
    called = f"{shape}, {sizes}, {options}"
    assert_close({n: s for n, s in found.items() if wanted(n)}, {n: s for n, s in expected.items() if wanted(n)}, called)


def is_result(name):
    return name in RESULTS


def is_parameter(name):
    return name not in RESULTS


def any_name(name):
    return True


@exam("test_lstm_shapes", weight=2, hint="Output, h_n and c_n: which dimensions does the input bring, and which does the layer add? "
      "Only input and output know batch_first; only output puts directions side by side.")
def results_of_batches(student, rng):
    student.refusing(*REFUSED)
    for layers, options in ((1, {}), (3, {"batch_first": True}), (2, {"bidirectional": True}),
                            (4, {"batch_first": True, "bidirectional": True})):
        first, second, features, hidden = numbers(rng, 4)
        compare(student, is_result, (first, second, features), features, hidden, num_layers=layers, **options)


@exam("test_lstm_shapes", weight=2, hint="For each weight: four gates write as many rows as the memory is wide; the columns are what it reads. "
      "A layer above the first reads all directions of the layer below.")
def parameters_of_stacks(student, rng):
    student.refusing(*REFUSED)
    for layers, bidirectional in ((1, False), (3, False), (1, True), (int(rng.integers(3, 6)), True), (12, False)):
        time, batch, features, hidden = numbers(rng, 4)
        compare(student, is_parameter, (time, batch, features), features, hidden, num_layers=layers, bidirectional=bidirectional)


@exam("test_lstm_shapes", hint="With bias=False no bias is left, in any layer or direction; everything else stays.")
def parameters_without_biases(student, rng):
    student.refusing(*REFUSED)
    for layers, bidirectional in ((1, False), (2, True)):
        time, batch, features, hidden = numbers(rng, 4)
        compare(student, any_name, (time, batch, features), features, hidden, layers, False, bidirectional=bidirectional)


@exam("test_lstm_shapes", weight=2, hint="With proj_size the memory and the gates keep hidden_size. Everything that holds or reads h has the projection's "
      "width: the output, h_n, weight_hh and, above the first layer, weight_ih.")
def projected_layers(student, rng):
    student.refusing(*REFUSED)
    for layers, bidirectional, batch_first in ((1, False, False), (2, False, True), (3, True, False)):
        proj, hidden = sorted(numbers(rng, 2))
        first, second, features = (30 + n for n in numbers(rng, 3))
        compare(student, any_name, (first, second, features), features, hidden, layers,
                batch_first=batch_first, bidirectional=bidirectional, proj_size=proj)


@exam("test_lstm_shapes", weight=2, hint="An input of two dimensions is (time, features), whatever batch_first says. Leave the batch out of output and of "
      "both states and change nothing else.")
def inputs_without_a_batch(student, rng):
    student.refusing(*REFUSED)
    for options in ({}, {"batch_first": True}, {"bidirectional": True, "num_layers": 2}, {"proj_size": 2, "batch_first": True}):
        time, features, hidden = (1 + n for n in numbers(rng, 3))
        compare(student, is_result, (time, features), features, hidden, **options)


@exam("test_lstm_shapes", hint="A size of 1 is a size: one step, one sequence, one feature or one unit keep their dimension. "
      "The arguments come in nn.LSTM's order and may be combined; dropout changes no shape.")
def sizes_of_one_and_arguments_in_order(student, rng):
    student.refusing(*REFUSED)
    compare(student, any_name, (1, 1, 1), 1, 1)
    compare(student, any_name, (1, 1), 1, 1, bidirectional=True)
    compare(student, any_name, (1, 2, 3), 3, 2, proj_size=1)
    for at in range(3):
        shape = [1 if k == at else n for k, n in enumerate(numbers(rng, 3))]
        compare(student, any_name, tuple(shape), shape[-1], 6, 2, True, True, 0.25, True, 3)
    for options in ((True, False, 0.0, True, 3), (False, True, 0.25, False, 3), (False, False, 0.25, True, 2)):
        compare(student, any_name, (4, 3, 5), 5, 6, 2, *options)
        compare(student, any_name, (4, 5), 5, 6, 2, *options)


@exam("test_lstm_shapes", weight=2, hint="Every argument counts, whatever the others are.")
def any_combination(student, rng):
    student.refusing(*REFUSED)
    for layers, bias, batch_first, bidirectional, projected, batched in itertools.product((1, 4), *[(True, False)] * 5):
        first, second, features, *widths = numbers(rng, 5)
        small, large = sorted(widths)
        shape = (first, second, features) if batched else (first, features)
        proj_size = small if projected else 0
        compare(student, any_name, shape, features, large, layers, bias, batch_first, 0.5, bidirectional, proj_size)


examine_answers(__file__)

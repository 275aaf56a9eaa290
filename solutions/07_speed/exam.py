"""Hidden tests of 07_speed. Expected values come from nn.LSTM, lstmlib.trace and autograd in the examiner's process.

The counts are taken by the notebook's own cell `tally`, executed anew in the student's process: what a student's process
says about itself can be forged, so they weigh little, and count only where the numbers came out right.
"""

from numbers import Number
from pathlib import Path

import jupytext
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers
from lstmlib import LSTM, trace

FINISHED = ("nn.LSTM", "lstmlib")
SLOW = "def slow_lstm(*args, **named):\n    raise RuntimeError('slow_lstm is refused here')"
SOURCE = jupytext.read(Path(__file__).with_name("07_speed.md"))
TALLY = next(cell.source for cell in SOURCE.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "tally")


def draw(rng, *shape, dtype=torch.float32, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


def prepare(student):
    student.refusing(*FINISHED)
    student.run(SLOW)


# 1. count


def sizes(rng, **further):
    """Arguments of count, drawn."""
    return {name: int(rng.integers(2, 12)) for name in ("time", "batch", "input_size", "hidden_size")} | further


def built(arguments, layer=nn.LSTM):
    """The layer of these arguments and an input for it; their tensors have the sizes that `count` computes."""
    dtype = {2: torch.bfloat16, 4: torch.float32, 8: torch.float64}[arguments.get("itemsize", 4)]
    shape = {name: arguments[name] for name in ("input_size", "hidden_size", "num_layers", "bidirectional") if name in arguments}
    x = torch.zeros(arguments["time"], arguments["batch"], arguments["input_size"], dtype=dtype)
    return layer(**shape, dtype=dtype), x


COUNTED = {"multiply_adds", "parameter_bytes", "kept_bytes", "index_bytes", "recurrent_intensity", "input_intensity"}


def check_counted(student, rng, key, expected):
    """Compare count(...)[key] with expected(layer, x) for layers, directions and sizes of all kinds."""
    prepare(student)
    layers = int(rng.integers(3, 6))
    cases = [sizes(rng), dict.fromkeys(("time", "batch", "input_size", "hidden_size"), 1), sizes(rng, bidirectional=True),
             sizes(rng, num_layers=layers), sizes(rng, num_layers=layers, bidirectional=True)]
    for arguments in cases + [sizes(rng, itemsize=size) for size in (2, 8)]:
        found = student.call("count", **arguments)
        assert isinstance(found, dict) and {key} <= set(found) <= COUNTED, f"count gives no dict with {key}, or one with other keys too"
        assert isinstance(found[key], Number), f"{key} is a {type(found[key]).__name__}"
        right = float(expected(*built(arguments, LSTM if key == "kept_bytes" else nn.LSTM)))
        assert_close(float(found[key]), right, f"{key} for {arguments}", rtol=1e-9, atol=0)


@exam("test_count", hint="multiply_adds: every number of a weight meets every row of every step once. Above the first layer a weight_ih is as wide as the output below.")
def counts_multiply_adds(student, rng):
    def expected(layer, x):
        return sum(p.numel() for name, p in layer.named_parameters() if name.startswith("weight")) * len(x) * x.shape[1]

    check_counted(student, rng, "multiply_adds", expected)


@exam("test_count", hint="parameter_bytes: compare with the parameters of an nn.LSTM with several layers and both directions, and with other numbers than float32.")
def counts_parameter_bytes(student, rng):
    check_counted(student, rng, "parameter_bytes", lambda layer, x: sum(p.nbytes for p in layer.parameters()))


@exam("test_count", hint="kept_bytes: six tensors (batch, hidden) for each step of each layer and direction, and x once; itemsize bytes for each number.")
def counts_kept_bytes(student, rng):
    def expected(layer, x):
        with torch.no_grad():
            seen = trace(layer, x)
        return x.nbytes + sum(getattr(seen, name).nbytes for name in "ifgoch")

    check_counted(student, rng, "kept_bytes", expected)


@exam("test_count", hint="index_bytes: one read for each step, and each fills a tensor as large as x, in bytes. Layers and directions play no part.")
def counts_index_bytes(student, rng):
    check_counted(student, rng, "index_bytes", lambda layer, x: len(x) * x.nbytes)


@exam("test_count", hint="The intensities: write down the three matrices of the one product that is meant, with their shapes; multiply-adds over the bytes of all three.")
def relates_products_to_bytes(student, rng):
    def intensity(rows, weight):
        result = rows @ weight.T
        return rows.numel() * len(weight) / (rows.nbytes + weight.nbytes + result.nbytes)

    def recurrent(layer, x):
        return intensity(x.new_zeros(x.shape[1], layer.hidden_size), layer.weight_hh_l0)

    check_counted(student, rng, "recurrent_intensity", recurrent)
    check_counted(student, rng, "input_intensity", lambda layer, x: intensity(x.flatten(0, 1), layer.weight_ih_l0))


# 2. fuse and fused_step


def torch_lstm(rng, features, hidden, dtype=torch.float32, scale=0.5):
    layer = nn.LSTM(features, hidden, dtype=dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=scale))
        layer.bias_hh_l0.zero_()  # the task has one bias
    return layer


def pair_of(rng, batch, hidden, dtype=torch.float32):
    return draw(rng, batch, hidden, dtype=dtype), draw(rng, batch, hidden, dtype=dtype)


def fused(layer):
    """What the exam hands over in fuse's place."""
    return torch.cat([layer.weight_ih_l0, layer.weight_hh_l0], 1).detach(), layer.bias_ih_l0.detach()


def twelve(layer):
    stacked = {"W": layer.weight_ih_l0, "U": layer.weight_hh_l0, "b": layer.bias_ih_l0}
    return {f"{name}_{gate}": block.detach().clone() for name, p in stacked.items() for gate, block in zip("ifgo", p.chunk(4))}


def run_lstm(layer, x, state):
    output, (h, c) = layer(x, tuple(part[None] for part in state))
    return output, (h[0], c[0])


def score(output, h, c):
    """A number that depends on every value of a result, for gradients; the same formula runs as SCORE at the student's."""
    return (output ** 2).sum() + h.sum() + 2 * (c ** 2).sum()


SCORE = "(exam_output ** 2).sum() + exam_state[0].sum() + 2 * (exam_state[1] ** 2).sum()"


def gradients(student, code, inputs):
    """Run code, which leaves exam_output and exam_state, on leaves exam_in[0], ...; return the gradients of SCORE."""
    student.put("exam_in", [tensor.detach().clone() for tensor in inputs])
    student.run(
        "exam_in = [tensor.requires_grad_() for tensor in exam_in]\n"
        f"{code}\n"
        f"exam_grads = list(torch.autograd.grad({SCORE}, exam_in))"
    )
    return student.value("exam_grads")


def check_untouched(student, call, given):
    """Run `call`, which uses exam_in, and look whether exam_in still holds the same numbers; return the answer."""
    student.put("exam_in", given)
    student.run(f"exam_answer = {call}")
    assert_close(student.value("exam_in"), given, "an input after the call", rtol=0, atol=0)
    return student.value("exam_answer")


STEPS = ((3, 4, 6, torch.float32), (2, 5, 3, torch.float64), (1, 1, 1, torch.float64), (4, 2, 2, torch.float32))


@exam("test_fused", weight=2, hint="fuse: four blocks of rows in the order i, f, g, o; in each row the columns for x, then those for h; the dtype stays.")
def fuses_rows_and_columns(student, rng):
    prepare(student)
    for _, features, hidden, dtype in STEPS:
        layer = torch_lstm(rng, features, hidden, dtype)
        weights = dict(reversed(twelve(layer).items()))  # by name, not by place
        assert_close(student.call("fuse", weights), fused(layer), "(weight, bias)", rtol=0, atol=0)


@exam("test_fused", hint="fuse: each of the twelve tensors gets its gradient back, so nothing is detached or copied into a tensor that knows no history.")
def fuse_passes_gradients(student, rng):
    prepare(student)
    layer = torch_lstm(rng, 3, 2, torch.float64)
    names, tensors = zip(*twelve(layer).items())
    student.put("exam_names", list(names))
    code = "exam_output, exam_bias = fuse(dict(zip(exam_names, exam_in)))\nexam_state = exam_bias, exam_bias"
    found = gradients(student, code, tensors)
    expected = [2 * tensor if tensor.dim() == 2 else 1 + 4 * tensor for tensor in tensors]
    assert_close(dict(zip(names, found)), dict(zip(names, expected)), "gradients")


@exam("test_fused", weight=2, hint="fused_step: one sum for all gates, chunks i, f, g, o, the bias once. A batch of one is still (1, features), "
      "and large sums saturate the gates.")
def takes_a_fused_step(student, rng):
    prepare(student)
    for scale, (batch, features, hidden, dtype) in zip((1, 1, 1, 1, 3000), (*STEPS, STEPS[1])):
        layer, x, state = torch_lstm(rng, features, hidden, dtype), draw(rng, batch, features, dtype=dtype, scale=scale), pair_of(rng, batch, hidden, dtype)
        expected = run_lstm(layer, x[None], state)[1]
        assert_close(student.call("fused_step", x, state, *fused(layer)), expected, "(h, c)")


@exam("test_fused", hint="fused_step: the result stays connected to x, to h, to c and to both of fuse's tensors.")
def the_fused_step_passes_gradients(student, rng):
    prepare(student)
    for scale in (1, 3000):
        layer, x, state = torch_lstm(rng, 3, 4, torch.float64), draw(rng, 2, 3, dtype=torch.float64, scale=scale), pair_of(rng, 2, 4, torch.float64)
        code = "exam_state = fused_step(exam_in[0], tuple(exam_in[1:3]), *exam_in[3:])\nexam_output = exam_state[0]"
        found = gradients(student, code, [x, *state, *fused(layer)])
        of_x, *others = lstm_gradients(layer, x[None], state)
        assert_close(found, [of_x[0], *others], "gradients")


def lstm_gradients(layer, x, state):
    """Gradients of `score` for x, h, c, and the fused weight and bias."""
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *state)]
    output, (h, c) = run_lstm(layer, leaves[0], leaves[1:])
    of_x, of_h, of_c, of_ih, of_hh, of_bias = torch.autograd.grad(
        score(output, h, c), [*leaves, layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0])
    return [of_x, of_h, of_c, torch.cat([of_ih, of_hh], 1), of_bias]


@exam("test_fused", hint="New tensors come out; the ones that went in hold the same numbers afterwards.")
def fusing_leaves_its_inputs(student, rng):
    prepare(student)
    layer, x, state = torch_lstm(rng, 3, 4), draw(rng, 2, 3), pair_of(rng, 2, 4)
    assert_close(check_untouched(student, "fuse(exam_in)", twelve(layer)), fused(layer), "(weight, bias)", rtol=0, atol=0)
    answer = check_untouched(student, "fused_step(exam_in[0], (exam_in[1], exam_in[2]), exam_in[3], exam_in[4])", [x, *state, *fused(layer)])
    assert_close(answer, run_lstm(layer, x[None], state)[1], "(h, c)")


@exam("test_fused", hint="fused_step takes one matrix product, as the table of its check shows: x and h side by side, all gates in one weight.")
def counts_one_product_in_a_step(student, rng):
    prepare(student)
    layer, x, state = torch_lstm(rng, 5, 3), draw(rng, 4, 5), pair_of(rng, 4, 3)
    answer, seen = tallied(student, "fused_step(exam_in[0], tuple(exam_in[1:3]), *exam_in[3:])", [x, *state, *fused(layer)])
    assert_close(answer, run_lstm(layer, x[None], state)[1], "(h, c)")
    assert seen["products"] == 1, f"{seen['products']} matrix products in one step"


def tallied(student, call, inputs):
    """The answer of `call`, which uses exam_in, and what the student's process counted during it."""
    student.run(TALLY)
    student.put("exam_in", inputs)
    student.run(f"with Tally() as exam_seen:\n    exam_answer = {call}")
    return student.value("exam_answer"), student.value("{'products': exam_seen.products, 'numbers': exam_seen.numbers}")


# 3. hoist and recur


def on_sums(recurrent):
    """An nn.LSTM whose input weight is the identity: it takes z as it is."""
    width, hidden = recurrent.shape
    layer = nn.LSTM(width, hidden, bias=False, dtype=recurrent.dtype)
    layer.load_state_dict({"weight_ih_l0": torch.eye(width, dtype=recurrent.dtype), "weight_hh_l0": recurrent})
    return layer


SEQUENCES = ((6, 3, 7, 4, torch.float32), (5, 2, 3, 5, torch.float64), (4, 3, 3, 3, torch.float32))


@exam("test_hoisted", weight=2, hint="hoist: every step's product with the first columns of weight, and the bias once. x may be a transposed view.")
def hoists_the_input_product(student, rng):
    prepare(student)
    for time, batch, features, hidden, dtype in (*SEQUENCES, (1, 1, 1, 1, torch.float64), (1, 3, 2, 4, torch.float32)):
        layer, x = torch_lstm(rng, features, hidden, dtype), draw(rng, time, batch, features, dtype=dtype)
        expected = x @ layer.weight_ih_l0.T + layer.bias_ih_l0
        assert_close(student.call("hoist", x, *fused(layer)), expected, "z")
        student.put("exam_in", [x.transpose(0, 1).contiguous(), *fused(layer)])
        assert_close(student.value("hoist(exam_in[0].transpose(0, 1), *exam_in[1:])"), expected, "z of a transposed x")


def check_recur(student, rng, cases, scale=1.0):
    prepare(student)
    for time, batch, features, hidden, dtype in cases:
        layer, state = torch_lstm(rng, features, hidden, dtype), pair_of(rng, batch, hidden, dtype)
        z = draw(rng, time, batch, 4 * hidden, dtype=dtype, scale=scale)
        expected = run_lstm(on_sums(layer.weight_hh_l0.detach()), z, state)
        assert_close(student.call("recur", z, state, fused(layer)[0]), expected, "output, (h, c)")


@exam("test_hoisted", weight=2, hint="recur: the last columns of weight belong to h; each step takes the pair of the step before; output holds every h.")
def walks_through_time(student, rng):
    check_recur(student, rng, SEQUENCES)
    check_recur(student, rng, SEQUENCES[:2], scale=3000.0)  # gates saturate


@exam("test_hoisted", hint="recur: one step is a sequence too, and a batch of one keeps its dimension.")
def walks_the_smallest_sizes(student, rng):
    check_recur(student, rng, ((1, 1, 1, 1, torch.float64), (1, 3, 2, 4, torch.float32), (5, 1, 3, 2, torch.float32), (3, 2, 4, 1, torch.float64)))


@exam("test_hoisted", weight=2, hint="Gradients reach x, both states, the whole weight and the bias through every step: nothing is detached.")
def hoisting_passes_gradients(student, rng):
    prepare(student)
    for time, scale in ((25, 1), (4, 3000)):
        layer, x = torch_lstm(rng, 3, 4, torch.float64), draw(rng, time, 2, 3, dtype=torch.float64, scale=scale)
        state = pair_of(rng, 2, 4, torch.float64)
        code = "exam_output, exam_state = recur(hoist(exam_in[0], *exam_in[3:]), tuple(exam_in[1:3]), exam_in[3])"
        found = gradients(student, code, [x, *state, *fused(layer)])
        assert_close(found, lstm_gradients(layer, x, state), "gradients")


@exam("test_hoisted", hint="z, the state and the weights hold the same numbers after the call: no operation in place on what was given, and z's steps are views of z.")
def hoisting_leaves_its_inputs(student, rng):
    prepare(student)
    layer, x, state = torch_lstm(rng, 3, 4), draw(rng, 5, 2, 3), pair_of(rng, 2, 4)
    weight, bias = fused(layer)
    z = check_untouched(student, "hoist(*exam_in)", [x, weight, bias])
    assert_close(z, x @ layer.weight_ih_l0.T + layer.bias_ih_l0, "z")
    answer = check_untouched(student, "recur(exam_in[0], (exam_in[1], exam_in[2]), exam_in[3])", [z, *state, weight])
    assert_close(answer, run_lstm(layer, x, state), "output, (h, c)")


@exam("test_hoisted", hint="hoist takes one matrix product for the whole sequence and recur one for each step, as the table of their check shows.")
def counts_products_of_a_sequence(student, rng):
    prepare(student)
    for steps in (7, 20):
        layer, x, state = torch_lstm(rng, 5, 3), draw(rng, steps, 4, 5), pair_of(rng, 4, 3)
        z, hoisting = tallied(student, "hoist(*exam_in)", [x, *fused(layer)])
        assert_close(z, x @ layer.weight_ih_l0.T + layer.bias_ih_l0, "z", atol=1e-4)
        answer, walking = tallied(student, "recur(exam_in[0], tuple(exam_in[1:3]), exam_in[3])", [z, *state, fused(layer)[0]])
        assert_close(answer, run_lstm(layer, x, state), "output, (h, c)", atol=1e-4)
        assert (hoisting["products"], walking["products"]) == (1, steps), f"{hoisting['products']} and {walking['products']} products"


@exam("test_hoisted", hint="recur: with twice the steps the forward pass writes twice as many numbers, if each step writes its own and nothing of the steps before.")
def counts_what_the_walk_writes(student, rng):
    prepare(student)
    layer, written = torch_lstm(rng, 2, 3, torch.float64), []
    for steps in (100, 200):
        z, state = draw(rng, steps, 2, 12, dtype=torch.float64), pair_of(rng, 2, 3, torch.float64)
        answer, seen = tallied(student, "recur(exam_in[0], tuple(exam_in[1:3]), exam_in[3])", [z, *state, fused(layer)[0]])
        assert_close(answer, run_lstm(on_sums(layer.weight_hh_l0.detach()), z, state), "output, (h, c)")
        written.append(seen["numbers"])
    assert 0 < written[1] <= 2.5 * written[0], f"{written} numbers in 100 and 200 steps"


# 4. ragged


def packed_walk(z, state, weight_hh, lengths):
    """nn.LSTM over a packed batch, differentiable in all its tensors."""
    layer = on_sums(weight_hh.detach())
    numbers = {"weight_ih_l0": layer.weight_ih_l0.detach(), "weight_hh_l0": weight_hh}
    packed = pack_padded_sequence(z, lengths, enforce_sorted=False)
    output, (h, c) = torch.func.functional_call(layer, numbers, (packed, tuple(part[None] for part in state)))
    return pad_packed_sequence(output, total_length=len(z))[0], (h[0], c[0])


def ragged_case(rng, time, batch, hidden, dtype, longest=None, beyond=1e30):
    """z, (h, c), weight_hh, lengths; after a sequence's end z holds large numbers."""
    z, state = draw(rng, time, batch, 4 * hidden, dtype=dtype), pair_of(rng, batch, hidden, dtype)
    lengths = torch.from_numpy(rng.integers(1, (longest or time) + 1, size=batch))
    lengths[int(rng.integers(batch))] = longest or time
    z[torch.arange(time)[:, None] >= lengths] *= beyond
    return z, state, draw(rng, 4 * hidden, hidden, dtype=dtype, scale=0.5), lengths


def check_ragged(student, case):
    answer, (z, *_, lengths) = student.call("ragged", *case), case
    assert_close(answer, packed_walk(*case), "output, (h, c)")
    assert not answer[0][torch.arange(len(z))[:, None] >= lengths].any(), "the output is not zero after a sequence's end"


@exam("test_ragged", weight=3, hint="ragged: after a sequence's end its state stays as it is and its output is zero; the other sequences of the batch go on.")
def walks_different_lengths(student, rng):
    prepare(student)
    for time, batch, hidden, dtype in ((7, 5, 3, torch.float32), (6, 4, 4, torch.float64), (9, 3, 2, torch.float32)):
        check_ragged(student, ragged_case(rng, time, batch, hidden, dtype))
    z, *others, _ = ragged_case(rng, 7, 5, 3, torch.float64, beyond=1.0)
    z[1] = 0  # not the end of a sequence
    check_ragged(student, (z, *others, torch.tensor([1, 7, 5, 4, 2])))  # the permutation that sorts these is not its own inverse


@exam("test_ragged", hint="ragged: all sequences may be shorter than z, and the output still has a line for each step of z; one step, or a batch of one, is nothing special.")
def walks_lengths_below_time(student, rng):
    prepare(student)
    for time, batch, hidden, longest in ((8, 4, 3, 5), (5, 1, 2, 2), (3, 1, 1, 1), (1, 2, 3, 1), (4, 1, 3, 4)):
        check_ragged(student, ragged_case(rng, time, batch, hidden, torch.float64, longest))


@exam("test_ragged", weight=2, hint="ragged: gradients reach z, both states and weight_hh; what stands in z after a sequence's end gets zero.")
def ragged_passes_gradients(student, rng):
    prepare(student)
    z, state, weight_hh, lengths = ragged_case(rng, 25, 4, 3, torch.float64)
    student.put("exam_lengths", lengths)
    code = "exam_output, exam_state = ragged(exam_in[0], tuple(exam_in[1:3]), exam_in[3], exam_lengths)"
    leaves = [tensor.clone().requires_grad_() for tensor in (z, *state, weight_hh)]
    output, (h, c) = packed_walk(leaves[0], leaves[1:3], leaves[3], lengths)
    expected = list(torch.autograd.grad(score(output, h, c), leaves))
    assert_close(gradients(student, code, leaves), expected, "gradients")


@exam("test_ragged", hint="ragged: z, the state, the weight and the lengths hold the same numbers after the call.")
def ragged_leaves_its_inputs(student, rng):
    prepare(student)
    z, state, weight_hh, lengths = case = ragged_case(rng, 5, 3, 2, torch.float32)
    call = "ragged(exam_in[0], (exam_in[1], exam_in[2]), exam_in[3], exam_in[4])"
    assert_close(check_untouched(student, call, [z, *state, weight_hh, lengths]), packed_walk(*case), "output, (h, c)")


@exam("test_ragged", hint="ragged: with twice the steps the backward pass writes twice as many numbers, unless a step is read or written by its index.")
def counts_what_the_backward_writes(student, rng):
    prepare(student)
    student.run(TALLY)
    written = []
    for steps in (100, 200):
        z, state, weight_hh, lengths = case = ragged_case(rng, steps, 2, 3, torch.float64)
        student.put("exam_in", [z.requires_grad_(), *state, weight_hh.requires_grad_()])
        student.put("exam_lengths", lengths)
        student.run(
            "def exam_run():\n"
            "    global exam_answer\n"
            "    exam_answer = ragged(exam_in[0], tuple(exam_in[1:3]), exam_in[3], exam_lengths)\n"
            "    return exam_answer\n"
            "exam_forward, exam_backward = both_ways(exam_run)"
        )
        assert_close(student.value("exam_answer"), packed_walk(*case), "output, (h, c)")
        written.append(student.value("exam_backward.numbers"))
    assert 0 < written[1] <= 2.5 * written[0], f"{written} numbers in the backward pass of 100 and 200 steps"


# 5. the questions

examine_answers(__file__)

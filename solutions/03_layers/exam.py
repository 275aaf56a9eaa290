"""Hidden tests of 03_layers. Expected values come from nn.LSTM and autograd in the examiner's process."""

import copy
import functools

import torch
from torch import nn

from grading.exam import StudentError, assert_close, exam
from grading.quiz_cells import examine_answers

FINISHED = ("nn.LSTM", "lstmlib")


def near(dtype):
    """Tolerances that show, in float64, what went through float32 on the way."""
    return {"rtol": 1e-10, "atol": 1e-10} if dtype == torch.float64 else {}


def check_inputs(student, inputs):
    """What the part put into exam_inputs is as it was."""
    assert_close(student.value("exam_inputs"), inputs, "an input after the call", rtol=0, atol=0)


def draw(rng, *shape, dtype=torch.float32, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


def here(code, **names):
    """Run in this process what a student's process runs too; returns its names."""
    names |= {"torch": torch}
    exec(code, names)
    return names


# 1. unroll: the step shows something else than its state, so that neither is taken for the other

STEP = """
def exam_step(x_t, state):
    h, c = state
    c = 0.6 * c + x_t @ exam_matrix
    h = torch.tanh(c - 0.3 * h)
    return torch.cat([h, h + c], dim=-1), (h, c)
"""


def walk(step, x, state, reverse=False):
    """What unroll should give, each place filled when it is read."""
    places, shown = range(x.shape[1]), {}
    for t in reversed(places) if reverse else places:
        shown[t], state = step(x[:, t], state)
    return torch.stack([shown[t] for t in places], 1), state


def unroll_case(student, rng, batch, time, features, hidden, dtype):
    """Puts a step and its inputs into the student's process; returns them as they are here."""
    matrix = draw(rng, features, hidden, dtype=dtype, scale=0.5)
    x, h, c = (draw(rng, *shape, dtype=dtype) for shape in ((batch, time, features), (batch, hidden), (batch, hidden)))
    student.refusing(*FINISHED)
    student.put("exam_matrix", matrix)
    student.run(STEP)
    student.put("exam_inputs", [x, h, c])
    return here(STEP, exam_matrix=matrix)["exam_step"], x, h, c


def check_unroll(student, rng, sizes, dtype, reverse):
    step, x, h, c = unroll_case(student, rng, *sizes, dtype)
    direction = ", reverse=True" if reverse else ""
    found = student.value(f"unroll(exam_step, exam_inputs[0], tuple(exam_inputs[1:]){direction})")
    assert_close(found, walk(step, x, (h, c), reverse), "output, state", **near(dtype))
    check_inputs(student, [x, h, c])


@exam("test_unroll", weight=2, hint="From the left: each step takes the state of the step before, and output holds what the steps show.")
def reads_from_the_left(student, rng):
    check_unroll(student, rng, (3, 5, 2, 4), torch.float32, False)
    check_unroll(student, rng, (4, 4, 4, 4), torch.float64, False)


@exam("test_unroll", weight=2, hint="From the right: the last step is read first, output[:, t] belongs to x[:, t], the state is that of the last call.")
def reads_from_the_right(student, rng):
    check_unroll(student, rng, (3, 6, 2, 4), torch.float64, True)
    check_unroll(student, rng, (5, 5, 5, 5), torch.float32, True)


@exam("test_unroll", hint="One step, one sequence or one feature: all three dimensions stay, so no squeeze.")
def unrolls_the_smallest(student, rng):
    for sizes in ((1, 1, 1, 1), (1, 4, 1, 2), (3, 1, 2, 1)):
        for reverse in (False, True):
            check_unroll(student, rng, sizes, torch.float64, reverse)


@exam("test_unroll", weight=2, hint="The state is the step's own business: hand on what it gave, and at the start what you were given, even None or 0. What it shows keeps its dtype.")
def hands_on_any_state(student, rng):
    student.refusing(*FINISHED)
    student.run(
        "def exam_count(x_t, state):\n"
        "    exam_seen.append(state)\n"
        "    return x_t, 10 if state is None else state - 1\n"
        "def exam_words(x_t, state):\n"
        "    return x_t[:, :1] > 0, {'said': state['said'] + 'a', 'max': max(state['max'], x_t.max().item())}"
    )
    x = draw(rng, 2, 4, 3)
    student.put("exam_x", x)
    for start, seen in ((None, [None, 10, 9, 8]), (0, [0, -1, -2, -3])):
        student.run("exam_seen = []")
        found = student.value(f"unroll(exam_count, exam_x, {start})")
        assert_close(found, (x, seen[-1] - 1), "output, state for a state that is a number")
        assert_close(student.value("exam_seen"), seen, "the states that step was given")
    found = student.value("unroll(exam_words, exam_x, {'said': '', 'max': -9.0}, reverse=True)")
    assert_close(found, (x[:, :, :1] > 0, {"said": "aaaa", "max": x.max().item()}), "output, state for a state that is a dict")


@exam("test_unroll", weight=2, hint="Gradients flow from every output and from the last state back to x and to the first state: nothing is detached.")
def unroll_lets_gradients_through(student, rng):
    for reverse in (False, True):
        step, *leaves = unroll_case(student, rng, 2, 5, 3, 4, torch.float64)
        student.run(
            "exam_leaves = [tensor.requires_grad_() for tensor in exam_inputs]\n"
            f"exam_output, exam_state = unroll(exam_step, exam_leaves[0], tuple(exam_leaves[1:]), {reverse=})\n"
            "exam_loss = (exam_output ** 2).sum() + exam_state[0].sum() + 2 * exam_state[1].sum()"
        )
        output, (h, c) = walk(step, leaves[0].requires_grad_(), [leaf.requires_grad_() for leaf in leaves[1:]], reverse)
        expected = torch.autograd.grad((output ** 2).sum() + h.sum() + 2 * c.sum(), leaves)
        assert_close(student.value("list(torch.autograd.grad(exam_loss, exam_leaves))"), list(expected), "gradients")


@exam("test_unroll", hint="What a step gives back belongs to the step: the same tensor may be shown and be the state, and a state that is a list stays that list.")
def changes_nothing_of_a_steps(student, rng):
    student.refusing(*FINISHED)
    student.run(
        "def exam_same(x_t, state):\n"
        "    h = torch.tanh(x_t + 0.5 * state)\n"
        "    return h, h\n"
        "exam_diary = []\n"
        "def exam_write(x_t, state):\n"
        "    assert state is exam_diary\n"
        "    state.append(len(state))\n"
        "    return x_t, state"
    )
    x, h = draw(rng, 2, 4, 3), draw(rng, 2, 3)
    student.put("exam_inputs", [x, h])
    expected = walk(lambda x_t, s: 2 * (torch.tanh(x_t + 0.5 * s),), x, h)
    assert_close(student.value("unroll(exam_same, *exam_inputs)"), expected, "output, state of a step that shows its state")
    assert_close(student.value("unroll(exam_write, exam_inputs[0], exam_diary)"), (x, [0, 1, 2, 3]), "output, state for a state that is a list")


# 2. both_ways: two layers without weights to look at, as strict about their states as nn.LSTM

LAYER = """
class ExamLayer:
    def __init__(self, matrix, keep):
        self.matrix, self.keep = matrix, keep

    def __call__(self, x, hx=None):
        state = hx
        size = 1, len(x), self.matrix.shape[1]
        h, c = (x.new_zeros(size), x.new_zeros(size)) if state is None else state
        if tuple(h.shape) != size or tuple(c.shape) != size:
            raise ValueError(f"expected two states of shape {size}, got {tuple(h.shape)} and {tuple(c.shape)}")
        output = []
        for x_t in x.unbind(1):
            c = self.keep * c + x_t @ self.matrix
            h = torch.tanh(c - 0.3 * h)
            output.append(h[0])
        return torch.stack(output, 1), (h, c)

exam_layers = [ExamLayer(matrix, keep) for matrix, keep in zip(exam_matrices, (0.9, 0.4))]
"""


def both_case(student, rng, batch, time, features, hidden, dtype=torch.float64):
    """Puts two layers and their inputs into the student's process; returns them as they are here."""
    matrices = [draw(rng, features, hidden, dtype=dtype, scale=0.5) for _ in range(2)]
    x, h, c = (draw(rng, *shape, dtype=dtype) for shape in ((batch, time, features), (2, batch, hidden), (2, batch, hidden)))
    student.refusing(*FINISHED)
    student.put("exam_matrices", matrices)
    student.run(LAYER)
    student.put("exam_inputs", [x, h, c])
    return here(LAYER, exam_matrices=matrices)["exam_layers"], x, (h, c)


def bidirectional(layers, x, state=None):
    """What both_ways should give."""
    found = []
    for row, layer in enumerate(layers):
        own = None if state is None else [value[row][None] for value in state]
        output, final = layer(x.flip(1) if row else x, own)
        found.append((output.flip(1) if row else output, *final))
    outputs, h_n, c_n = zip(*found)
    return torch.cat(outputs, -1), (torch.cat(h_n), torch.cat(c_n))


def check_both(student, rng, sizes, dtype, given):
    layers, x, state = both_case(student, rng, *sizes, dtype)
    found = student.value(f"both_ways(*exam_layers, exam_inputs[0]{', tuple(exam_inputs[1:])' if given else ''})")
    assert_close(found, bidirectional(layers, x, state if given else None), "output, (h_n, c_n)", **near(dtype))
    check_inputs(student, [x, *state])


@exam("test_both_ways", weight=2, hint="Without a state: right is given x turned around along time, and its outputs are turned back, beside left's.")
def reads_both_ways(student, rng):
    for sizes in ((3, 5, 2, 4), (4, 4, 4, 4), (3, 5, 2, 4)):  # of one size twice: no call remembers the one before
        check_both(student, rng, sizes, torch.float32, given=False)


@exam("test_both_ways", weight=2, hint="Row 0 of each given state is left's, row 1 right's; each layer takes them as (1, batch, hidden).")
def starts_from_states(student, rng):
    for sizes in ((3, 5, 2, 4), (2, 3, 5, 2)):
        check_both(student, rng, sizes, torch.float64, given=True)


@exam("test_both_ways", hint="A batch of one, one step or one hidden unit: every dimension stays, so no squeeze.")
def reads_the_smallest_both_ways(student, rng):
    for sizes in ((1, 1, 1, 1), (1, 4, 2, 3), (3, 1, 2, 1)):
        for given in (False, True):
            check_both(student, rng, sizes, torch.float64, given)


@exam("test_both_ways", hint="Gradients flow through both directions to x, to both first states and into both layers, with a state and without: nothing is detached.")
def both_ways_lets_gradients_through(student, rng):
    for given in (True, False):
        layers, x, state = both_case(student, rng, 2, 4, 3, 5)
        leaves = [leaf.requires_grad_() for leaf in (x, *state * given, *(layer.matrix for layer in layers))]
        student.run(
            f"exam_given = exam_inputs if {given} else exam_inputs[:1]\n"
            "exam_leaves = [tensor.requires_grad_() for tensor in exam_given + [layer.matrix for layer in exam_layers]]\n"
            "exam_output, (exam_h, exam_c) = both_ways(*exam_layers, exam_given[0], tuple(exam_given[1:]) or None)\n"
            "exam_loss = (exam_output ** 2).sum() + exam_h.sum() + 2 * exam_c.sum()"
        )
        output, (h, c) = bidirectional(layers, x, state if given else None)
        expected = torch.autograd.grad((output ** 2).sum() + h.sum() + 2 * c.sum(), leaves)
        assert_close(student.value("list(torch.autograd.grad(exam_loss, exam_leaves))"), list(expected), "gradients")


# 3. Stack. Each part passes with the student's unroll or with this one: task 3 does not lean on task 1.

UNROLL = """
def unroll(step, x, state, reverse=False):
    shown = [None] * x.shape[1]
    for t in range(x.shape[1])[:: -1 if reverse else 1]:
        shown[t], state = step(x[:, t], state)
    return torch.stack(shown, 1), state
"""


def with_either_unroll(part):
    @functools.wraps(part)
    def twice(student, rng):
        again = copy.deepcopy(rng)
        try:
            part(student, rng)
        except (AssertionError, StudentError):
            student.run(UNROLL)
            part(student, again)

    return twice


def torch_layer(rng, features, hidden, dtype=torch.float32, **arguments):
    """An nn.LSTM whose numbers are drawn from rng."""
    layer = nn.LSTM(features, hidden, dtype=dtype, **arguments)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=0.4))
    return layer


def put_stack(student, theirs, training=False):
    """The student's Stack with the numbers of this nn.LSTM, as exam_stack."""
    student.refusing(*FINISHED)
    student.put("exam_numbers", dict(theirs.state_dict()))
    arguments = f"batch_first={theirs.batch_first}, dropout={theirs.dropout}"
    student.run(f"exam_stack = Stack(exam_numbers, {arguments}).train({training})")


def check_stack(student, rng, time, batch, features, hidden, given=False, dtype=torch.float32, **arguments):
    theirs = torch_layer(rng, features, hidden, dtype, **arguments)
    rows = theirs.num_layers * (1 + theirs.bidirectional)
    x = draw(rng, *((batch, time) if theirs.batch_first else (time, batch)), features, dtype=dtype)
    state = tuple(draw(rng, rows, batch, hidden, dtype=dtype) for _ in "hc")
    put_stack(student, theirs)
    student.put("exam_inputs", [x, *state])
    call = "exam_stack(exam_inputs[0], tuple(exam_inputs[1:]))" if given else "exam_stack(exam_inputs[0])"
    expected = theirs(x, state if given else None)
    for what in ("output, (h_n, c_n)", "output, (h_n, c_n) of a second call"):
        assert_close(student.value(call), expected, what, **near(dtype))
    check_inputs(student, [x, *state])
    return theirs


@exam("test_stack", hint="One layer in one direction is a stack too: run the step over time from zeros.")
@with_either_unroll
def stack_of_one(student, rng):
    theirs, x = check_stack(student, rng, 5, 3, 2, 4), draw(rng, 5, 4, 2)
    assert_close(student.call("exam_stack", x), theirs(x), "output, (h_n, c_n) of the next, larger batch")


@exam("test_stack", hint="One layer in both directions: its output stands in the order of x, forward half first; row 1 of the states is where backward ends.")
@with_either_unroll
def stack_of_one_both_ways(student, rng):
    check_stack(student, rng, 4, 2, 3, 5, bidirectional=True)


@exam("test_stack", weight=2, hint="One direction, several layers: each reads h of the layer below at every step, and output is that of the top.")
@with_either_unroll
def stack_of_several(student, rng):
    for layers in (2, 4):
        check_stack(student, rng, 4, 3, 2, 5, num_layers=layers)


@exam("test_stack", weight=3, hint="Both directions: upper layers read forward and backward side by side; h_n and c_n go layer by layer, forward before backward.")
@with_either_unroll
def stack_both_ways(student, rng):
    for layers in (2, 3):
        check_stack(student, rng, 5, 2, 3, 4, num_layers=layers, bidirectional=True)


@exam("test_stack", hint="Each layer starts from its own row of h_0 and c_0.")
@with_either_unroll
def stack_starts_from_states(student, rng):
    check_stack(student, rng, 4, 3, 2, 5, given=True, num_layers=3)


@exam("test_stack", weight=2, hint="Both directions with a given state: its rows have the same order as those of h_n and c_n.")
@with_either_unroll
def stack_both_ways_starts_from_states(student, rng):
    check_stack(student, rng, 4, 3, 2, 5, given=True, num_layers=3, bidirectional=True)


@exam("test_stack", weight=2, hint="batch_first changes the layout of x and output only; states stay (layers * directions, batch, hidden).")
@with_either_unroll
def stack_batch_first(student, rng):
    check_stack(student, rng, 4, 3, 2, 5, num_layers=2, batch_first=True)
    check_stack(student, rng, 5, 5, 4, 4, given=True, num_layers=2, batch_first=True)
    check_stack(student, rng, 3, 4, 2, 5, num_layers=2, batch_first=True, bidirectional=True)


@exam("test_stack", weight=2, hint="A batch of one, a single step, float64, eleven layers: no squeeze, no fixed dtype, and _l10 is the name of a layer too.")
@with_either_unroll
def stack_of_odd_sizes(student, rng):
    check_stack(student, rng, 3, 1, 1, 1, dtype=torch.float64, num_layers=2)
    check_stack(student, rng, 1, 2, 3, 2, dtype=torch.float64, num_layers=2, batch_first=True, bidirectional=True)
    check_stack(student, rng, 2, 2, 3, 2, dtype=torch.float64, num_layers=11)
    check_stack(student, rng, 1, 1, 3, 2, dtype=torch.float64, num_layers=11, bidirectional=True)


@exam("test_stack", weight=2, hint="Gradients flow to x, to both first states and to every parameter: nothing is detached, and each call reads the parameters as they are now, not copies.")
@with_either_unroll
def stack_lets_gradients_through(student, rng):
    # With a dropout that is on, but as good as none; then in use.
    for training, arguments in ((True, {"dropout": 1e-12}), (True, {"dropout": 1e-12, "bidirectional": True}), (True, {"dropout": 1.0}),
                                (False, {"bidirectional": True, "batch_first": True})):
        theirs = torch_layer(rng, 3, 4, torch.float64, num_layers=2, **arguments)
        rows = 2 * (1 + theirs.bidirectional)
        leaves = [draw(rng, *shape, dtype=torch.float64) for shape in ((2, 2, 3), (rows, 2, 4), (rows, 2, 4))]
        put_stack(student, theirs, training)
        student.put("exam_inputs", leaves)
        student.run(
            "exam_parameters = dict(exam_stack.named_parameters())\n"
            "exam_leaves = [tensor.requires_grad_() for tensor in exam_inputs] + [exam_parameters[name] for name in exam_numbers]\n"
            "exam_output, (exam_h, exam_c) = exam_stack(exam_leaves[0], tuple(exam_leaves[1:3]))\n"
            "exam_loss = (exam_output ** 2).sum() + exam_h.sum() + 2 * exam_c.sum()"
        )
        leaves = [*(leaf.requires_grad_() for leaf in leaves), *theirs.parameters()]  # in the state_dict's order
        output, (h, c) = theirs(leaves[0], tuple(leaves[1:3]))
        expected = torch.autograd.grad((output ** 2).sum() + h.sum() + 2 * c.sum(), leaves)
        assert_close(student.value("list(torch.autograd.grad(exam_loss, exam_leaves))"), list(expected), "gradients")
        student.run("with torch.no_grad():\n    for exam_p in exam_stack.parameters():\n        exam_p.mul_(-0.5)")
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter.mul_(-0.5)
        assert_close(student.call("exam_stack", leaves[0].detach()), theirs(leaves[0]), "output after a change of the parameters")


def spying(rng, hidden, num_layers=2, **arguments):
    """Layers in float64; each direction of an upper one shows h = tanh(tanh(x / 2)) of `hidden` numbers from all it is handed."""
    theirs = torch_layer(rng, 3, hidden, torch.float64, num_layers=num_layers, **arguments)
    numbers, directions = theirs.state_dict(), 1 + theirs.bidirectional
    for name in (name for name in numbers if "_l0" not in name):
        numbers[name].zero_()
        if "weight_ih" in name:
            numbers[name][2 * hidden:3 * hidden, ::directions] = torch.eye(hidden) / 2
        if "bias_ih" in name:
            numbers[name][:] = torch.tensor([40.0, -40, 0, 40]).repeat_interleave(hidden)  # i and o open, f shut
    return theirs


def handed(output):
    return 2 * torch.atanh(torch.atanh(output))


def check_dropped(student, rng, p, **arguments):
    """What the upper layer is handed is 0 or 1 / (1 - p) times what it is handed without dropout."""
    hidden, time, batch = 20, 9, 6
    theirs, x = spying(rng, hidden, dropout=p, **arguments), draw(rng, time, batch, 3, dtype=torch.float64)
    # with batch_first, time and batch change places
    put_stack(student, theirs, training=True)
    theirs.eval()
    whole, (h_n, c_n) = theirs(x)
    output, final = student.call("exam_stack", x)
    assert_close(torch.zeros_like(output), torch.zeros_like(whole), "output but for its numbers")
    below = len(h_n) // 2
    assert_close((final[0][:below], final[1][:below]), (h_n[:below], c_n[:below]), "the lower layer's states")
    ratio = handed(output) / handed(whole)  # (time, batch, directions * hidden)
    kept = (ratio - 1 / (1 - p)).abs() < 1e-4
    assert (kept | (ratio.abs() < 1e-9)).all(), "what goes up is not everywhere 0 or 1 / (1 - p) times what it was"
    kept = kept[:, :, :hidden]
    assert_close(ratio[:, :, -hidden:], ratio[:, :, :hidden], "what both directions of the upper layer read")
    share, allowed = kept.double().mean().item(), 5 * (p * (1 - p) / kept.numel()) ** 0.5
    assert abs(share - (1 - p)) < allowed, f"{share:.3f} of the numbers stay, not {1 - p:.3f}"
    for dim, name in enumerate(("time", "batch", "hidden")):
        assert (kept != kept.select(dim, 0).unsqueeze(dim)).any(), f"the same draw for everything along {name}"
    halves = kept.unflatten(-1, (2, -1))  # of both directions below, or of the one
    assert (halves[:, :, 0] != halves[:, :, 1]).any(), "the same draw for both halves of the width"
    again = handed(student.call("exam_stack", x)[0]) / handed(whole)
    assert not torch.equal((again[:, :, :hidden] - 1 / (1 - p)).abs() < 1e-4, kept), "two calls drop the same numbers"


@exam("test_stack", weight=3, hint="In training each number on its way up is kept or zeroed by a draw of its own, at every step, and what stays is scaled.")
@with_either_unroll
def stack_drops_between_layers(student, rng):
    check_dropped(student, rng, 0.5)
    check_dropped(student, rng, 0.5, batch_first=True)


@exam("test_stack", hint="Dropout comes once after a layer, before either direction of the next reads it: both read the same.")
@with_either_unroll
def stack_drops_once_for_both_directions(student, rng):
    check_dropped(student, rng, 0.3, bidirectional=True)


@exam("test_stack", weight=2, hint="With dropout=1 nothing comes through between layers: x, the top layer's output and the states are still whole, and nothing is nan.")
@with_either_unroll
def stack_drops_nothing_else(student, rng):
    for layers, arguments in ((1, {}), (3, {}), (3, {"bidirectional": True, "batch_first": True})):
        theirs, x = torch_layer(rng, 3, 4, num_layers=layers, **arguments), draw(rng, 4, 2, 3)
        theirs.dropout = 1.0  # set here: torch warns of dropout in a layer of one
        put_stack(student, theirs, training=True)
        assert_close(student.call("exam_stack", x), theirs(x), "output, (h_n, c_n) with dropout=1 in training mode")


@exam("test_stack", hint="Each gap between two layers drops by draws of its own: what falls out below does not decide what falls out above.")
@with_either_unroll
def stack_draws_anew_for_each_gap(student, rng):
    theirs, x = spying(rng, 20, num_layers=3, dropout=0.5), draw(rng, 9, 6, 3, dtype=torch.float64)
    put_stack(student, theirs, training=True)
    output, _ = student.call("exam_stack", x)
    assert_close(torch.zeros_like(output), torch.zeros(9, 6, 20, dtype=torch.float64), "output but for its numbers")
    share = (output.abs() > 1e-9).double().mean().item()  # of 1080 numbers
    assert abs(share - 0.25) < 0.07, f"{share:.3f} of the numbers come through two gaps with dropout=0.5, not 0.25"


@exam("test_stack", hint="After eval() nothing is dropped; after train() again it is. Ask self.training at each call.")
@with_either_unroll
def stack_drops_nothing_in_use(student, rng):
    theirs, x = torch_layer(rng, 3, 4, num_layers=2, dropout=1.0), draw(rng, 4, 2, 3)
    put_stack(student, theirs, training=True)
    for training in (False, True):
        student.run(f"exam_stack.train({training})")
        theirs.train(training)
        assert_close(student.call("exam_stack", x), theirs(x), f"output, (h_n, c_n) with {training=}")


# 4. reading states


@exam("test_states", weight=2, hint="in_torch_order: three things change place, the batch, the layer and the direction. Name the four dimensions first, then move them.")
def puts_rows_in_order(student, rng):
    student.refusing(*FINISHED)
    for layers, batch, hidden, dtype in ((2, 3, 4, torch.float32), (3, 2, 5, torch.float64), (1, 1, 1, torch.float32), (5, 5, 10, torch.float64)):
        h_n = draw(rng, 2 * layers, batch, hidden, dtype=dtype)
        stored = torch.cat([h_n[0::2], h_n[1::2]]).transpose(0, 1).contiguous()
        assert_close(student.call("in_torch_order", stored), h_n, f"the state of {layers} layers", rtol=0, atol=0)


@exam("test_states", weight=2, hint="for_decoder: rows 2k and 2k + 1 belong to layer k. Any number of layers, and of sequences.")
def starts_a_decoder(student, rng):
    student.refusing(*FINISHED)
    for layers, batch, hidden, dtype in ((2, 3, 4, torch.float32), (3, 2, 5, torch.float64), (1, 1, 1, torch.float32), (4, 4, 4, torch.float64)):
        h_n = draw(rng, 2 * layers, batch, hidden, dtype=dtype)
        expected = torch.stack([torch.cat([h_n[2 * k], h_n[2 * k + 1]], -1) for k in range(layers)])
        assert_close(student.call("for_decoder", h_n), expected, f"the decoder's state of {layers} layers", rtol=0, atol=0)


@exam("test_states", weight=2, hint="ends: each direction ends where it has read everything. Find the place for each, then its half of the width.")
def finds_both_ends(student, rng):
    student.refusing(*FINISHED)
    for layers, batch, time, hidden in ((2, 3, 5, 4), (1, 1, 6, 1), (1, 4, 1, 3), (3, 4, 4, 2)):
        theirs = torch_layer(rng, 3, hidden, torch.float64, num_layers=layers, bidirectional=True, batch_first=True)
        output, (h_n, _) = theirs(draw(rng, batch, time, 3, dtype=torch.float64))
        assert_close(student.call("ends", output.detach()), (h_n[-2], h_n[-1]), "(forward, backward)", rtol=0, atol=1e-12)
    output = draw(rng, 3, 5, 8)
    assert_close(student.call("ends", output), (output[:, -1, :4], output[:, 0, 4:]), "(forward, backward)", rtol=0, atol=0)


@exam("test_states", hint="All three: the results stay connected to what came in, so that gradients flow back, and what came in keeps its numbers.")
def states_stay_connected(student, rng):
    student.refusing(*FINISHED)
    given = {"in_torch_order": (3, 4, 5), "for_decoder": (4, 3, 5), "ends": (3, 6, 4)}
    for name, shape in given.items():
        x = draw(rng, *shape)
        student.put("exam_given", x)
        student.run(f"exam_x = exam_given.clone().requires_grad_()\nexam_found = {name}(exam_x)")
        flat = "torch.cat([part.flatten() for part in exam_found])" if name == "ends" else "exam_found.flatten()"
        student.run(f"exam_flat = {flat}\nexam_grad, = torch.autograd.grad((exam_flat * exam_flat.detach()).sum(), exam_x)")
        wanted = torch.zeros_like(x)
        wanted[:, -1, :2], wanted[:, 0, 2:] = x[:, -1, :2], x[:, 0, 2:]
        assert_close(student.value("exam_grad"), wanted if name == "ends" else x, f"the gradient that {name} lets through")
        student.run(f"{name}(exam_given)")
        assert_close(student.value("exam_given"), x, f"what {name} was given, after the call", rtol=0, atol=0)


# 5. the questions

examine_answers(__file__)

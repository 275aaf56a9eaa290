"""Hidden tests of 05_sequences. Expected values come from torch's packing, plain slices and autograd in the examiner's process."""

import math

import torch
from torch import nn
from torch.nn.utils import rnn

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

BY_HAND = ("torch.nn.utils.rnn", "lstmlib")


def draw(rng, *shape, dtype=torch.float32, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


def ragged(rng, lengths, features, dtype=torch.float32):
    return [draw(rng, length, features, dtype=dtype) for length in lengths]


def shuffled(rng, lengths):
    return [lengths[k] for k in rng.permutation(len(lengths))]


def drawn_layer(rng, features, hidden, dtype=torch.float32, **options):
    """A batch-first nn.LSTM whose numbers are drawn from rng."""
    layer = nn.LSTM(features, hidden, batch_first=True, dtype=dtype, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=0.5))
    return layer


def call_and_compare(student, function, inputs, expected):
    """The answer, and the inputs after the call, which must be as they were."""
    student.put("exam_inputs", inputs)
    student.run(f"exam_answer = {function}(*exam_inputs)")
    assert_close(student.value("exam_answer"), expected, f"the answer of {function}")
    assert_close(student.value("exam_inputs"), inputs, f"the inputs after {function}", rtol=0, atol=0)


# 1. pad and pack


def padded(sequences, value, side):
    time = max(map(len, sequences))
    rows, marks = [], []
    for sequence in sequences:
        filling = sequence.new_full((time - len(sequence), sequence.shape[1]), value)
        order = (sequence, filling) if side == "right" else (filling, sequence)
        rows.append(torch.cat(order))
        marks.append(torch.cat([torch.full((len(piece),), piece is sequence) for piece in order]))
    return torch.stack(rows), torch.tensor([len(sequence) for sequence in sequences]), torch.stack(marks)


def check_padding(student, rng, side, cases):
    student.refusing(*BY_HAND)
    for lengths, features, value, dtype in cases:
        sequences = ragged(rng, lengths, features, dtype)
        sequences[0][-1] = value  # a real step, for all that
        assert_close(student.call("pad", sequences, value=value, side=side), padded(sequences, value, side), "(x, lengths, mask)", rtol=0, atol=0)


@exam("test_pad", weight=2, hint="pad on the right: x takes the sequences' dtype and the given value, be it nan, and the mask is true up to each length, whatever stands there.")
def pads_on_the_right(student, rng):
    longest = int(rng.integers(6, 9))
    cases = [(shuffled(rng, [2, longest, 1, 4]), 3, -1.5, torch.float32), (shuffled(rng, [3, 5]), 2, 4.0, torch.float64)]
    check_padding(student, rng, "right", [*cases, ([4, 2, 3], 2, math.nan, torch.float32)])


@exam("test_pad", weight=2, hint="pad on the left: every sequence ends at the batch's last step, and the mask lies where the sequence lies.")
def pads_on_the_left(student, rng):
    longest = int(rng.integers(6, 9))
    cases = [(shuffled(rng, [2, longest, 1, 4]), 3, 2.5, torch.float32), (shuffled(rng, [3, 5]), 2, -4.0, torch.float64)]
    check_padding(student, rng, "left", [*cases, ([4, 2, 3], 2, -math.inf, torch.float32)])


@exam("test_pad", hint="pad: one sequence alone, sequences of one step or all of one length are batches too; without arguments the padding is 0, on the right.")
def pads_the_smallest_batches(student, rng):
    student.refusing(*BY_HAND)
    for lengths, features in (([1], 1), ([4], 2), ([3, 3], 1), ([1, 1, 1], 3), ([1, 2], 1)):
        sequences = ragged(rng, lengths, features)
        sequences[-1][-1] = 0
        assert_close(student.call("pad", sequences), padded(sequences, 0.0, "right"), "(x, lengths, mask)")
        assert_close(student.call("pad", sequences, 0.0, "left"), padded(sequences, 0.0, "left"), "(x, lengths, mask)")


def packed(sequences):
    order = sorted(range(len(sequences)), key=lambda n: -len(sequences[n]))  # stable
    steps = [[sequences[n][t] for n in order if len(sequences[n]) > t] for t in range(max(map(len, sequences)))]
    back = sorted(range(len(order)), key=order.__getitem__)
    data = torch.stack([row for step in steps for row in step])
    return data, torch.tensor([len(step) for step in steps]), torch.tensor(order), torch.tensor(back)


def check_packing(student, rng, cases):
    student.refusing(*BY_HAND)
    for lengths, features, dtype in cases:
        sequences = ragged(rng, lengths, features, dtype)
        sequences[0][-1] = 0
        assert_close(student.call("pack", sequences), packed(sequences), "(data, batch_sizes, order, back)", rtol=0, atol=0)


@exam("test_pad", weight=2, hint="pack: data goes step by step, longest sequence first; order says who stands where, back undoes order.")
def packs_step_by_step(student, rng):
    fixed = [3, 7, 1, 5, 2, 6, 4]  # whose order is not its own inverse
    check_packing(student, rng, [(fixed, 3, torch.float32), (shuffled(rng, fixed), 2, torch.float64)])


@exam("test_pad", hint="pack: sequences of the same length keep the list's order; a batch may hold a single sequence, or a single step of each.")
def packs_equal_lengths(student, rng):
    check_packing(student, rng, [([2, 4, 2, 4, 4, 2], 2, torch.float32), ([1, 1, 1], 1, torch.float32), ([3], 2, torch.float64), ([1], 1, torch.float32)])
    many = shuffled(rng, [1, 2, 3] * 12)  # torch's sort keeps short rows in order by luck
    check_packing(student, rng, [(many, 1, torch.float32)])


@exam("test_pad", hint="The list and its tensors must be as they were after the call: sort a copy, or an order, not the list.")
def leaves_the_list_alone(student, rng):
    student.refusing(*BY_HAND)
    sequences = ragged(rng, [2, 4, 3], 2)
    for function, expected in (("pad", padded(sequences, 0.0, "right")), ("pack", packed(sequences))):
        student.put("exam_sequences", sequences)
        student.run(f"exam_answer = {function}(exam_sequences)")
        assert_close(student.value("tuple(exam_answer)"), expected, f"the answer of {function}")
        assert_close(student.value("exam_sequences"), sequences, f"the list after {function}", rtol=0, atol=0)


@exam("test_pad", hint="Gradients: x and data lead back to the sequences; build them from the tensors themselves, not from copies of their numbers.")
def gradients_reach_the_sequences(student, rng):
    student.refusing(*BY_HAND)
    sequences = ragged(rng, shuffled(rng, [2, 4, 1]), 2, torch.float64)
    calls = (("pad(exam_sequences)[0]", padded(sequences, 0.0, "right")[2]), ("pad(exam_sequences, 1.0, 'left')[0]", padded(sequences, 1.0, "left")[2]),
             ("pack(exam_sequences)[0]", None))
    for call, mask in calls:
        leaves = [sequence.clone().requires_grad_() for sequence in sequences]
        student.put("exam_sequences", sequences)
        student.run("exam_leaves = [sequence.requires_grad_() for sequence in exam_sequences]\n"
                    f"exam_grads = list(torch.autograd.grad(({call} ** 3).sum(), exam_leaves))")
        expected = torch.autograd.grad(sum((leaf ** 3).sum() for leaf in leaves), leaves)
        assert_close(student.value("exam_grads"), list(expected), f"gradients of {call}")


# 2. summaries and mean_loss


def placed(rng, places, width, dtype=torch.float32, padding=1000.0):
    """A batch with a sequence of `length` steps after `before` steps of padding, its mask, and the sequences."""
    time = max(before + length + behind for before, length, behind in places)
    output, mask = torch.full((len(places), time, width), padding, dtype=dtype), torch.zeros(len(places), time, dtype=torch.bool)
    pieces = ragged(rng, [length for _, length, _ in places], width, dtype)
    for row, ((before, length, _), piece) in enumerate(zip(places, pieces)):
        output[row, before:before + length] = piece
        mask[row, before:before + length] = True
    return output, mask, pieces


def summary(pieces):
    hidden = pieces[0].shape[1] // 2
    last = [torch.cat([piece[-1, :hidden], piece[0, hidden:]]) for piece in pieces]
    return torch.stack(last), torch.stack([piece.mean(0) for piece in pieces])


ANYWHERE = [(0, 3, 4), (2, 5, 0), (3, 1, 3), (0, 7, 0), (1, 4, 2)]


@exam("test_summaries", weight=2, hint="summaries: find each row's first and last valid step from its mask; the forward half ended at the last, the backward half at the first.")
def summaries_wherever_the_padding_stands(student, rng):
    for places, hidden, dtype in ((ANYWHERE, 3, torch.float32), ([(0, 2, 3), (0, 4, 1)], 1, torch.float64), ([(2, 1, 0)], 2, torch.float64), ([(0, 1, 0)] * 2, 2, torch.float64)):
        places = [places[k] for k in rng.permutation(len(places))]
        output, mask, pieces = placed(rng, places, 2 * hidden, dtype)
        assert_close(student.call("summaries", output, mask), summary(pieces), "(last, mean)")


@exam("test_summaries", hint="output, prediction, target and mask must be as they were after the call, their padding too: clear a copy of it.")
def leaves_the_padding_alone(student, rng):
    output, mask, pieces = placed(rng, ANYWHERE, 4)
    target, _, theirs = placed(rng, ANYWHERE, 4)
    call_and_compare(student, "summaries", [output, mask], summary(pieces))
    call_and_compare(student, "mean_loss", [output, target, mask], (torch.cat(pieces) - torch.cat(theirs)).square().mean())


@exam("test_summaries", hint="summaries: nan and inf in the padding must not come through; multiplying them by 0 does not take them away.")
def summaries_with_nan_in_the_padding(student, rng):
    for padding in (math.nan, math.inf):
        output, mask, pieces = placed(rng, ANYWHERE, 4, padding=padding)
        assert_close(student.call("summaries", output, mask), summary(pieces), "(last, mean)")


def check_gradients(student, names, leaf, expected, what):
    """Gradients of `exam_value` with regard to the first of `exam_inputs`."""
    student.run(f"exam_leaf = exam_inputs[0].requires_grad_()\nexam_value = {names}\nexam_grad = torch.autograd.grad(exam_value, exam_leaf)[0]")
    assert_close(student.value("exam_grad"), torch.autograd.grad(expected, leaf)[0], what)


@exam("test_summaries", hint="Gradients: each valid number gets its own, the padding gets 0, even if it holds nan: choose the valid steps before you compute.")
def gradients_of_summaries(student, rng):
    output, mask, pieces = placed(rng, ANYWHERE, 4, torch.float64, padding=math.nan)
    student.put("exam_inputs", [output, mask])
    leaf = output.clone().requires_grad_()
    last, mean = summary([row[valid] for row, valid in zip(leaf, mask)])
    expected = (last ** 2).sum() + (3 * mean ** 2).sum()
    names = "(lambda pair: (pair[0] ** 2).sum() + (3 * pair[1] ** 2).sum())(summaries(*exam_inputs))"
    check_gradients(student, names, leaf, expected, "the gradient at output")


@exam("test_summaries", weight=2, hint="mean_loss: every number at a valid step counts once; divide by how many numbers there are, not by steps, rows or the padded size.")
def loss_over_valid_steps(student, rng):
    for places, width, dtype in ((ANYWHERE, 3, torch.float32), ([(0, 2, 3), (0, 4, 1)], 1, torch.float64), ([(0, 1, 0)], 2, torch.float32)):
        prediction, mask, pieces = placed(rng, places, width, dtype)
        target = draw(rng, *prediction.shape, dtype=dtype)
        expected = (torch.cat(pieces) - target[mask]).square().mean()
        assert_close(student.call("mean_loss", prediction, target, mask), expected, "the loss")


@exam("test_summaries", hint="mean_loss: nan in the padding of prediction or target must reach neither the loss nor the gradient; choose first, compute after.")
def loss_with_nan_in_the_padding(student, rng):
    prediction, mask, _ = placed(rng, ANYWHERE, 2, torch.float64, padding=math.nan)
    for padding in (0.0, math.nan):
        target, _, _ = placed(rng, ANYWHERE, 2, torch.float64, padding=padding)
        leaf = prediction.clone().requires_grad_()
        expected = (leaf[mask] - target[mask]).square().mean()
        assert_close(student.call("mean_loss", prediction, target, mask), expected, "the loss")
        student.put("exam_inputs", [prediction, target, mask])
        check_gradients(student, "mean_loss(*exam_inputs)", leaf, expected, "the gradient at prediction")


# 3. run_padded

CELL = """
class ExamCell(nn.Module):
    exam_calls = 0

    def __init__(self, weight_ih, weight_hh, bias_ih, bias_hh):
        super().__init__()
        self.exam_weights = nn.ParameterList([weight_ih, weight_hh, bias_ih, bias_hh])
        self.hidden_size = weight_hh.shape[1]

    def forward(self, x, state):
        ExamCell.exam_calls += 1
        weight_ih, weight_hh, bias_ih, bias_hh = self.exam_weights
        h, c = state
        i, f, g, o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

exam_cells = ExamCell(*exam_numbers[:4]), ExamCell(*exam_numbers[4:])
"""


def both_ways(student, rng, lengths, time, features, hidden, dtype=torch.float32, padding=1000.0):
    """A bidirectional layer, its cells as `exam_cells` at the student's, and a padded batch with its lengths."""
    student.refusing(*BY_HAND)
    layer = drawn_layer(rng, features, hidden, dtype, bidirectional=True)
    student.put("exam_numbers", [parameter.detach() for parameter in layer.parameters()])
    student.run(CELL)
    x = torch.full((len(lengths), time, features), padding, dtype=dtype)
    for row, length in enumerate(lengths):
        x[row, :length] = draw(rng, length, features, dtype=dtype)
    return layer, x, torch.tensor(lengths)


def only_valid(x, lengths):
    return torch.where((torch.arange(x.shape[1]) < lengths[:, None])[:, :, None], x, 0.0)


def run_packed(layer, x, lengths, state=None):
    output, final = layer(rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False), state)
    return rnn.pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], final


def ask_run(student, x, lengths, state=None):
    student.put("exam_inputs", (x, lengths, state))
    student.run("exam_output, (exam_h, exam_c) = run_padded(exam_cells, *exam_inputs)")
    return student.value("(exam_output, (exam_h, exam_c))")


def states(rng, *shape, dtype=torch.float32):
    return draw(rng, *shape, dtype=dtype), draw(rng, *shape, dtype=dtype)


@exam("test_run_padded", weight=2, hint="output: inside a sequence each half must be that of the sequence alone; behind its end there are zeros.")
def outputs_of_both_directions(student, rng):
    for lengths, features, hidden in (([2, 6, 1, 4, 6], 3, 4), ([5, 3], 2, 1)):
        layer, x, lengths = both_ways(student, rng, shuffled(rng, lengths), max(lengths), features, hidden)
        assert_close(ask_run(student, x, lengths)[0], run_packed(layer, x, lengths)[0], "output")


@exam("test_run_padded", weight=2, hint="h_n and c_n: forwards the state after step length - 1, backwards after step 0 of a run that began at length - 1; c as well as h.")
def states_at_each_ones_own_end(student, rng):
    for lengths, features, hidden in (([2, 6, 1, 4, 6], 3, 4), ([5, 3], 2, 1)):
        layer, x, lengths = both_ways(student, rng, shuffled(rng, lengths), max(lengths), features, hidden)
        assert_close(ask_run(student, x, lengths)[1], run_packed(layer, x, lengths)[1], "(h_n, c_n)")


@exam("test_run_padded", weight=2, hint="A given state: row 0 starts the forward cell, row 1 the backward cell, at each sequence's own first and last step.")
def both_directions_from_a_state(student, rng):
    layer, x, lengths = both_ways(student, rng, shuffled(rng, [3, 7, 1, 5]), 7, 2, 3)
    state = states(rng, 2, 4, 3)
    assert_close(ask_run(student, x, lengths, state), run_packed(layer, x, lengths, state), "output, (h_n, c_n)")


@exam("test_run_padded", hint="One sequence, one step, a batch that is longer than its longest sequence, float64: output has x's time and x's dtype.")
def odd_batches(student, rng):
    for lengths, time in (([4], 4), ([1], 1), ([2], 5), ([3, 1, 2], 6)):
        layer, x, lengths = both_ways(student, rng, lengths, time, 2, 3, torch.float64)
        assert_close(ask_run(student, x, lengths), run_packed(layer, x, lengths), "output, (h_n, c_n)")


@exam("test_run_padded", weight=2, hint="nan and inf in the padding must reach neither values nor gradients, and nothing may be detached: make the padding zero before a cell sees it.")
def gradients_despite_nan(student, rng):
    for padding in (math.nan, math.inf):
        check_gradients_of_both_directions(student, rng, padding)


def check_gradients_of_both_directions(student, rng, padding):
    layer, x, lengths = both_ways(student, rng, shuffled(rng, [2, 25, 1, 14]), 26, 2, 3, torch.float64, padding)
    state = states(rng, 2, 4, 3, dtype=torch.float64)
    weights = draw(rng, 4, 26, 6, dtype=torch.float64)
    found = ask_run(student, x, lengths, state)
    clean = only_valid(x, lengths).requires_grad_()
    leaves = [value.clone().requires_grad_() for value in state]
    output, (h, c) = run_packed(layer, clean, lengths, tuple(leaves))
    assert_close(found, (output, (h, c)), "output, (h_n, c_n)")
    expected = torch.autograd.grad((weights * output).sum() + (h ** 2).sum() + (c ** 3).sum(), [clean, *leaves, *layer.parameters()])
    student.put("exam_weights", weights)
    student.run(
        "exam_x, exam_lengths, exam_state = exam_inputs\n"
        "exam_leaves = [exam_x.requires_grad_(), *[v.requires_grad_() for v in exam_state]]\n"
        "exam_output, (exam_h, exam_c) = run_padded(exam_cells, exam_x, exam_lengths, exam_state)\n"
        "exam_loss = (exam_weights * exam_output).sum() + (exam_h ** 2).sum() + (exam_c ** 3).sum()\n"
        "exam_parameters = [p for cell in exam_cells for p in cell.exam_weights]\n"
        "exam_grads = list(torch.autograd.grad(exam_loss, exam_leaves + exam_parameters))"
    )
    assert_close(student.value("exam_grads"), list(expected), "gradients")


@exam("test_run_padded", hint="Each cell may be called at most once for each step, with all sequences together: no loop over the sequences.")
def the_batch_goes_together(student, rng):
    for lengths in ([5, 4, 5, 3, 2, 5], [1, 3, 2, 4, 5, 1]):
        layer, x, lengths = both_ways(student, rng, shuffled(rng, lengths), 5, 2, 3)
        assert_close(ask_run(student, x, lengths), run_packed(layer, x, lengths), "output, (h_n, c_n)")
        calls = student.value("ExamCell.exam_calls")
        assert calls <= 2 * 5, f"the two cells were called {calls} times for 5 steps"


@exam("test_run_padded", hint="x, lengths and the given state must be as they were after the call, the padding too: work on a copy.")
def leaves_the_batch_alone(student, rng):
    layer, x, lengths = both_ways(student, rng, [2, 5, 4], 6, 2, 3)
    state = states(rng, 2, 3, 3)
    expected = run_packed(layer, x, lengths, state)
    assert_close(ask_run(student, x, lengths, state), expected, "output, (h_n, c_n)")
    assert_close(student.value("exam_inputs"), (x, lengths, state), "the inputs after run_padded", rtol=0, atol=0)


# 4. train_in_pieces


def stream_case(student, rng, batch, time, features=2, hidden=3, outputs=1, dtype=torch.float32, **options):
    """Layer, head, x and y, here and as `exam_layer`, `exam_head`, `exam_x`, `exam_y` at the student's."""
    layer, head = drawn_layer(rng, features, hidden, dtype, **options), nn.Linear(hidden, outputs, dtype=dtype)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype))
    x, y = draw(rng, batch, time, features, dtype=dtype), draw(rng, batch, time, outputs, dtype=dtype)
    student.put("exam_case", [dict(layer.state_dict()), dict(head.state_dict()), x, y])
    student.run(
        f"exam_layer = nn.LSTM({features}, {hidden}, batch_first=True, num_layers={layer.num_layers}, dtype={dtype})\n"
        f"exam_head = nn.Linear({hidden}, {outputs}, dtype={dtype})\n"
        "exam_layer.load_state_dict(exam_case[0]), exam_head.load_state_dict(exam_case[1])\n"
        "exam_x, exam_y = exam_case[2:]\n"
        "exam_parameters = [*exam_layer.parameters(), *exam_head.parameters()]\n"
        "exam_state = exam_begins = None"
    )
    return layer, head, x, y


def in_pieces(layer, head, x, y, piece, state=None, begins=None):
    """Losses, state, and the gradients of all parameters, by one backward over cut pieces."""
    losses = []
    for k, start in enumerate(range(0, x.shape[1], piece)):
        if begins is not None and state is not None:
            state = tuple(torch.where(begins[k][None, :, None], torch.zeros_like(value), value) for value in state)
        output, state = layer(x[:, start:start + piece], state and tuple(value.detach() for value in state))
        losses.append(((head(output) - y[:, start:start + piece]) ** 2).sum() / y.numel())
    gradients = torch.autograd.grad(sum(losses), [*layer.parameters(), *head.parameters()])
    return [loss.item() for loss in losses], tuple(value.detach() for value in state), list(gradients)


def ask_train(student, piece):
    """Train at the student's; returns losses, state and gradients, whatever kind of number the losses are."""
    student.run(
        f"exam_losses, (exam_h, exam_c) = train_in_pieces(exam_layer, exam_head, exam_x, exam_y, {piece}, exam_state, exam_begins)\n"
        "exam_grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in exam_parameters]"
    )
    return student.value("([float(loss) for loss in exam_losses], (exam_h, exam_c), exam_grads)")


def assert_trained(found, expected):
    for one, other, what in zip(found, expected, ("losses", "(h, c)", "gradients")):
        assert_close(one, other, what, rtol=1e-4, atol=1e-5)  # float32 sums in any order, and losses arrive as floats


@exam("test_train_in_pieces", weight=3, hint="Without a state: values run on from piece to piece, gradients stop at each cut, in h and in c; all pieces' gradients add up.")
def pieces_of_one_length(student, rng):
    for time, piece, dtype, options in ((12, 3, torch.float64, {}), (6, 2, torch.float32, {"num_layers": 2, "outputs": 2}), (5, 1, torch.float64, {})):
        expected = in_pieces(*stream_case(student, rng, 3, time, dtype=dtype, **options), piece)
        assert_trained(ask_train(student, piece), expected)


@exam("test_train_in_pieces", weight=2, hint="A last piece that is shorter, a piece longer than the stream, a batch of one: each share is divided by y.numel().")
def pieces_that_do_not_fit(student, rng):
    for batch, time, piece in ((2, 7, 3), (1, 4, 9), (1, 1, 1), (3, 9, 4)):
        expected = in_pieces(*stream_case(student, rng, batch, time, dtype=torch.float64, outputs=2), piece)
        assert_trained(ask_train(student, piece), expected)


@exam("test_train_in_pieces", weight=2, hint="The given state starts the first piece, but no gradient may reach it, whether it asks for one or hangs on a graph.")
def from_a_state_with_a_history(student, rng):
    case = stream_case(student, rng, 2, 8, dtype=torch.float64, num_layers=2)
    state = states(rng, 2, 2, 3, dtype=torch.float64)
    student.put("exam_leaves", state)
    student.run("exam_leaves = [v.requires_grad_() for v in exam_leaves]\nexam_state = tuple(1 * v for v in exam_leaves)")
    assert_trained(ask_train(student, 3), in_pieces(*case, 3, state))
    assert student.value("[v.grad is None for v in exam_leaves]") == [True, True], "a gradient reached the given state"
    assert student.value("[v.requires_grad for v in exam_state]") == [True, True], "the caller's own state was cut from its graph"


@exam("test_train_in_pieces", weight=2, hint="begins: only the rows that it names start from zero, in h and in c, in every layer, and at the first piece too.")
def rows_that_begin_anew(student, rng):
    for layers, given in ((1, True), (2, True), (2, False)):
        case = stream_case(student, rng, 4, 8, dtype=torch.float64, num_layers=layers)
        state = states(rng, layers, 4, 3, dtype=torch.float64) if given else None
        begins = torch.tensor([[True, False, False, False], [False, True, False, True], [True, True, False, False]])[:, torch.from_numpy(rng.permutation(4))]
        student.put("exam_begins", begins)
        student.put("exam_state", state)
        assert_trained(ask_train(student, 3), in_pieces(*case, 3, state, begins))


@exam("test_train_in_pieces", hint="Only .grad changes: x, y, the given state, begins and the weights are after the call what they were before it.")
def leaves_the_rest_alone(student, rng):
    case = stream_case(student, rng, 3, 5, dtype=torch.float64)
    state, begins = states(rng, 1, 3, 3, dtype=torch.float64), torch.tensor([[True, False, False], [False, False, True]])
    student.put("exam_state", state)
    student.put("exam_begins", begins)
    before = [parameter.detach().clone() for parameter in (*case[0].parameters(), *case[1].parameters())]
    assert_trained(ask_train(student, 3), in_pieces(*case, 3, state, begins))
    given = student.value("[exam_x, exam_y, exam_state, exam_begins, [p.detach() for p in exam_parameters]]")
    assert_close(given, [case[2], case[3], state, begins, before], "what was given, after the call", rtol=0, atol=0)


@exam("test_train_in_pieces", hint="Zero no gradients: what stood in .grad before the call is still in the sum after it.")
def adds_to_what_is_there(student, rng):
    losses, state, gradients = in_pieces(*stream_case(student, rng, 2, 6, dtype=torch.float64), 4)
    before = [draw(rng, *gradient.shape, dtype=torch.float64) for gradient in gradients]
    student.put("exam_before", before)
    student.run("for exam_p, exam_g in zip(exam_parameters, exam_before):\n    exam_p.grad = exam_g.clone()")
    assert_trained(ask_train(student, 4), (losses, state, [g + b for g, b in zip(gradients, before)]))


@exam("test_train_in_pieces", hint="One graph at a time: backward comes before the next piece is run, and nothing that is returned asks for a gradient.")
def holds_one_graph_at_a_time(student, rng):
    expected = in_pieces(*stream_case(student, rng, 2, 9, dtype=torch.float64), 3)
    student.run(
        "exam_held, exam_most, exam_forward, exam_last, exam_kept = 0, 0, exam_layer.forward, None, False\n"
        "def exam_watched(*args, **named):\n"
        "    global exam_held, exam_most, exam_last, exam_kept\n"
        "    try:\n"
        "        torch.autograd.grad(exam_last.sum(), exam_layer.weight_ih_l0)\n"
        "        exam_kept = True\n"
        "    except Exception:\n"
        "        pass  # no call before, or its graph is gone\n"
        "    exam_held += (*args, *named.values())[0].shape[1] * torch.is_grad_enabled()\n"
        "    exam_most = max(exam_held, exam_most)\n"
        "    exam_result = exam_forward(*args, **named)\n"
        "    exam_last = exam_result[0]\n"
        "    return exam_result\n"
        "def exam_freed(gradient):\n"
        "    global exam_held\n"
        "    exam_held = 0\n"
        "exam_layer.forward = exam_watched\n"
        "exam_layer.weight_ih_l0.register_hook(exam_freed)"
    )
    assert_trained(ask_train(student, 3), expected)
    most = student.value("exam_most")
    assert most <= 3, f"{most} steps were run before a backward, a piece has 3"
    assert not student.value("exam_kept"), "the graph of the piece before is still there when the next piece is run"
    held = "[bool(v.requires_grad) for v in (exam_h, exam_c, *exam_losses) if isinstance(v, torch.Tensor)]"
    assert not any(student.value(held)), "a loss or a state that is returned hangs on a graph"


# 5. the questions

examine_answers(__file__)

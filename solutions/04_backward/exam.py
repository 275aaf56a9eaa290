"""Hidden tests of 04_backward. Expected values: known in closed form, from autograd, or from nn.LSTMCell, in the examiner's process."""

import copy

import torch
from torch import nn

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

BY_HAND = ("torch.autograd.graph", "torch.autograd.forward_ad", "lstmlib")  # where every backward and forward mode passes
NAMES = ("weight", "bias", "peephole")


def draw(rng, *shape, dtype=torch.float64, scale=1.0):
    return torch.from_numpy(rng.standard_normal(shape)).mul(scale).to(dtype)


def assert_gradients(answer, expected, which, rtol=1e-11, atol=1e-12):
    """The gradients named in `which`. Rounding may differ; a finite difference is ten times further off than this."""
    assert isinstance(answer, dict) and set(answer) == set(expected), f"no dict with the keys {list(expected)}"
    for name in which:
        assert_close(answer[name], expected[name], f"the gradient by {name}", rtol, atol)


# 1. finite_difference and wrong_gradients


@exam("test_finite_difference", weight=2, hint="Both sides, eps away from each number, divided by the distance between the two points; eps is an argument.")
def known_on_cubics(student, rng):
    """The central difference of k x^3 is 3 k x^2 + k eps^2, whatever eps."""
    for shape, eps in (((4, 3), 0.5), ((5,), 0.01), ((2, 1, 2, 2), 2.0)):
        x, k = draw(rng, *shape), draw(rng, *shape)
        student.put("exam_k", k)
        student.run("def exam_loss(value):\n    return (exam_k * value ** 3).sum()")
        student.put("exam_x", x)
        student.run(f"exam_answer = finite_difference(exam_loss, exam_x, {eps})")
        assert_close(student.value("exam_answer"), 3 * k * x ** 2 + k * eps ** 2, "the difference", rtol=1e-6, atol=1e-8)
    # At 0 nothing is left but k eps^2, here with the eps of 1e-5 that the signature gives.
    student.put("exam_k", torch.full((3,), 1e10, dtype=torch.float64))
    student.put("exam_x", torch.zeros(3, dtype=torch.float64))
    student.run("exam_answer = finite_difference(exam_loss, exam_x)")
    assert_close(student.value("exam_answer"), torch.ones(3, dtype=torch.float64), "the difference", rtol=1e-6)


@exam("test_finite_difference", hint="One number changes at a time, in a tensor of its own, and any shape will do: no dimension at all, or a transposed one.")
def any_shape_one_number_at_a_time(student, rng):
    student.run("def exam_loss(value):\n    return torch.cos(value).prod() + value.sum() ** 3")
    for shape in ((), (1,), (3, 2), (2, 3, 2)):
        x = 0.5 * draw(rng, *shape)
        leaf = x.mT.clone().requires_grad_() if x.dim() > 1 else x.clone().requires_grad_()
        (expected,) = torch.autograd.grad(torch.cos(leaf).prod() + leaf.sum() ** 3, leaf)
        student.put("exam_x", x)
        student.run("exam_answer = finite_difference(exam_loss, exam_x.mT if exam_x.dim() > 1 else exam_x)")
        assert_close(student.value("exam_answer"), expected, "the gradient", rtol=1e-6, atol=1e-7)


@exam("test_finite_difference", hint="A loss may return a Python float, and the tensor you were given holds the very same numbers afterwards.")
def floats_and_untouched_inputs(student, rng):
    x = draw(rng, 3, 2)
    student.run("def exam_loss(value):\n    return float((value ** 2).sum())")
    student.put("exam_x", x)
    student.run("exam_answer = finite_difference(exam_loss, exam_x)")
    assert_close(student.value("exam_answer"), 2 * x, "the gradient of a sum of squares", rtol=1e-6, atol=1e-7)
    assert_close(student.value("exam_x"), x, "the point after the call", rtol=0, atol=0)


@exam("test_finite_difference", hint="What `loss` returns may be a view into what it was given: do not change that tensor before you have used both numbers.")
def losses_that_pick_a_number(student, rng):
    for shape, picked in (((3, 2), "value[1, 0]"), ((), "value")):
        x = draw(rng, *shape)
        student.put("exam_x", x)
        student.run(f"exam_answer = finite_difference(lambda value: {picked}, exam_x)")
        expected = torch.zeros_like(x)
        expected.view(-1)[2 if shape else 0] = 1
        assert_close(student.value("exam_answer"), expected, "the gradient of one number by all", rtol=1e-6, atol=1e-7)


LOSS = """
def exam_loss(tensors):
    return exam_factor * (torch.tanh(tensors["b"] @ tensors["a"]).sum() * tensors["c"] + tensors["d"].exp().sum())
"""


def judge(student, rng, changes, factor=1.0, **options):
    """What the student's wrong_gradients says of true gradients with `changes` (name -> added tensor, or a number)."""
    tensors = {"b": draw(rng, 2, 3), "d": 0.3 * draw(rng, 4), "a": draw(rng, 3), "c": 1 + draw(rng).abs()}
    leaves = {name: value.clone().requires_grad_() for name, value in tensors.items()}
    loss = factor * (torch.tanh(leaves["b"] @ leaves["a"]).sum() * leaves["c"] + leaves["d"].exp().sum())
    claimed = dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values()))))
    claimed = {name: value + changes.get(name, 0.0) for name, value in claimed.items()}
    student.put("exam_factor", factor)
    student.run(LOSS)
    return named_wrong(student, tensors, dict(sorted(claimed.items())), options)


def named_wrong(student, tensors, claimed, options):
    """The student's names for exam_loss; what was given stays as it was."""
    given = [tensors, claimed]
    student.put("exam_given", given)
    student.put("exam_options", options)
    student.run("exam_answer = wrong_gradients(exam_loss, *exam_given, **exam_options)")
    assert_close(student.value("exam_given"), given, "what was given, after the call", rtol=0, atol=0)
    return student.value("exam_answer")


def at_one_place(rng, shape, value):
    """Zeros but for one number."""
    change = torch.zeros(shape, dtype=torch.float64)
    change.view(-1)[int(rng.integers(change.numel()))] = value
    return change


@exam("test_finite_difference", weight=2, hint="Every number of a claim counts, with its absolute error, and the names come in the order of `tensors`.")
def planted_mistakes_are_named(student, rng):
    cases = [({}, []), ({"d": at_one_place(rng, (4,), 1e-4)}, ["d"]), ({"b": at_one_place(rng, (2, 3), -1e-4)}, ["b"]),
             ({"a": at_one_place(rng, (3,), 1.0), "c": -1e-4, "b": at_one_place(rng, (2, 3), 0.1)}, ["b", "a", "c"]),
             ({"d": torch.tensor([1e-3, -1e-3, 2e-3, -2e-3], dtype=torch.float64)}, ["d"])]
    for changes, names in cases:
        assert_close(judge(student, rng, changes), names, "the names with a wrong claim")


@exam("test_finite_difference", hint="Read what is allowed: tol times the larger of 1 and M, the same for every number of a tensor; eps stays 1e-5; a nan is within nothing.")
def tolerance_scale_and_nan(student, rng):
    nan, inf = float("nan"), float("inf")
    for changes, factor, options, names in (
        ({"a": at_one_place(rng, (3,), nan), "c": inf}, 1.0, {}, ["a", "c"]),
        ({"d": at_one_place(rng, (4,), -inf)}, 1.0, {}, ["d"]),
        ({"d": at_one_place(rng, (4,), 0.01)}, 1.0, {"tol": 0.1}, []),
        ({"d": at_one_place(rng, (4,), 1e-2), "c": 1e-7}, 1e5, {}, []),  # M is about 1e5
        ({"a": at_one_place(rng, (3,), 1e-7), "d": at_one_place(rng, (4,), 1e-5)}, 1e-6, {}, ["d"]),  # M is about 1e-6, so 1 counts
    ):
        assert_close(judge(student, rng, changes, factor, **options), names, "the names with a wrong claim")
    for changes, names in (
        ({"p": [4.5, -4.5, 4.9], "q": [0.09, -0.09]}, []),
        ({"p": [0.0, 0.0, 5.05], "q": [0.0, -0.105]}, ["p", "q"]),
        ({"p": [-5.2, 0.0, 0.0]}, ["p"]),  # M is the difference's, not the claim's
        ({"p": [0.0, 0.0, nan]}, ["p"]),
    ):
        assert_close(judge_line(student, rng, changes), names, "the names with a wrong claim")


LINE = """
def exam_loss(tensors):
    return float((exam_p * tensors["p"]).sum() + (exam_q * tensors["q"]).sum() + 1e10 * tensors["r"] ** 3)
"""


def judge_line(student, rng, changes):
    """The same for known differences and a tol of 0.1: 5 is allowed for p, 0.1 for q, whose M is below 1; r's is 1 for eps = 1e-5."""
    slopes = {"p": [-50.0, 30.0, 0.0], "q": [0.2, -0.1], "r": 1.0}
    slopes = {name: torch.tensor(slope, dtype=torch.float64) for name, slope in slopes.items()}
    claimed = {name: slope + torch.tensor(changes.get(name, 0.0), dtype=torch.float64) for name, slope in slopes.items()}
    student.put("exam_p", slopes["p"])
    student.put("exam_q", slopes["q"])
    student.run(LINE)
    tensors = {"p": draw(rng, 3), "q": draw(rng, 2), "r": torch.zeros((), dtype=torch.float64)}
    return named_wrong(student, tensors, claimed, {"tol": 0.1})


# 2. step_backward


def forward(x, h_prev, c_prev, weights):
    """The cell of the exercise; returns h, c and what a step has seen."""
    joined = torch.cat([x, h_prev], dim=-1)
    z_i, z_g, z_f, z_o = (joined @ weights["weight"] + weights["bias"]).split(h_prev.shape[-1], dim=-1)
    i, g, f = z_i.sigmoid(), z_g.tanh(), z_f.sigmoid()
    c = f * c_prev + i * g
    o = (z_o + weights["peephole"] * c).sigmoid()
    return o * c.tanh(), c, {"x": x, "h_prev": h_prev, "c_prev": c_prev, "i": i, "g": g, "f": f, "o": o, "c": c}


def case(rng, batch, features, hidden, *time, dtype=torch.float64):
    """x, h, c and weights."""
    shapes = {"weight": (features + hidden, 4 * hidden), "bias": (4 * hidden,), "peephole": (hidden,)}
    weights = {name: draw(rng, *shape, dtype=dtype, scale=0.6) for name, shape in shapes.items()}
    return draw(rng, batch, *time, features, dtype=dtype), *draw(rng, 2, batch, hidden, dtype=dtype), weights


STEP = ("x", "h_prev", "c_prev", *NAMES)


def check_step(student, rng, *sizes, which=STEP, by_h=1.0, by_c=1.0, dtype=torch.float64, **tolerances):
    student.refusing(*BY_HAND)
    x, h_prev, c_prev, weights = case(rng, *sizes, dtype=dtype)
    leaves = [value.clone().requires_grad_() for value in (x, h_prev, c_prev, *weights.values())]
    h, c, _ = forward(*leaves[:3], dict(zip(NAMES, leaves[3:])))
    dh, dc = by_h * draw(rng, *h.shape, dtype=dtype), by_c * draw(rng, *h.shape, dtype=dtype)
    expected = dict(zip(STEP, torch.autograd.grad([h, c], leaves, [dh, dc])))
    given = [dh, dc, forward(x, h_prev, c_prev, weights)[2], weights]
    student.put("exam_given", given)
    student.run("exam_answer = step_backward(*exam_given)")
    assert_gradients(student.value("exam_answer"), expected, which, **tolerances)
    return given


@exam("test_step_backward", weight=2, hint="The gradient of c comes first: all its uses add up, and then c_prev is one product away.")
def back_to_the_memory(student, rng):
    for sizes in ((3, 4, 5), (2, 2, 3)):
        check_step(student, rng, *sizes, which=["c_prev"])


@exam("test_step_backward", weight=2, hint="From c and h through the gates to each z, then through the transposed weight: its first rows belong to x.")
def back_to_x_and_h(student, rng):
    for sizes in ((3, 4, 5), (5, 3, 3), (2, 6, 2)):
        check_step(student, rng, *sizes, which=["x", "h_prev"])


@exam("test_step_backward", weight=2, hint="What was read times the gradient by z, block by block in the cell's order, summed over the batch.")
def back_to_the_weights(student, rng):
    for sizes in ((3, 4, 5), (5, 3, 3), (2, 6, 2)):
        check_step(student, rng, *sizes, which=NAMES)


@exam("test_step_backward", hint="A loss may look at c alone: dh is zero, and everything comes through dc.")
def only_through_c(student, rng):
    check_step(student, rng, 3, 2, 4, by_h=0.0, which=["c_prev", "x"])


@exam("test_step_backward", hint="A loss may look at h alone: c still gets a gradient, because h shows it and because o looks at it.")
def only_through_h(student, rng):
    check_step(student, rng, 3, 2, 4, by_c=0.0, which=["c_prev", "x"])


@exam("test_step_backward", hint="A batch of one, one feature or one unit keeps its dimension: sum over the batch, and never squeeze.")
def smallest_sizes(student, rng):
    for sizes in ((1, 1, 1), (1, 3, 2), (4, 1, 1)):
        check_step(student, rng, *sizes)


@exam("test_step_backward", hint="Gradients have the dtype of what they are gradients by; and what was given holds the same numbers after the call.")
def dtype_and_inputs(student, rng):
    given = check_step(student, rng, 3, 2, 4, dtype=torch.float32, rtol=1e-4, atol=1e-5)
    assert_close(student.value("exam_given"), given, "what was given, after the call", rtol=0, atol=0)


# 3. sequence_backward

RIGHT_STEP = """
def step_backward(dh, dc, seen, weights):
    shown, o = seen["c"].tanh(), seen["o"]
    by_o = dh * shown * o * (1 - o)
    by_c = dc + dh * o * (1 - shown * shown) + by_o * weights["peephole"]
    by_z = torch.cat([by_c * seen["g"] * seen["i"] * (1 - seen["i"]), by_c * seen["i"] * (1 - seen["g"] * seen["g"]),
                      by_c * seen["c_prev"] * seen["f"] * (1 - seen["f"]), by_o], -1)
    by_read = by_z @ weights["weight"].T
    features = seen["x"].shape[-1]
    return {"x": by_read[:, :features], "h_prev": by_read[:, features:], "c_prev": by_c * seen["f"],
            "weight": torch.cat([seen["x"], seen["h_prev"]], -1).T @ by_z, "bias": by_z.sum(0), "peephole": (by_o * seen["c"]).sum(0)}
"""


BACK = ("x", "h_0", "c_0", *NAMES)


def check_sequence(student, rng, batch, time, features, hidden, which=BACK, outputs=True, state=True, scale=1.0, dtype=torch.float64, **tolerances):
    student.refusing(*BY_HAND)
    student.run(RIGHT_STEP)
    x, h_0, c_0, weights = case(rng, batch, features, hidden, time, dtype=dtype)
    leaves = [value.clone().requires_grad_() for value in (x, h_0, c_0, *weights.values())]
    (h, c), shown, tape = leaves[1:3], [], []
    for t in range(time):
        h, c, seen = forward(leaves[0][:, t], h, c, dict(zip(NAMES, leaves[3:])))
        shown.append(h)
        tape.append({name: value.detach().clone() for name, value in seen.items()})
    by_outputs, (by_h, by_c) = draw(rng, batch, time, hidden, dtype=dtype), draw(rng, 2, batch, hidden, dtype=dtype, scale=scale)
    loss = outputs * (torch.stack(shown, 1) * by_outputs).sum() + state * ((h * by_h).sum() + (c * by_c).sum())
    expected = dict(zip(BACK, torch.autograd.grad(loss, leaves)))
    given = [by_outputs if outputs else None, (by_h, by_c) if state else None, tape, weights]
    student.put("exam_given", given)
    student.run("exam_answer = sequence_backward(*exam_given)")
    assert_gradients(student.value("exam_answer"), expected, which, **tolerances)
    assert_close(student.value("exam_given"), given, "what was given, after the call", rtol=0, atol=0)


@exam("test_sequence_backward", weight=2, hint="At each step the output's gradient and the one from the step after are added, and c's is carried on beside it.")
def back_to_inputs_and_start(student, rng):
    for sizes in ((3, 5, 2, 4), (4, 4, 4, 4), (2, 7, 5, 1)):
        check_sequence(student, rng, *sizes, which=["x", "h_0", "c_0"])


@exam("test_sequence_backward", weight=2, hint="The same weights act at every step, so each of the three adds up over all steps.")
def back_to_shared_weights(student, rng):
    for sizes in ((3, 5, 2, 4), (4, 4, 4, 4), (2, 40, 3, 4)):
        check_sequence(student, rng, *sizes, which=NAMES)


@exam("test_sequence_backward", hint="Without grad_state the walk begins with zeros, of the states' shape and dtype.")
def no_gradient_by_the_final_state(student, rng):
    check_sequence(student, rng, 3, 5, 2, 4, state=False, which=["x", "h_0", "c_0"])
    check_sequence(student, rng, 3, 5, 2, 4, state=False, dtype=torch.float32, rtol=1e-4, atol=1e-5)


@exam("test_sequence_backward", hint="Without grad_outputs all that reaches an earlier step comes from the final pair, by h and by c.")
def no_gradient_by_the_outputs(student, rng):
    check_sequence(student, rng, 3, 5, 2, 4, outputs=False, scale=50.0, which=["x", "h_0", "c_0"])


@exam("test_sequence_backward", hint="A sequence of one step and a batch of one keep their dimensions; the final h is then the only output too.")
def shortest_sequences(student, rng):
    for sizes in ((1, 1, 1, 1), (2, 1, 3, 2), (1, 4, 2, 3)):
        check_sequence(student, rng, *sizes)


# 4. memory_kept


def torch_cell(rng, features, hidden, dtype=torch.float64, scale=0.5):
    """An nn.LSTMCell whose numbers are drawn from rng."""
    cell = nn.LSTMCell(features, hidden, dtype=dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=scale))
    return cell


def expected_kept(cell, x, bias):
    """All roads by torch's Jacobian; alone from c, which with h held fast is a straight line in c_0 (slope by autograd)."""
    cell, hidden = copy.deepcopy(cell).requires_grad_(False), cell.hidden_size
    cell.bias_hh[hidden:2 * hidden] = bias - cell.bias_ih[hidden:2 * hidden]

    def last(c, hold):
        h = torch.zeros_like(c)
        for t in range(x.shape[1]):
            h, c = cell(x[:, t], (h.detach() if hold else h, c))
        return c

    def own(hold):
        zeros = x.new_zeros(len(x), hidden)
        whole = torch.autograd.functional.jacobian(lambda c: last(c, hold), zeros)  # (batch, hidden, batch, hidden)
        return torch.einsum("bubu->bu", whole)

    return own(False), own(True)


def check_kept(student, rng, batch, time, features, hidden, bias, which, dtype=torch.float64, scale=0.5, **tolerances):
    student.refusing("lstmlib")
    cell, x = torch_cell(rng, features, hidden, dtype, scale), draw(rng, batch, time, features, dtype=dtype)
    numbers = {name: value.clone() for name, value in cell.state_dict().items()}
    student.put("exam_numbers", numbers)
    student.run(f"exam_cell = nn.LSTMCell({features}, {hidden}, dtype=exam_numbers['bias_ih'].dtype)\nexam_cell.load_state_dict(exam_numbers)")
    student.put("exam_x", x)
    student.run(f"exam_answer = memory_kept(exam_cell, exam_x, {bias})")
    student.run("if isinstance(exam_answer, dict):\n    exam_answer = exam_answer['everything'], exam_answer['alone']")
    answer = student.value("[value.detach() for value in exam_answer]")
    assert len(answer) == 2, f"memory_kept returns {len(answer)} values"
    for k in which:
        what = ("everything", "alone")[k]
        assert_close(answer[k], expected_kept(cell, x, bias)[k], what, **tolerances or {"rtol": 1e-6, "atol": 1e-9})
    return {**numbers, "x": x}


@exam("test_memory_kept", weight=2, hint="Each unit's last memory by its own first one, by every road: nothing is detached, and no other unit's share is added.")
def by_all_roads(student, rng):
    check_kept(student, rng, 3, 6, 2, 4, 1.0, which=[0])
    check_kept(student, rng, 2, 4, 4, 4, -0.5, which=[0], scale=1.0)


@exam("test_memory_kept", hint="One forget gate for each of the T steps, as x and h make it at that step; the gates multiply.")
def along_the_memory_alone(student, rng):
    check_kept(student, rng, 3, 6, 2, 4, 1.0, which=[1])
    check_kept(student, rng, 2, 4, 4, 4, 3, which=[1], scale=1.0)


@exam("test_memory_kept", hint="With a closed forget gate next to nothing is kept, and that little must be right in its own size.")
def next_to_nothing(student, rng):
    check_kept(student, rng, 2, 40, 3, 4, -2.0, which=[0, 1], scale=0.3, rtol=1e-6, atol=1e-60)


@exam("test_memory_kept", hint="A batch of one, one step and one unit keep their dimensions, and float32 stays float32.")
def smallest_cases(student, rng):
    check_kept(student, rng, 1, 1, 1, 1, 0.0, which=[0, 1])
    check_kept(student, rng, 1, 3, 2, 3, 2.0, which=[0, 1], dtype=torch.float32, rtol=1e-3, atol=1e-5)


@exam("test_memory_kept", hint="After the call the cell you were given is as before: the same parameters, numbers, dtype, requires_grad and no gradients in them; work on a copy.")
def the_cell_is_as_before(student, rng):
    for dtype in (torch.float64, torch.float32):
        given = check_kept(student, rng, 2, 3, 2, 3, 5.0, which=[1], dtype=dtype, rtol=1e-3, atol=1e-5)
        assert_close(student.value("{**exam_cell.state_dict(), 'x': exam_x}"), given, "what was given, after the call", rtol=0, atol=0)
        assert student.value("all(parameter.requires_grad for parameter in exam_cell.parameters())"), "requires_grad is off after the call"
        assert student.value("all(parameter.grad is None for parameter in exam_cell.parameters())"), "the cell's parameters have a grad after the call"
    for frozen in (False, True):
        student.run(f"exam_cell.requires_grad_({not frozen})\nexam_before = list(exam_cell.parameters())\nmemory_kept(exam_cell, exam_x, 1.0)")
        assert student.value("all(a is b for a, b in zip(exam_before, exam_cell.parameters()))"), "the cell has other parameters after the call"
        kept = student.value("[parameter.requires_grad for parameter in exam_cell.parameters()]")
        assert kept == [not frozen] * 4, "requires_grad is another after the call"
    assert not student.value("exam_x.requires_grad"), "x needs a gradient after the call"


# 5. the questions

examine_answers(__file__)

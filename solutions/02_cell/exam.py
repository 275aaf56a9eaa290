"""Hidden tests of 02_cell. Expected values come from nn.LSTMCell and autograd in the examiner's process."""

import math

import torch
from torch import nn

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

FINISHED = ("nn.LSTM", "lstmlib")
NEAR = {"rtol": 1e-10, "atol": 1e-10}  # in float64: shows what went through float32 on the way


def draw(rng, *shape, dtype=torch.float32, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


def torch_cell(features, hidden, rng, dtype=torch.float32, scale=0.5):
    """An nn.LSTMCell whose numbers are drawn from rng."""
    cell = nn.LSTMCell(features, hidden, dtype=dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=scale))
    return cell


def gradients(outputs, directions, inputs):
    return torch.autograd.grad(outputs, inputs, grad_outputs=directions)


# 1. lstm_step: gate blocks g, o, i, f and one bias


def stored(cell):
    """The cell as task 1 stores it; differentiable, so a gradient can be asked for in the stored order."""
    def reorder(parameter):
        i, f, g, o = parameter.detach().chunk(4)
        return torch.cat([g, o, i, f])

    return {"weight_ih": reorder(cell.weight_ih), "weight_hh": reorder(cell.weight_hh),
            "bias": reorder(cell.bias_ih + cell.bias_hh)}


def step_case(rng, batch, features, hidden, dtype=torch.float32, scale=0.5):
    cell = torch_cell(features, hidden, rng, dtype, scale)
    x, h, c = (draw(rng, batch, width, dtype=dtype) for width in (features, hidden, hidden))
    return cell, x, (h, c)


@exam("test_lstm_step", weight=2, hint="Cut the product into four blocks in the stored order g, o, i, f, then compare gate by gate with the equations.")
def step_with_state(student, rng):
    student.refusing(*FINISHED)
    for batch, features, hidden in ((3, 4, 6), (5, 2, 3)):
        cell, x, state = step_case(rng, batch, features, hidden)
        assert_close(student.call("lstm_step", x, state, stored(cell)), cell(x, state), "(h, c)")


@exam("test_lstm_step", hint="A batch of one, one feature or one unit is still a (batch, features) tensor: no squeeze, no size written as a number.")
def step_of_smallest_sizes(student, rng):
    student.refusing(*FINISHED)
    for batch, features, hidden in ((1, 1, 1), (1, 3, 2), (4, 1, 1)):
        cell, x, state = step_case(rng, batch, features, hidden, torch.float64)
        assert_close(student.call("lstm_step", x, state, stored(cell)), cell(x, state), "(h, c)", **NEAR)


@exam("test_lstm_step", hint="Without a state both vectors are zeros of x's dtype and of the batch's size.")
def step_without_state(student, rng):
    student.refusing(*FINISHED)
    for features, hidden, dtype in ((2, 4, torch.float32), (2, 4, torch.float64), (8, 2, torch.float64)):
        cell, x, _ = step_case(rng, 3, features, hidden, dtype)
        near = NEAR if dtype == torch.float64 else {}
        assert_close(student.call("lstm_step", x, None, stored(cell)), cell(x), "(h, c) from no state", **near)


@exam("test_lstm_step", hint="Gates far in saturation are 0 or 1, and their gradients are zero, not nan: torch.sigmoid and torch.tanh never overflow.")
def step_in_saturation(student, rng):
    student.refusing(*FINISHED)
    cell, x, state = step_case(rng, 4, 3, 5, torch.float64, scale=400.0)
    state = [30 * value for value in state]
    run_step(student, x, state, stored(cell))
    assert_close(student.value("exam_h"), cell(x, state)[0], "h in saturation")
    assert_close(student.value("exam_c"), cell(x, state)[1], "c in saturation")
    wanted = step_gradients(cell, x, state)
    assert_close(student.value("exam_grads"), wanted, "gradients in saturation")


@exam("test_lstm_step", weight=2, hint="The result must stay connected to x, the state and the weights: no detach, no .data, no NumPy on the way.")
def step_gradients_agree(student, rng):
    student.refusing(*FINISHED)
    cell, x, given = step_case(rng, 3, 2, 4, torch.float64)
    for state in (given, None):
        run_step(student, x, state, stored(cell))
        assert_close(student.value("exam_grads"), step_gradients(cell, x, state), "gradients")


@exam("test_lstm_step", hint="A step makes new tensors; the ones it was given must hold the same numbers afterwards.")
def step_leaves_its_inputs(student, rng):
    student.refusing(*FINISHED)
    cell, x, (h, c) = step_case(rng, 2, 3, 4)
    given = [x, (h, c), stored(cell)]
    student.put("exam_given", given)
    student.run("exam_answer = lstm_step(*exam_given)")
    assert_close(student.value("exam_answer"), cell(x, (h, c)), "(h, c)")
    assert_close(student.value("exam_given"), given, "an input after the call", rtol=0, atol=0)


def run_step(student, x, state, weights):
    """Leaves h, c and the gradients of h.sum() + 2 * c.sum() in the student's names exam_h, exam_c, exam_grads."""
    student.put("exam_inputs", [x, *(state or ()), weights["weight_ih"], weights["weight_hh"], weights["bias"]])
    student.run(
        "exam_leaves = [tensor.requires_grad_() for tensor in exam_inputs]\n"
        "exam_h, exam_c = lstm_step(exam_leaves[0], tuple(exam_leaves[1:-3]) or None,"
        " dict(zip(('weight_ih', 'weight_hh', 'bias'), exam_leaves[-3:])))\n"
        "exam_grads = list(torch.autograd.grad(exam_h.sum() + 2 * exam_c.sum(), exam_leaves, materialize_grads=True))"
    )


def step_gradients(cell, x, state):
    """The same gradients from nn.LSTMCell, those of the weights in the stored order."""
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *(state or ()))]
    h, c = cell(leaves[0], tuple(leaves[1:]) or None)
    found = gradients(h.sum() + 2 * c.sum(), None, [*leaves, cell.weight_ih, cell.weight_hh, cell.bias_ih])

    def reorder(gradient):
        i, f, g, o = gradient.chunk(4)
        return torch.cat([g, o, i, f])

    return [*found[:-3], *map(reorder, found[-3:])]


# 2. Cell and load_cell


def put_cell(student, cell):
    """A Cell of the student's with the numbers of this nn.LSTMCell, made without her load_cell."""
    student.put("exam_numbers", [p.detach() for p in (cell.weight_ih, cell.bias_ih, cell.weight_hh, cell.bias_hh)])
    student.run(
        f"exam_cell = Cell({cell.input_size}, {cell.hidden_size}).to(exam_numbers[0].dtype)\n"
        "exam_parameters = [exam_cell.i2h.weight, exam_cell.i2h.bias, exam_cell.h2h.weight, exam_cell.h2h.bias]\n"
        "with torch.no_grad():\n"
        "    for exam_parameter, exam_number in zip(exam_parameters, exam_numbers):\n"
        "        exam_parameter.copy_(exam_number)"
    )


def run_cell(cell, x, state=None):
    """nn.LSTMCell over a batch-first sequence."""
    outputs = []
    for step in x.unbind(1):
        state = cell(step, state)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state


@exam("test_cell", weight=2, hint="One step: the two maps add up, the four blocks lie i, f, g, o, and the new pair comes back as (hidden, state).")
def one_step_of_the_cell(student, rng):
    student.refusing(*FINISHED)
    for batch, features, hidden, dtype in ((3, 4, 5, torch.float32), (1, 1, 1, torch.float64), (2, 6, 2, torch.float64)):
        cell, x, (h, c) = step_case(rng, batch, features, hidden, dtype)
        put_cell(student, cell)
        near = NEAR if dtype == torch.float64 else {}
        assert_close(student.call("exam_cell.forward_cell", x, h, c), cell(x, (h, c)), "(hidden, state)", **near)


@exam("test_cell", weight=2, hint="Each step takes the pair of the step before; every step's h is kept, and x is (batch, time, features).")
def a_sequence_with_state(student, rng):
    student.refusing(*FINISHED)
    for batch, time, features, hidden in ((3, 5, 2, 4), (4, 4, 4, 4)):
        cell, _, state = step_case(rng, batch, features, hidden)
        x = draw(rng, batch, time, features)
        put_cell(student, cell)
        given = [x, state]
        student.put("exam_given", given)
        assert_close(student.value("exam_cell(*exam_given)"), run_cell(cell, x, state), "outputs, (h, c)")
        assert_close(student.value("exam_given"), given, "an input after the call", rtol=0, atol=0)


@exam("test_cell", hint="Without a state both vectors start from zero, in x's dtype, at each call; one step and a batch of one are sequences too.")
def a_sequence_without_state(student, rng):
    student.refusing(*FINISHED)
    for batch, time, dtype in ((2, 3, torch.float32), (1, 1, torch.float64), (3, 6, torch.float64)):
        cell = torch_cell(3, 4, rng, dtype)
        put_cell(student, cell)
        for sequences in (batch, batch, batch + 1):  # no call remembers the one before
            x = draw(rng, sequences, time, 3, dtype=dtype)
            near = NEAR if dtype == torch.float64 else {}
            assert_close(student.call("exam_cell", x), run_cell(cell, x), "outputs, (h, c)", **near)


@exam("test_cell", hint="forward must call self.forward_cell: a subclass with another step then runs over the sequence without a new loop.")
def a_subclass_overrides_the_step(student, rng):
    student.refusing(*FINISHED)
    student.run(
        "class ExamCounter(Cell):\n"
        "    def forward_cell(self, x, hidden, state):\n"
        "        return hidden + x, state + 2 * hidden\n"
        "exam_counter = ExamCounter(3, 3)"
    )
    x, state = draw(rng, 2, 4, 3), [draw(rng, 2, 3), draw(rng, 2, 3)]
    for given in ([tuple(state)], []):
        h, c = state if given else (torch.zeros(2, 3), torch.zeros(2, 3))
        before = torch.cat([h[:, None], h[:, None] + x.cumsum(1)], 1)  # (batch, time + 1, hidden)
        expected = before[:, 1:], (before[:, -1], c + 2 * before[:, :-1].sum(1))
        assert_close(student.call("exam_counter", x, *given), expected, "a subclass's outputs, (h, c)", atol=1e-4)


@exam("test_cell", weight=2, hint="Gradients flow back through every step to x, to both states and to all four parameters: nothing is detached.")
def gradients_through_time(student, rng):
    student.refusing(*FINISHED)
    cell, _, state = step_case(rng, 2, 3, 4, torch.float64)
    x = draw(rng, 2, 30, 3, dtype=torch.float64)
    parameters = [cell.weight_ih, cell.bias_ih, cell.weight_hh, cell.bias_hh]
    put_cell(student, cell)
    for inputs in ([x, *state], [x]):
        student.put("exam_inputs", inputs)
        student.run(
            "exam_leaves = [tensor.requires_grad_() for tensor in exam_inputs]\n"
            "exam_outputs, (exam_h, exam_c) = exam_cell(exam_leaves[0], tuple(exam_leaves[1:]) or None)\n"
            "exam_loss = (exam_outputs ** 2).sum() + exam_h.sum() + 2 * exam_c.sum()\n"
            "exam_grads = list(torch.autograd.grad(exam_loss, exam_leaves + exam_parameters))"
        )
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        outputs, (h, c) = run_cell(cell, leaves[0], tuple(leaves[1:]) or None)
        expected = list(gradients((outputs ** 2).sum() + h.sum() + 2 * c.sum(), None, leaves + parameters))
        assert_close(student.value("exam_grads"), expected, "gradients")


@exam("test_cell", hint="load_cell reads both sizes off the weights, copies all four tensors without rounding, and keeps their dtype; the state_dict stays as it was.")
def loads_sizes_numbers_and_dtype(student, rng):
    for features, hidden, dtype in ((3, 5, torch.float32), (4, 2, torch.float64), (2, 3, torch.float16)):
        cell = torch_cell(features, hidden, rng, dtype)
        check_loaded(student, cell.state_dict(), cell)


@exam("test_cell", hint="A cell with bias=False has only two tensors in its state_dict; your two biases are then zeros of the weights' dtype, each a parameter of its own.")
def loads_a_cell_without_biases(student, rng):
    for dtype in (torch.float32, torch.float64):
        cell = torch_cell(3, 4, rng, dtype)
        numbers = cell.state_dict()
        with torch.no_grad():
            cell.bias_ih.zero_(), cell.bias_hh.zero_()
        check_loaded(student, {name: numbers[name] for name in ("weight_ih", "weight_hh")}, cell)


def check_loaded(student, state_dict, cell):
    student.refusing(*FINISHED)
    state_dict = {name: numbers.clone() for name, numbers in state_dict.items()}
    student.put("exam_state_dict", state_dict)
    student.run("exam_loaded = load_cell(exam_state_dict)")
    assert student.value("isinstance(exam_loaded, Cell)"), "load_cell does not return a Cell"
    sizes = student.value("(int(exam_loaded.input_size), int(exam_loaded.hidden_size))")
    assert_close(sizes, (cell.input_size, cell.hidden_size), "(input_size, hidden_size)")
    expected = dict(zip(("i2h.weight", "h2h.weight", "i2h.bias", "h2h.bias"), (p.detach() for p in cell.parameters())))
    assert_close(student.value("dict(exam_loaded.state_dict())"), expected, "the loaded numbers", rtol=0, atol=0)
    trained = student.value("[p.requires_grad for p in exam_loaded.parameters()]")
    assert trained == [True] * 4, "the loaded numbers are not four parameters that can be trained"
    student.run("with torch.no_grad():\n    for exam_n, exam_p in enumerate(exam_loaded.parameters()):\n        exam_p.fill_(exam_n)")
    filled = student.value("[p.detach() for p in exam_loaded.parameters()]")
    assert all((p == n).all() for n, p in enumerate(filled)), "two of the loaded parameters share their memory"
    assert_close(student.value("dict(exam_state_dict)"), state_dict, "the state_dict after the loaded cell was changed", rtol=0, atol=0)


# 3. init_cell


MAPS = """
class ExamMaps(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)

exam_maps = ExamMaps({features}, {hidden}).to({dtype})
"""


def put_maps(student, features, hidden, dtype="torch.float32"):
    student.refusing(*FINISHED)
    student.run(MAPS.format(features=features, hidden=hidden, dtype=dtype))


def numbers(student, features, hidden):
    found = student.value("{name: p.detach() for name, p in exam_maps.named_parameters()}")
    shapes = {"i2h.weight": (4 * hidden, features), "i2h.bias": (4 * hidden,), "h2h.weight": (4 * hidden, hidden), "h2h.bias": (4 * hidden,)}
    assert {name: tuple(p.shape) for name, p in found.items()} == shapes, "init_cell changes names or shapes of parameters"
    return found


@exam("test_init_cell", weight=2, hint="The forget gate adds the biases of both maps; their sum is what must equal forget_bias, in the second block and in the dtype of the cell.")
def forget_gate_feels_the_bias(student, rng):
    for hidden, wanted in ((3, None), (8, 2.0), (1, -1.0), (6, 0.0), (5, 0.3)):
        put_maps(student, 4, hidden, "torch.float64")
        student.run("init_cell(exam_maps)" if wanted is None else f"init_cell(exam_maps, {wanted})")
        now = numbers(student, 4, hidden)
        felt = (now["i2h.bias"] + now["h2h.bias"])[hidden:2 * hidden]
        expected = torch.full((hidden,), 1.0 if wanted is None else wanted, dtype=torch.float64)
        assert_close(felt, expected, "the forget gate's bias", **NEAR)


@exam("test_init_cell", weight=2, hint="Both ends count: from -sqrt(k) to sqrt(k) with k = 1 / hidden for all four parameters, spread evenly.")
def drawn_evenly_between_the_bounds(student, rng):
    for features, hidden in ((60, 25), (5, 64)):
        put_maps(student, features, hidden)
        student.run("init_cell(exam_maps)")
        bound = 1 / math.sqrt(hidden)
        for name, parameter in drawn(numbers(student, features, hidden), hidden).items():
            check_uniform(parameter.double() / bound, name)


def drawn(parameters, hidden):
    """The numbers that keep what was drawn: all but the biases of the forget gate, in one row for each parameter."""
    kept = {name: p if "weight" in name else torch.cat([p[:hidden], p[2 * hidden:]]) for name, p in parameters.items()}
    return {name: p.flatten() for name, p in kept.items()}


def check_uniform(numbers, name):
    """Numbers from U(-1, 1); the limits are six standard errors wide, and a repeated number is no draw."""
    count = numbers.numel()
    assert numbers.abs().max() <= 1 + 1e-6, f"{name}: {numbers.abs().max():.3f} times the bound is outside"
    assert numbers.unique().numel() > 0.95 * count, f"{name}: numbers repeat"
    for power, mean, spread in ((1, 0.0, 1 / 3), (2, 1 / 3, 4 / 45), (4, 1 / 5, 16 / 225)):
        found, error = (numbers ** power).mean().item(), math.sqrt(spread / count)
        assert abs(found - mean) < 6 * error, f"{name}: mean of power {power} is {found:.3f}, expected {mean:.3f}"


@exam("test_init_cell", hint="Every draw goes on in the generator that was handed over, or in torch's own: the same seed gives the same numbers, the next call others.")
def draws_from_the_generator(student, rng):
    put_maps(student, 3, 6)
    found = []
    for seed, elsewhere in ((7, 1), (7, 2), (8, 1)):
        student.run(f"torch.manual_seed({elsewhere})\nexam_source = torch.Generator().manual_seed({seed})")
        student.run("init_cell(exam_maps, generator=exam_source)")
        found.append(numbers(student, 3, 6))
    assert_close(found.pop(1), found[0], "numbers from the same generator seed", rtol=0, atol=0)
    for arguments in ("generator=exam_source", "", ""):
        student.run(f"init_cell(exam_maps, {arguments})")
        found.append(numbers(student, 3, 6))
    every = torch.cat([p for one in found for p in drawn(one, 6).values()])
    assert every.unique().numel() > every.numel() - 5, "two calls, or two parameters of one call, have the same numbers"


@exam("test_init_cell", hint="Change the numbers inside the parameters that are there: same objects, same dtype, still trained, and return the cell.")
def parameters_stay_parameters(student, rng):
    put_maps(student, 3, 4, "torch.float64")
    before = numbers(student, 3, 4)
    student.run("exam_before = list(exam_maps.parameters())")
    student.run("exam_returned = init_cell(exam_maps)")
    assert student.value("exam_returned is exam_maps"), "init_cell does not return the cell"
    kept = "all(a is b and b.requires_grad and b.is_leaf for a, b in zip(exam_before, exam_maps.parameters()))"
    assert student.value(kept), "parameters were replaced or are no longer trained"
    now = numbers(student, 3, 4)
    for name, parameter in now.items():
        assert parameter.dtype == torch.float64, f"{name} has become {parameter.dtype}"
        assert not torch.equal(drawn(now, 4)[name], drawn(before, 4)[name]), f"{name} is as it was before the call"
    student.put("exam_ones", [torch.ones(1, width, dtype=torch.float64) for width in (3, 4)])
    student.run(  # a plain step of gradient descent: torch.optim takes seconds to load
        "(exam_maps.i2h(exam_ones[0]) + exam_maps.h2h(exam_ones[1])).sum().backward()\n"
        "with torch.no_grad():\n"
        "    for exam_parameter in exam_before:\n"
        "        exam_parameter -= 0.1 * exam_parameter.grad"
    )
    stepped = {name: parameter - 0.1 for name, parameter in now.items()}
    assert_close(numbers(student, 3, 4), stepped, "parameters after a step of gradient descent with the parameters there were before")


# 4. from_onnx


def onnx_case(rng, features, hidden, dtype):
    """W, R, B in ONNX's form and the state_dict they mean, both put together from the same blocks."""
    block = {(gate, kind): draw(rng, hidden, *width, dtype=dtype)
             for gate in "ifgo" for kind, width in (("W", (features,)), ("R", (hidden,)), ("Wb", ()), ("Rb", ()))}

    def stack(order, *kinds):
        return torch.cat([block[gate, kind] for kind in kinds for gate in order])

    given = {"W": stack("iofg", "W")[None], "R": stack("iofg", "R")[None], "B": stack("iofg", "Wb", "Rb")[None]}
    meant = {"weight_ih": stack("ifgo", "W"), "weight_hh": stack("ifgo", "R"),
             "bias_ih": stack("ifgo", "Wb"), "bias_hh": stack("ifgo", "Rb")}
    return given, meant


@exam("test_from_onnx", weight=2, hint="Follow one block: ONNX's second block is o, which is torch's last. B holds the input biases first.")
def converts_blocks_and_biases(student, rng):
    for features, hidden, dtype in ((3, 4, torch.float32), (5, 2, torch.float64), (1, 1, torch.float16)):
        student.refusing(*FINISHED)
        given, meant = onnx_case(rng, features, hidden, dtype)
        assert_close(student.call("from_onnx", **given), meant, "the state_dict", rtol=0, atol=0)


@exam("test_from_onnx", hint="Without B all biases are zeros of the weights' dtype, one vector of 4 * hidden for each of the two.")
def converts_without_biases(student, rng):
    for features, hidden, dtype in ((3, 4, torch.float32), (2, 5, torch.float64)):
        student.refusing(*FINISHED)
        given, meant = onnx_case(rng, features, hidden, dtype)
        zeros = torch.zeros(4 * hidden, dtype=dtype)
        expected = {**meant, "bias_ih": zeros, "bias_hh": zeros}
        assert_close(student.call("from_onnx", given["W"], given["R"]), expected, "the state_dict without B")
        assert_close(student.call("from_onnx", given["W"], given["R"], None), expected, "the state_dict with B=None")


@exam("test_from_onnx", hint="Build new tensors; the file's W, R and B must hold the same numbers afterwards.")
def leaves_the_file_alone(student, rng):
    student.refusing(*FINISHED)
    given, meant = onnx_case(rng, 2, 3, torch.float32)
    student.put("exam_given", given)
    student.run("exam_answer = from_onnx(**exam_given)")
    assert_close(student.value("exam_answer"), meant, "the state_dict", rtol=0, atol=0)
    assert_close(student.value("exam_given"), given, "W, R or B after the call", rtol=0, atol=0)


# 5. the questions

examine_answers(__file__)

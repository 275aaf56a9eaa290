"""Hidden tests of 08_bug_clinic. Expected values come from torch's own layers in the examiner's process.

The released cells define the programs as they came, bugs included, so every part must ask for something that its bug
spoils: the blank release has no point.
"""

import copy

import torch
from torch import nn
from torch.func import functional_call

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

SIZES = ((3, 5), (4, 2))  # batch and time of a plain case


def draw(rng, *shape, dtype=torch.float32, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


class Healthy(nn.Module):
    """A program with the modules of the student's and numbers drawn from rng; `answer(self, *inputs)` is what it should give."""

    def __init__(self, rng, dtype, answer, **modules):
        super().__init__()
        self.answer = answer
        for name, module in modules.items():
            setattr(self, name, module)
        self.to(dtype)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(draw(rng, *parameter.shape, dtype=dtype, scale=0.6))

    def forward(self, *inputs):
        return self.answer(self, *inputs)


def admit(student, build, healthy):
    """The student's program as exam_model, with the healthy one's numbers."""
    numbers = {name: value.detach().clone() for name, value in healthy.state_dict().items()}
    student.put("exam_numbers", numbers)
    dtype = next(iter(numbers.values())).dtype
    student.run(f"exam_model = {build}.to({dtype})\nexam_model.load_state_dict(exam_numbers, strict=False)")


def check_answers(student, healthy, *inputs, what):
    """In both modes, with other numbers, the answer is the healthy one's, twice in a row, and the inputs stay as they were."""
    student.put("exam_inputs", inputs)
    for mode in ("train", "eval"):
        student.run(f"exam_model.{mode}()\nwith torch.no_grad():\n    for exam_parameter in exam_model.parameters():\n        exam_parameter *= 0.8")
        with torch.no_grad():
            for parameter in healthy.parameters():
                parameter *= 0.8
        for _ in range(2):
            student.run("exam_answer = exam_model(*exam_inputs)")
            assert_close(student.value("exam_answer"), healthy(*inputs), f"{what} in mode {mode}")
    assert_close(student.value("exam_inputs"), inputs, "the inputs afterwards", rtol=0, atol=0)


def leaves(inputs):
    """The floating tensors among the inputs as fresh leaves that want a gradient; the rest as it is."""
    if isinstance(inputs, torch.Tensor):
        return inputs.detach().clone().requires_grad_(inputs.is_floating_point())
    return type(inputs)(map(leaves, inputs)) if isinstance(inputs, tuple | list) else inputs


def flat(value):
    """All tensors in nested tuples and lists, in order."""
    return [value] if isinstance(value, torch.Tensor) else [tensor for item in value or () for tensor in flat(item)]


def check_gradients(student, rng, healthy, *inputs):
    """Gradients of a random weighted sum of all outputs, to the inputs and to each parameter; the outputs too."""
    own = leaves(inputs)
    outputs = flat(healthy(*own))
    directions = [draw(rng, *output.shape, dtype=output.dtype) for output in outputs]
    sum((output * direction).sum() for output, direction in zip(outputs, directions)).backward()
    student.put("exam_inputs", inputs)
    student.put("exam_directions", directions)
    student.run(
        "def exam_flat(value):\n"
        "    return [value] if isinstance(value, torch.Tensor) else [tensor for item in value or () for tensor in exam_flat(item)]\n"
        "exam_leaves = [leaf for leaf in exam_flat(exam_inputs) if leaf.is_floating_point()]\n"
        "for exam_leaf in exam_leaves:\n"
        "    exam_leaf.requires_grad_()\n"
        "exam_outputs = exam_flat(exam_model(*exam_inputs))\n"
        "sum((output * direction).sum() for output, direction in zip(exam_outputs, exam_directions)).backward()"
    )
    assert_close(student.value("[output.detach() for output in exam_outputs]"), [output.detach() for output in outputs], "the outputs")
    assert_close(student.value("[leaf.grad for leaf in exam_leaves]"), [leaf.grad for leaf in flat(own) if leaf.is_leaf and leaf.requires_grad],
                 "gradients to the inputs")
    assert_close(student.value("{name: parameter.grad for name, parameter in exam_model.named_parameters()}"),
                 {name: parameter.grad for name, parameter in healthy.named_parameters()}, "gradients to the parameters")


# 1. Reviews


def reviews(student, rng, words, width, hidden, dtype=torch.float32):
    def answer(self, tokens):
        output, _ = self.lstm(self.embed(tokens), (torch.zeros(2, len(tokens), hidden, dtype=dtype),) * 2)
        return self.score(output[:, -1])

    healthy = Healthy(rng, dtype, answer, embed=nn.Embedding(words, width),
                      lstm=nn.LSTM(width, hidden, num_layers=2, batch_first=True), score=nn.Linear(hidden, 2))
    admit(student, f"Reviews({words}, {width}, {hidden})", healthy)
    return healthy


def tokens(rng, words, batch, time):
    return torch.from_numpy(rng.integers(words, size=(batch, time)))


@exam("test_reviews", weight=2, hint="Both h and c start from zeros, at every call, in training as in evaluation.")
def reviews_start_from_nothing(student, rng):
    for batch, time in SIZES:
        healthy, words = reviews(student, rng, 13, 4, 6), tokens(rng, 13, batch, time)
        check_answers(student, healthy, words, what="scores")
        more = tokens(rng, 13, batch + 1, time)
        assert_close(student.call("exam_model", more), healthy(more), "scores of more reviews")


@exam("test_reviews", hint="Whatever the state is made of, it has the dtype of x and the size of this batch.")
def reviews_of_other_kinds(student, rng):
    for batch, time in ((1, 1), (1, 4), (5, 3)):
        healthy, words = reviews(student, rng, 7, 3, 5, torch.float64), tokens(rng, 7, batch, time)
        assert_close(student.call("exam_model", words), healthy(words), "scores in float64")


@exam("test_reviews", hint="The start is zeros and nothing else; the gradients then are those of nn.LSTM without a state.")
def reviews_learn(student, rng):
    healthy, words = reviews(student, rng, 9, 3, 4, torch.float64), tokens(rng, 9, 3, 5)
    check_gradients(student, rng, healthy, words)


# 2. Motion


def motion(student, rng, channels, width, hidden, classes, dtype=torch.float32):
    def answer(self, signal):
        last = [self.lstm(x.T)[0][-1] for x in self.smooth(signal).relu()]  # each recording by itself
        return self.classify(torch.stack(last))

    healthy = Healthy(rng, dtype, answer, smooth=nn.Conv1d(channels, width, 3, padding=1), lstm=nn.LSTM(width, hidden),
                      classify=nn.Linear(hidden, classes))
    admit(student, f"Motion({channels}, {width}, {hidden}, {classes})", healthy)
    return healthy


@exam("test_motion", weight=2, hint="The layer walks along time, each recording by itself; what is classified is the last step of every recording.")
def recordings_by_themselves(student, rng):
    for batch, time in (*SIZES, (4, 4)):
        healthy, signal = motion(student, rng, 3, 4, 5, 2), draw(rng, batch, 3, time, scale=3.0)
        check_answers(student, healthy, signal, what="classes")


@exam("test_motion", hint="A batch of one is a batch: the answer is (1, classes). A recording of one step is a recording.")
def a_single_recording(student, rng):
    for batch, time, hidden in ((1, 6, 3), (1, 2, 1), (3, 1, 2)):
        healthy, signal = motion(student, rng, 2, 3, hidden, 4, torch.float64), draw(rng, batch, 2, time, dtype=torch.float64)
        assert_close(student.call("exam_model", signal), healthy(signal), "classes")


@exam("test_motion", hint="Each answer's gradient reaches every step of its own recording, and no other recording.")
def recordings_learn(student, rng):
    healthy, signal = motion(student, rng, 2, 3, 4, 3, torch.float64), draw(rng, 3, 2, 5, dtype=torch.float64)
    check_gradients(student, rng, healthy, signal)


# 3. OneMatrix


def one_matrix(student, rng, features, hidden, dtype=torch.float32):
    def answer(self, x):
        weight_ih, weight_hh = self.gates.weight.split([features, hidden], dim=1)
        numbers = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh, "bias_ih_l0": self.gates.bias,
                   "bias_hh_l0": torch.zeros_like(self.gates.bias)}
        output, (h, c) = functional_call(nn.LSTM(features, hidden, dtype=dtype), numbers, (x,))
        return output, (h[0], c[0])

    healthy = Healthy(rng, dtype, answer, gates=nn.Linear(features + hidden, 4 * hidden))
    admit(student, f"OneMatrix({features}, {hidden})", healthy)
    return healthy


@exam("test_one_matrix", weight=2, hint="Write the five lines of one step beside the equations: where does each tanh stand, and how often?")
def steps_of_one_matrix(student, rng):
    for batch, time in SIZES:
        healthy, x = one_matrix(student, rng, 3, 5), draw(rng, time, batch, 3)
        check_answers(student, healthy, x, what="output, (h, c)")


@exam("test_one_matrix", hint="With open gates c adds up over the steps, beyond 1: nothing limits the memory itself.")
def one_matrix_adds_up(student, rng):
    healthy = one_matrix(student, rng, 2, 3, torch.float64)
    with torch.no_grad():
        healthy.gates.weight.mul_(0.2)
        for gate, bias in enumerate((3.0, 4.0, 1.0, 2.0)):
            healthy.gates.bias[3 * gate:3 * gate + 3] = bias
    admit(student, "OneMatrix(2, 3)", healthy)
    x = draw(rng, 20, 1, 2, dtype=torch.float64, scale=0.3)
    assert_close(student.call("exam_model", x), healthy(x), "output, (h, c) after 20 steps")


@exam("test_one_matrix", hint="Gradients flow through every gate and every step: nothing is detached on the way.")
def one_matrix_learns(student, rng):
    healthy, x = one_matrix(student, rng, 3, 2, torch.float64), draw(rng, 25, 2, 3, dtype=torch.float64)
    check_gradients(student, rng, healthy, x)


# 4. Sentences


def sentences(student, rng, features, hidden, lengths, dtype=torch.float32):
    def answer(self, sentences):
        return torch.stack([self.lstm(sentence)[1][0].flatten() for sentence in sentences])  # each by itself

    healthy = Healthy(rng, dtype, answer, lstm=nn.LSTM(features, hidden, bidirectional=True))
    admit(student, f"Sentences({features}, {hidden})", healthy)
    return healthy, [draw(rng, length, features, dtype=dtype) for length in lengths]


@exam("test_sentences", weight=2, hint="A sentence has the same vector in every company, and stands at its place in the list, whatever the order of lengths; the list is not changed.")
def sentences_in_any_order(student, rng):
    for lengths in ((3, 6, 1, 4), (5, 2), (2, 2, 7)):
        healthy, given = sentences(student, rng, 3, 4, lengths)
        check_answers(student, healthy, given, what="vectors")


@exam("test_sentences", hint="Both directions skip the padding, and nothing else: a word of zeros is a word. The dtype is that of the sentences.")
def sentences_of_other_kinds(student, rng):
    for lengths in ((9, 8, 1), (1, 2), (6,)):
        healthy, given = sentences(student, rng, 2, 3, lengths, torch.float64)
        given[-1][-1] = 0
        assert_close(student.call("exam_model", given), healthy(given), "vectors in float64")


@exam("test_sentences", hint="Gradients reach every word of every sentence, and the weights of both directions.")
def sentences_learn(student, rng):
    healthy, given = sentences(student, rng, 2, 3, (5, 3, 1), torch.float64)
    check_gradients(student, rng, healthy, given)


# 5. LongReader


def long_reader(student, rng, features, hidden, window, dtype=torch.float32):
    healthy = Healthy(rng, dtype, lambda self, *inputs: self.lstm(*inputs), lstm=nn.LSTM(features, hidden, batch_first=True))
    admit(student, f"LongReader({features}, {hidden}, {window})", healthy)
    return healthy


def state_of(rng, batch, hidden, dtype=torch.float32):
    return draw(rng, 1, batch, hidden, dtype=dtype), draw(rng, 1, batch, hidden, dtype=dtype)


@exam("test_long_reader", hint="The windows follow one another along time: every step stands where it stood in x, and the state goes on.")
def windows_in_order(student, rng):
    for batch, time, window in ((3, 6, 2), (2, 8, 4), (4, 5, 1)):
        healthy, x, state = long_reader(student, rng, 3, 4, window), draw(rng, batch, time, 3), state_of(rng, batch, 4)
        check_answers(student, healthy, x, state, what="output, (h, c) from a state")
        check_answers(student, healthy, x, what="output, (h, c)")


@exam("test_long_reader", hint="The windows are what the program is for: mend how they are joined, and leave them.")
def windows_remain(student, rng):
    for window in (2, 1, 4):
        healthy, x = long_reader(student, rng, 3, 4, window), draw(rng, 3, 6, 3)
        student.put("exam_x", x)
        student.run(
            "exam_sizes = []\n"
            "def exam_hook(module, args, named):\n"
            "    exam_sizes.append((*args, *named.values())[0].shape[1])\n"
            "exam_model.lstm.register_forward_pre_hook(exam_hook, with_kwargs=True)\n"
            "exam_answer = exam_model(exam_x)"
        )
        assert_close(student.value("exam_answer"), healthy(x), "output, (h, c)")
        assert student.value("max(exam_sizes, default=0)") <= window, "self.lstm got more than a window at once"


@exam("test_long_reader", hint="The last window may be shorter than the others: join pieces along the dimension in which they differ.")
def a_shorter_last_window(student, rng):
    for batch, time, window in ((3, 7, 3), (1, 5, 4), (2, 3, 2), (2, 3, 5)):
        healthy, x = long_reader(student, rng, 2, 3, window, torch.float64), draw(rng, batch, time, 2, dtype=torch.float64)
        assert_close(student.call("exam_model", x), healthy(x), "output, (h, c)")


@exam("test_long_reader", hint="The gradients are those of one go: they pass from window to window, back to the given state.")
def long_reader_learns(student, rng):
    healthy, x = long_reader(student, rng, 2, 3, 2, torch.float64), draw(rng, 2, 25, 2, dtype=torch.float64)
    check_gradients(student, rng, healthy, x, state_of(rng, 2, 3, torch.float64))
    check_gradients(student, rng, healthy, x)


# 6. Tower


def tower(student, rng, features, hidden, layers, dtype=torch.float32):
    def answer(self, x):
        numbers = {f"{name}_l{k}": parameter for k, cell in enumerate(self.cells) for name, parameter in cell.named_parameters()}
        return functional_call(nn.LSTM(features, hidden, num_layers=layers, dtype=dtype), numbers, (x,))

    sizes = [features] + [hidden] * (layers - 1)
    healthy = Healthy(rng, dtype, answer, cells=nn.ModuleList(nn.LSTMCell(size, hidden) for size in sizes))
    admit(student, f"Tower({features}, {hidden}, {layers})", healthy)
    return healthy


@exam("test_tower", weight=2, hint="Every layer hands on h, the lowest as well as those above, and the top one puts h out.")
def towers_of_several_layers(student, rng):
    for (batch, time), layers in zip((*SIZES, (2, 3)), (2, 3, 4)):
        healthy, x = tower(student, rng, 3, 5, layers), draw(rng, time, batch, 3)
        check_answers(student, healthy, x, what="output, (h, c)")


@exam("test_tower", hint="One layer, one step, one sequence, float64: new tensors take their size and dtype from what is there.")
def towers_of_other_kinds(student, rng):
    for batch, time, features, layers in ((1, 1, 1, 1), (1, 4, 2, 2), (3, 2, 4, 3)):
        healthy, x = tower(student, rng, features, 4, layers, torch.float64), draw(rng, time, batch, features, dtype=torch.float64)
        assert_close(student.call("exam_model", x), healthy(x), "output, (h, c)")


@exam("test_tower", hint="The gradient goes down through every layer and back through every step.")
def towers_learn(student, rng):
    healthy, x = tower(student, rng, 3, 4, 3, torch.float64), draw(rng, 25, 2, 3, dtype=torch.float64)
    check_gradients(student, rng, healthy, x)


# 7. from_tensorflow


def tensorflow(kernel, bias, x):
    """BasicLSTMCell over (time, batch, features), as TensorFlow 1 writes it."""
    h = c = x.new_zeros(x.shape[1], len(bias) // 4)
    outputs = []
    for step in x:
        i, j, f, o = (torch.cat([step, h], 1) @ kernel + bias).chunk(4, 1)
        c = c * torch.sigmoid(f + 1.0) + torch.sigmoid(i) * torch.tanh(j)
        h = torch.tanh(c) * torch.sigmoid(o)
        outputs.append(h)
    return torch.stack(outputs)


def put_file(student, rng, features, hidden, dtype=torch.float32):
    kernel, bias = draw(rng, features + hidden, 4 * hidden, dtype=dtype, scale=0.7), draw(rng, 4 * hidden, dtype=dtype)
    student.put("exam_kernel", kernel)
    student.put("exam_bias", bias)
    student.run("exam_lstm = from_tensorflow(exam_kernel, exam_bias)")
    return kernel, bias


@exam("test_from_tensorflow", weight=2, hint="Follow each block of kernel and bias, and the 1, to the gate it belongs to: TensorFlow's second block is the candidate.")
def blocks_at_their_gates(student, rng):
    for (batch, time), features, hidden in zip(SIZES, (4, 2), (3, 5)):
        kernel, bias = put_file(student, rng, features, hidden)
        x = draw(rng, time, batch, features)
        assert student.value("isinstance(exam_lstm, torch.nn.LSTM)"), "from_tensorflow does not return an nn.LSTM"
        assert_close(student.call("exam_lstm", x)[0], tensorflow(kernel, bias, x), "output")


@exam("test_from_tensorflow", hint="The layer has the dtype of the kernel, and its sizes follow from the kernel's and the bias's.")
def files_of_other_kinds(student, rng):
    for features, hidden in ((1, 1), (5, 2), (2, 2)):
        kernel, bias = put_file(student, rng, features, hidden, torch.float64)
        x = draw(rng, 5, 1, features, dtype=torch.float64)
        assert_close(student.call("exam_lstm", x)[0], tensorflow(kernel, bias, x), "output in float64")


@exam("test_from_tensorflow", hint="The layer's numbers are its own and can be trained; kernel and bias hold what they held before.")
def numbers_of_its_own(student, rng):
    kernel, bias = put_file(student, rng, 3, 4, torch.float64)
    x = draw(rng, 4, 2, 3, dtype=torch.float64)
    assert_close(student.call("exam_lstm", x)[0], tensorflow(kernel, bias, x), "output")
    assert student.value("all(p.requires_grad and p.is_leaf for p in exam_lstm.parameters())"), "the numbers cannot be trained"
    student.run("with torch.no_grad():\n    for exam_parameter in exam_lstm.parameters():\n        exam_parameter.fill_(7.0)")
    assert_close(student.value("[exam_kernel, exam_bias]"), [kernel, bias], "kernel and bias afterwards", rtol=0, atol=0)


# 8. Gauge


def gauge(student, rng, features, hidden, dtype=torch.float32):
    healthy = Healthy(rng, dtype, None, lstm=nn.LSTM(features, hidden), forecast=nn.Linear(hidden, features))
    admit(student, f"Gauge({features}, {hidden})", healthy)
    return healthy


def go_on(healthy, x, state):
    """One call: the forecast, and the state as bare numbers."""
    output, state = healthy.lstm(x, state)
    return healthy.forecast(output), tuple(part.detach() for part in state)


@exam("test_gauge", weight=2, hint="Numbers go on from call to call, graphs do not: forward, backward and a training step work for window after window.")
def trained_window_by_window(student, rng):
    for lengths in ((3, 3, 3), (4, 1, 2)):
        healthy = gauge(student, rng, 2, 4, torch.float64)
        windows = [draw(rng, length, 3, 2, dtype=torch.float64) for length in lengths]
        student.put("exam_windows", windows)
        student.run(  # a plain step of gradient descent: torch.optim takes seconds to load
            "exam_found = []\n"
            "for exam_window in exam_windows:\n"
            "    exam_model.zero_grad()\n"
            "    exam_forecast = exam_model(exam_window)\n"
            "    (exam_forecast ** 2).sum().backward()\n"
            "    with torch.no_grad():\n"
            "        for exam_parameter in exam_model.parameters():\n"
            "            exam_parameter -= 0.1 * exam_parameter.grad\n"
            "    exam_found.append(exam_forecast.detach())"
        )
        trained, state, expected = copy.deepcopy(healthy), None, []
        for window in windows:
            trained.zero_grad()
            forecast, state = go_on(trained, window, state)
            (forecast ** 2).sum().backward()
            with torch.no_grad():
                for parameter in trained.parameters():
                    parameter -= 0.1 * parameter.grad
            expected.append(forecast.detach())
        assert_close(student.value("exam_found"), expected, "forecasts of each window")
        assert_close(student.value("{name: p.detach() for name, p in exam_model.named_parameters()}"),
                     {name: p.detach() for name, p in trained.named_parameters()}, "parameters after training")


@exam("test_gauge", hint="Within a call the gradient reaches every step of its input; only what is kept for the next call is cut off.")
def gradients_end_with_the_call(student, rng):
    healthy = gauge(student, rng, 2, 3, torch.float64)
    windows = [draw(rng, 3, 2, 2, dtype=torch.float64) for _ in range(3)]
    student.put("exam_windows", windows)
    student.run(
        "exam_leaves = [window.requires_grad_() for window in exam_windows]\n"
        "exam_grads = []\n"
        "for exam_leaf in exam_leaves:\n"
        "    exam_loss = (exam_model(exam_leaf) ** 2).sum()\n"
        "    exam_found = torch.autograd.grad(exam_loss, exam_leaves, allow_unused=True)\n"
        "    exam_grads.append([torch.zeros_like(x) if g is None else g for x, g in zip(exam_leaves, exam_found)])"
    )
    expected, state = [], None
    for window in windows:
        leaf = window.clone().requires_grad_()
        forecast, state = go_on(healthy, leaf, state)
        (gradient,) = torch.autograd.grad((forecast ** 2).sum(), leaf)
        expected.append([gradient if other is window else torch.zeros_like(other) for other in windows])
    assert_close(student.value("exam_grads"), expected, "gradients of each call to each window")


@exam("test_gauge", hint="reset() empties the memory, and nothing else does; after it the batch may have another size. Each gauge has a memory of its own.")
def reset_and_go_on(student, rng):
    healthy = gauge(student, rng, 1, 3)
    student.run("exam_other = Gauge(1, 3)")
    for batch in (3, 1):
        state = None
        for length, mode in ((2, "eval"), (4, "eval"), (3, "train")):
            x = draw(rng, length, batch, 1)
            forecast, state = go_on(healthy, x, state)
            student.put("exam_x", x)
            student.run(f"exam_model.{mode}()\nexam_forecast = exam_model(exam_x)\nexam_forecast.sum().backward()\nexam_other(exam_x), exam_other.reset()")
            assert_close(student.value("exam_forecast"), forecast, "forecast")
        for length in (2, 3):
            x = draw(rng, length, batch, 1)
            forecast, state = go_on(healthy, x, state)
            student.put("exam_x", x)
            student.run("with torch.no_grad():\n    exam_forecast = exam_model(exam_x)")
            assert_close(student.value("exam_forecast"), forecast, "forecast without a graph")
        student.run("exam_model.reset()")


# 9. The names


NAMES = {
    "Reviews": ("G", "The same words, the same weights: what else is new at each call?"),
    "Motion": ("F", "Whose steps did the layer take for a sequence?"),
    "OneMatrix": ("L", "Compare the way of z_g with the equation."),
    "Sentences": ("B", "What stood between the last word and the answer?"),
    "LongReader": ("K", "What is the number of dimensions before the reshape?"),
    "Tower": ("D", "What is the last of the two states that a cell returns?"),
    "from_tensorflow": ("H", "The numbers were right. Their places were not."),
    "Gauge": ("I", "What else than numbers was kept?"),
}


def right_name(program, letter):
    def examine(student, rng):
        given = student.value("names")
        assert isinstance(given, dict), "names is no dict"
        assert given.get(program) == letter, f"{program} is {given.get(program)!r}, right is {letter}"
        assert list(given.values()).count(letter) == 1, f"{letter} stands at several programs"

    examine.__name__ = f"name_of_{program}"
    return examine


for _program, (_letter, _hint) in NAMES.items():
    exam("test_names", hint=f"{_program}: {_hint}")(right_name(_program, _letter))


# 10. The questions

examine_answers(__file__)

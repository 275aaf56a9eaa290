"""Hidden tests of 06_training. Expected numbers come from plain loops in the examiner's process, data from `rng`."""

import math
from importlib.resources import files

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from grading.exam import assert_close, exam
from grading.quiz_cells import examine_answers

LIMITS = {"seconds": 180, "part_seconds": 20}


def draw(rng, *shape, dtype=torch.float64, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)


# 1. clip


CLIP = "torch.nn.utils.clip_grad"
SHAPES = ((3, 2), (4,), (2, 1, 3), (1,))


def run_clip(student, gradients, limit, walk="list"):
    """Leaves the gradients afterwards in exam_found; returns the norm that the student's clip gave."""
    student.refusing(CLIP)
    student.put("exam_gradients", gradients)
    student.run(
        "import torch as exam_torch\n"
        "exam_parameters = [exam_torch.nn.Parameter(exam_torch.zeros(2) if g is None else exam_torch.ones_like(g))"
        " for g in exam_gradients]\n"
        "for exam_parameter, exam_gradient in zip(exam_parameters, exam_gradients):\n"
        "    exam_parameter.grad = exam_gradient\n"
        f"exam_norm = clip({walk}(exam_parameters), {limit!r})\n"
        "exam_found = [p.grad for p in exam_parameters]\n"
        "exam_untouched = all(bool((p == (0 if g is None else 1)).all()) for p, g in zip(exam_parameters, exam_gradients))"
    )
    assert student.value("exam_untouched"), "clip changed a parameter"
    return student.value("float(exam_norm)")


def length(gradients):
    return math.sqrt(sum(g.double().square().sum().item() for g in gradients if g is not None))


def check_clip(student, gradients, limit, walk="list"):
    norm = length(gradients)
    factor = min(1, limit / norm) if norm else 1
    assert_close(run_clip(student, gradients, limit, walk), norm, "the norm", rtol=1e-4, atol=1e-6)
    expected = [None if g is None else g * factor for g in gradients]
    assert_close(student.value("exam_found"), expected, "the gradients", rtol=1e-4, atol=1e-6)


@exam("test_clip", weight=2, hint="One factor, limit over the norm of all gradients together, scales every gradient; parameters without one are passed over.")
def one_factor_for_all(student, rng):
    for dtype, limit in ((torch.float64, 1.5), (torch.float32, 0.25), (torch.float32, 3)):
        gradients = [draw(rng, *shape, dtype=dtype, scale=2.0) for shape in SHAPES]
        check_clip(student, [gradients[0], None, *gradients[1:]], limit)
    check_clip(student, [draw(rng, *shape, scale=0.1) for shape in SHAPES], 0.02)


@exam("test_clip", hint="A norm of at most limit leaves every gradient as it is; nothing is scaled up, and zero is a norm too.")
def small_gradients_stay(student, rng):
    gradients = [draw(rng, *shape, scale=0.1) for shape in SHAPES]
    check_clip(student, gradients, 1e3)
    check_clip(student, [torch.zeros(2, 3), None, torch.zeros(1)], 1.0)
    check_clip(student, [None, None], 1.0)


@exam("test_clip", hint="Something like model.parameters() can be walked through only once: collect what you need on that one walk.")
def walks_once(student, rng):
    check_clip(student, [draw(rng, *shape, scale=3.0) for shape in SHAPES], 0.5, walk="iter")


@exam("test_clip", hint="The norm is returned as a Python float: `.item()` takes the number out of a tensor.")
def norm_is_a_number(student, rng):
    for gradients in ([draw(rng, *shape) for shape in SHAPES], [None]):
        check_clip(student, gradients, 1.0)
        assert student.value("isinstance(exam_norm, (float, int))"), "the norm is no Python float"


@exam("test_clip", hint="With an inf or a nan anywhere, all gradients become exactly zero, also those of the other parameters.")
def broken_gradients_become_zero(student, rng):
    for broken in (math.inf, -math.inf, math.nan):
        gradients = [draw(rng, *shape, dtype=torch.float32) for shape in SHAPES]
        gradients[int(rng.integers(len(SHAPES)))].view(-1)[0] = broken
        norm = run_clip(student, [gradients[0], None, *gradients[1:]], 1.0, walk="iter")
        assert not math.isfinite(norm), f"the norm is {norm}, and a gradient holds {broken}"
        assert_close(student.value("exam_found"), [torch.zeros_like(gradients[0]), None, *map(torch.zeros_like, gradients[1:])], f"gradients with {broken}", rtol=0, atol=0)


# 2. train


NET = """
from torch import is_grad_enabled as exam_grad_enabled, nn as exam_nn


class ExamNet(exam_nn.Module):
    def __init__(self):
        super().__init__()
        self.memory, self.readout = exam_nn.LSTM(2, 3, batch_first=True), exam_nn.Linear(3, 2)
        self.modes, self.passes = [], ""
        self.readout.bias.register_hook(self.went_back)

    def went_back(self, gradient):
        self.passes += "b"

    def forward(self, x):
        self.modes.append(self.training)
        self.passes += "f" * exam_grad_enabled()
        return self.readout(self.memory(x)[0][:, -1])
"""


def make_net(rng):
    names = {}
    exec(NET, names)
    net = names["ExamNet"]().double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(draw(rng, *parameter.shape, scale=0.7))
    return net


def draw_pieces(rng, count):
    """Pieces of growing size of error, so that steps differ in norm."""
    return [(draw(rng, 4, 5, 2), draw(rng, 4, 2, scale=1.0 + n)) for n in range(count)]


def expected_training(net, pieces, parts, limit, rate):
    """The loop on the whole batch of each step."""
    losses, norms = [], []
    for start in range(0, len(pieces), parts):
        x, target = (torch.cat(tensors) for tensors in zip(*pieces[start:start + parts]))
        loss = F.mse_loss(net(x), target)
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        norm = length(gradients)
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients):
                parameter -= rate * gradient * min(1, limit / norm)
        losses.append(loss.item())
        norms.append(norm)
    return {name: value.clone() for name, value in net.state_dict().items()}, losses, norms


def run_train(student, net, pieces, parts, limit, rate=0.2, before=""):
    """The student's train on the same net; its weights, losses and norms stay in exam_net, exam_losses, exam_norms."""
    student.put("exam_state", dict(net.state_dict()))
    student.put("exam_pieces", pieces)
    student.run(NET)
    student.run(
        "import torch as exam_torch\n"
        "exam_net = ExamNet().double()\n"
        "exam_net.load_state_dict(exam_state)\n"
        f"exam_optimizer = exam_torch.optim.SGD(exam_net.parameters(), lr={rate})\n"
        "exam_waiting = iter(exam_pieces)\n"
        f"{before}\n"
        f"exam_losses, exam_norms = train(exam_net, lambda: next(exam_waiting), exam_optimizer,"
        f" {len(pieces) // parts}, {parts}, {limit})\n"
        "exam_left = len(list(exam_waiting))"
    )
    assert student.value("exam_left") == 0, "not all pieces were drawn"


def check_training(student, rng, steps, parts, limit, before=""):
    net, pieces = make_net(rng), draw_pieces(rng, steps * parts)
    run_train(student, net, pieces, parts, limit, before=before)
    weights, losses, norms = expected_training(net, pieces, parts, limit, rate=0.2)
    assert_close(student.value("dict(exam_net.state_dict())"), weights, "the weights", rtol=1e-4, atol=1e-5)
    return norms


@exam("test_train", hint="Follow two steps with parts=1: each step must go down its own gradient, of its own loss.")
def plain_steps(student, rng):
    check_training(student, rng, steps=6, parts=1, limit=1e6)


@exam("test_train", weight=2, hint="Within a step the gradients of the pieces add up to that of their mean loss; before the next step they are emptied.")
def steps_of_several_pieces(student, rng):
    check_training(student, rng, steps=4, parts=3, limit=1e6)
    check_training(student, rng, steps=1, parts=5, limit=1e6)


@exam("test_train", weight=2, hint="The gradient of the whole step is clipped by its norm, once, when the last piece has been added and before the optimizer steps.")
def clips_the_whole_step(student, rng):
    norms = check_training(student, rng, steps=5, parts=1, limit=0.7)
    assert max(norms) > 0.7  # ours: the case would not ask for clipping
    check_training(student, rng, steps=3, parts=4, limit=0.5)


@exam("test_train", hint="A piece goes forward and backward before the next one does; the model is never given all pieces at once.")
def one_piece_at_a_time(student, rng):
    check_training(student, rng, steps=2, parts=3, limit=1e6)
    passes = student.value("exam_net.passes")
    assert passes.count("f") >= 6 and "ff" not in passes, f"forward and backward passes for six pieces: {passes}"


@exam("test_train", hint="A gradient may already be there when train begins; it belongs to nothing that train is asked to do.")
def forgets_older_gradients(student, rng):
    stale = "for exam_parameter in exam_net.parameters():\n    exam_parameter.grad = exam_torch.ones_like(exam_parameter)"
    check_training(student, rng, steps=3, parts=1, limit=1e6, before=stale)


@exam("test_train", hint="The model is in training mode at every forward pass, whatever mode it came in, and in evaluation mode afterwards.")
def modes_before_and_after(student, rng):
    for mode in ("exam_net.eval()", "exam_net.train()"):
        run_train(student, make_net(rng), draw_pieces(rng, 4), 2, 1.0, before=mode)
        assert student.value("len(exam_net.modes) > 0 and all(exam_net.modes)"), "a forward pass in evaluation mode"
        assert not student.value("any(module.training for module in exam_net.modules())"), "left in training mode"


@exam("test_train", hint="One loss and one norm for each step, as plain floats: the mean over its pieces, and the norm that was there before clipping.")
def records_of_each_step(student, rng):
    for steps, parts in ((1, 3), (1, 1), (4, 2)):
        net, pieces = make_net(rng), draw_pieces(rng, steps * parts)
        run_train(student, net, pieces, parts, limit=0.5, rate=0.0)
        _, losses, norms = expected_training(net, pieces, parts, limit=0.5, rate=0.0)
        for name, expected in (("losses", losses), ("norms", norms)):
            assert student.value(f"all(isinstance(number, float) for number in exam_{name})"), f"{name} are no floats"
            found = student.value(f"[float(number) for number in exam_{name}]")
            assert len(found) == steps, f"{len(found)} {name} of {steps} steps"
            assert_close(found, expected, name, rtol=1e-4, atol=1e-5)


# 3 and 4. what the networks reach


def ask(student, function, network, x):
    """The answers of predict_sum or forecast, one float for each row of x."""
    student.put("exam_x", x)
    student.run(f"exam_answers = {function}({network}, exam_x)")
    answers = student.value("exam_answers")
    assert isinstance(answers, torch.Tensor) and answers.shape == (len(x),), f"the answers to {len(x)} are no tensor ({len(x)},)"
    assert answers.is_floating_point() and answers.isfinite().all(), "answers that are no finite floats"
    return answers.detach().float()


def ask_without_memory(student, function, network, x, fill="zero_()"):
    """The answers while all parameters of the network's LSTM are zero, or filled with other numbers."""
    student.run(
        "import torch as exam_torch\n"
        f"exam_layers = [module for module in {network}.modules() if isinstance(module, exam_torch.nn.LSTM)]\n"
        "exam_memory = [p for layer in exam_layers for p in layer.parameters()]\n"
        "exam_kept = [p.detach().clone() for p in exam_memory]\n"
        "for exam_parameter in exam_memory:\n"
        f"    exam_parameter.detach().{fill}"
    )
    answers = ask(student, function, network, x)
    student.run("for exam_parameter, exam_old in zip(exam_memory, exam_kept):\n    exam_parameter.detach().copy_(exam_old)")
    return answers


def check_one_by_one(student, function, network, x):
    together = ask(student, function, network, x)
    for rows in (slice(0, 1), slice(1, 4), slice(len(x) - 1, None)):
        assert_close(ask(student, function, network, x[rows]), together[rows], "the same rows asked alone", rtol=1e-3, atol=1e-3)


def check_evaluation(student, function, network, x):
    student.run(
        "import torch as exam_torch\n"
        f"exam_modes, exam_network, {network} = [], {network}, None\n"
        "for exam_layer in exam_network.modules():\n"
        "    if isinstance(exam_layer, exam_torch.nn.LSTM):\n"
        "        exam_layer.register_forward_pre_hook(lambda layer, args: exam_modes.append(layer.training))\n"
        "exam_network.train()"
    )
    network = "exam_network"  # its old name holds nothing now
    one = ask(student, function, network, x)
    assert not student.value("any(exam_modes)"), "the LSTM ran in training mode"
    assert not student.value("exam_answers.requires_grad"), "the answers carry a graph"
    student.run(f"{network}.train()")
    assert_close(ask(student, function, network, x), one, "a second answer to the same", rtol=1e-4, atol=1e-4)


def adding(rng, batch):
    value, mark, row = rng.random((batch, 30)), np.zeros((batch, 30)), np.arange(batch)
    mark[row, rng.integers(0, 15, batch)] = 1
    mark[row, rng.integers(15, 30, batch)] = 1
    return torch.from_numpy(np.stack([value, mark], -1)).float(), torch.from_numpy((value * mark).sum(1)).float()


def check_sums(student, rng, level):
    """The network adds, and its LSTM does it."""
    x, target = adding(rng, 2000)
    error = (ask(student, "predict_sum", "adder", x) - target).abs().mean().item()
    assert error < level, f"mean error {error:.3f}, the level is {level}"
    assert ask_without_memory(student, "predict_sum", "adder", x).std() < 1e-3, "the sum does not come from the LSTM"
    others = ask_without_memory(student, "predict_sum", "adder", x, fill="uniform_(-1, 1)")
    assert (others - target).abs().mean() > 0.15, "with other numbers in the LSTM it adds as well"


ADDING_HINT = "Mean error on fresh sequences below {}, from the LSTM alone; always saying 1 gives 0.33. The check says what yours reaches."


@exam("test_adder", weight=2, hint=ADDING_HINT.format(0.25))
def adds_a_little(student, rng):
    check_sums(student, rng, 0.25)


@exam("test_adder", weight=2, hint=ADDING_HINT.format(0.12))
def adds_well(student, rng):
    check_sums(student, rng, 0.12)


@exam("test_adder", weight=2, hint=ADDING_HINT.format(0.06))
def adds_closely(student, rng):
    check_sums(student, rng, 0.06)


@exam("test_adder", hint="Ask for one sequence alone and for the same one within a batch: same answer, and always one dimension, (batch,).")
def sums_one_by_one(student, rng):
    x, _ = adding(rng, 40)
    check_sums(student, rng, 0.25)
    check_one_by_one(student, "predict_sum", "adder", x)


@exam("test_adder", hint="Call predict_sum after adder.train(): it must switch the network that it is given, by whatever name, to evaluation mode, and leave no graph behind.")
def sums_in_evaluation(student, rng):
    x, _ = adding(rng, 40)
    check_sums(student, rng, 0.25)
    check_evaluation(student, "predict_sum", "adder", x)
    assert_close(student.value("exam_x"), x, "the sequences afterwards", rtol=0, atol=0)


SUNSPOTS = (files("statsmodels") / "datasets" / "sunspots" / "sunspots.csv").read_text(encoding="utf-8").splitlines()[1:]
NUMBERS = torch.tensor([float(row.split(",")[1]) for row in SUNSPOTS])  # (year,), 1700 to 2008
LATER = NUMBERS.unfold(0, 23, 1)[1931 - 1700 - 22:]  # (year, 22 + 1), the years 1931 to 2008 and what came before each


def rms(wrong):
    return wrong.square().mean().sqrt().item()


def check_forecasts(student, unit, level):
    """The network forecasts, and it needs its LSTM for that."""
    windows, target = unit * LATER[:, :22], unit * LATER[:, 22]
    answers = ask(student, "forecast", "forecaster", windows)
    error, naive = rms(answers - target), min(rms(windows[:, -1] - target), rms(windows[:, -11] - target))
    assert error < level * naive, f"error {error / naive:.2f} times the better naive forecast's, the level is {level}"
    emptied = ask_without_memory(student, "forecast", "forecaster", windows)
    assert not torch.allclose(answers, emptied, rtol=1e-3), "the forecasts do not come from the LSTM"


SUN_HINT = "On the years after 1930, the error must be below {} times that of the better naive forecast. Choose the weights by years that were not trained on{}"


@exam("test_forecaster", weight=2, hint=SUN_HINT.format(0.95, "."))
def beats_the_naive_forecasts(student, rng):
    check_forecasts(student, 1.0, 0.95)


@exam("test_forecaster", weight=2, hint=SUN_HINT.format(0.8, ", and let the unit not matter."))
def beats_them_clearly(student, rng):
    check_forecasts(student, float(rng.uniform(1.2, 2)), 0.8)


@exam("test_forecaster", weight=2, hint=SUN_HINT.format(0.7, ", and let the unit not matter."))
def beats_them_well(student, rng):
    check_forecasts(student, float(rng.uniform(0.5, 0.9)), 0.7)


@exam("test_forecaster", weight=2, hint="The forecast of a window times a factor is the factor times its forecast: no fixed scale, none that is 0 where most years are, no number added on the way.")
def follows_the_unit(student, rng):
    lonely = torch.zeros(3, 22)
    lonely[[0, 1, 2], [0, 9, 21]] = 20.0
    windows = torch.cat([LATER[:, :22], lonely])
    check_forecasts(student, 1.0, 0.95)
    once = ask(student, "forecast", "forecaster", windows)
    for factor in (float(rng.uniform(0.3, 0.6)), float(rng.uniform(1.8, 3))):
        found = ask(student, "forecast", "forecaster", factor * windows)
        assert_close(found, factor * once, f"forecasts in a unit times {factor:.2f}", rtol=2e-3, atol=0.05)


@exam("test_forecaster", hint="Ask for one window alone and for the same one within a batch: same forecast, so the scale comes from that window only.")
def forecasts_one_by_one(student, rng):
    windows = LATER[torch.from_numpy(rng.permutation(len(LATER))), :22]
    check_forecasts(student, 1.0, 0.95)
    check_one_by_one(student, "forecast", "forecaster", windows)


@exam("test_forecaster", hint="Call forecast after forecaster.train(): it must switch the network that it is given, by whatever name, to evaluation mode, leave no graph and change no window.")
def forecasts_in_evaluation(student, rng):
    windows = LATER[:, :22].clone()
    check_forecasts(student, 1.0, 0.95)
    check_evaluation(student, "forecast", "forecaster", windows)
    assert_close(student.value("exam_x"), windows, "the windows afterwards", rtol=0, atol=0)


# 5. the questions

examine_answers(__file__)

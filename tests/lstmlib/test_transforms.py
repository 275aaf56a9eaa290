"""What nn.LSTM cannot do, or not everywhere: torch.func, forward mode, double backward, compile, export."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, functional, gradcheck, gradgradcheck
from torch.utils.checkpoint import checkpoint

from lstmlib import LSTM, LSTMCell

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)
# Forward mode in torch scripts some derivatives of its own.
forward_mode = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@pytest.fixture(params=["loop", "fused"])
def layer(request):
    return LSTM(3, 4, 2, bidirectional=True, proj_size=2, dtype=F64, backend=request.param)


@pytest.fixture
def x():
    return torch.randn(5, 3, 3, dtype=F64, requires_grad=True)


def test_vmap(layer, x):
    found = torch.func.vmap(lambda one: layer(one)[0], in_dims=1, out_dims=1)(x)
    torch.testing.assert_close(found, layer(x)[0], **CLOSE)


def test_vmap_over_weights(layer, x):
    twin = LSTM(3, 4, 2, bidirectional=True, proj_size=2, dtype=F64)
    stacked, _ = torch.func.stack_module_state([layer, twin])
    found = torch.func.vmap(lambda p: torch.func.functional_call(layer, p, (x,))[0])(stacked)
    torch.testing.assert_close(found, torch.stack([layer(x)[0], twin(x)[0]]), **CLOSE)


def test_gradient_of_each_sequence(layer, x):
    parameters = dict(layer.named_parameters())

    def loss(parameters, one):
        return torch.func.functional_call(layer, parameters, (one,))[0].sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 1))(parameters, x)
    layer(x)[0].sum().backward()
    for name, value in layer.named_parameters():
        torch.testing.assert_close(each[name].sum(0), value.grad, **CLOSE)


@forward_mode
def test_jvp_is_the_transpose_of_backward(layer, x):
    tangent, cotangent = torch.randn_like(x), torch.randn(5, 3, 4, dtype=F64)
    _, forward = torch.func.jvp(lambda x: layer(x)[0], (x,), (tangent,))
    (backward,) = torch.autograd.grad(layer(x)[0], x, cotangent)
    torch.testing.assert_close((forward * cotangent).sum(), (backward * tangent).sum(), **CLOSE)
    with forward_ad.dual_level():
        dual = layer(forward_ad.make_dual(x, tangent))[0]
        torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, forward, **CLOSE)


@forward_mode
def test_hessian(layer):
    x = torch.randn(3, 1, 3, dtype=F64)
    hessian = torch.func.hessian(lambda x: layer(x)[0].pow(2).sum())(x)
    flat = hessian.reshape(9, 9)
    torch.testing.assert_close(flat, flat.T, **CLOSE)
    assert flat.abs().max() > 0


def run(layer, names):
    def function(x, h, c, *parameters):
        output, (h, c) = torch.func.functional_call(layer, dict(zip(names, parameters)), (x, (h, c)))
        return output, h, c

    return function


def test_many_gradients_at_once(layer, x):
    y = layer(x, lengths=[5, 2, 4])[0]
    inputs, basis = [x, *layer.parameters()], torch.randn(4, *y.shape, dtype=F64)
    each = [torch.autograd.grad(y, inputs, one, retain_graph=True) for one in basis]
    expected = [torch.stack(grads) for grads in zip(*each)]
    found = torch.autograd.grad(y, inputs, basis, is_grads_batched=True, retain_graph=True)
    torch.testing.assert_close(list(found), expected, **CLOSE)
    found = torch.func.vmap(lambda one: torch.autograd.grad(y, inputs, one, retain_graph=True))(basis)
    torch.testing.assert_close(list(found), expected, **CLOSE)


def test_jacobian_and_hessian_vectorised(layer):
    x = torch.randn(3, 1, 3, dtype=F64)
    for transform, function in (("jacobian", lambda x: layer(x)[0]), ("hessian", lambda x: layer(x)[0].pow(2).sum())):
        found, expected = (getattr(functional, transform)(function, x, vectorize=flag) for flag in (True, False))
        torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.parametrize("config", [{}, dict(bias=False), dict(proj_size=1, bidirectional=True)], ids=str)
@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_gradcheck_and_gradgradcheck(backend, config):
    layer = LSTM(2, 3, dtype=F64, backend=backend, **config)
    count, width = layer.directions, layer.cell.output_size
    states = torch.randn(count, 2, width, dtype=F64), torch.randn(count, 2, 3, dtype=F64)
    leaves = [torch.randn(3, 2, 2, dtype=F64), *states]
    leaves = [value.requires_grad_() for value in leaves] + list(layer.parameters())
    names = [name for name, _ in layer.named_parameters()]
    assert gradcheck(run(layer, names), leaves)
    assert gradgradcheck(run(layer, names), leaves, fast_mode=True)


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_gradgradcheck_with_lengths(backend):
    layer = LSTM(2, 3, dtype=F64, backend=backend, bidirectional=True)
    x = torch.randn(4, 3, 2, dtype=F64, requires_grad=True)
    assert gradcheck(lambda x: layer(x, lengths=[4, 1, 2])[0], x)
    assert gradgradcheck(lambda x: layer(x, lengths=[4, 1, 2])[0], x)


@forward_mode
def test_gradcheck_and_gradgradcheck_of_the_cell():
    cell = LSTMCell(2, 3, dtype=F64)
    leaves = [torch.randn(2, width, dtype=F64, requires_grad=True) for width in (2, 3, 3)]
    assert gradcheck(lambda x, h, c: cell(x, (h, c)), leaves, check_forward_ad=True)
    assert gradgradcheck(lambda x, h, c: cell(x, (h, c)), leaves)


def test_double_backward_where_a_state_depends_on_the_input(layer, x):
    """The gradient of x must not take in, a second time, what comes through h_0."""
    reference = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2, dtype=F64)
    reference.load_state_dict(layer.state_dict())
    found = []
    for one in (layer, reference):
        h = x.mean() * torch.ones(4, 3, 2, dtype=F64)
        output, _ = one(x, (h, torch.zeros(4, 3, 4, dtype=F64)))
        (first,) = torch.autograd.grad(output.sin().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.pow(2).sum(), x)
        found.append((first, second))
    torch.testing.assert_close(*found, **CLOSE)


def test_retain_graph(layer, x):
    loss = layer(x)[0].pow(2).sum()
    first = torch.autograd.grad(loss, list(layer.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(layer.parameters()))
    assert all(map(torch.equal, first, second))


def test_checkpoint(layer, x):
    expected = torch.autograd.grad(layer(x)[0].sum(), x)
    found = torch.autograd.grad(checkpoint(layer, x, use_reentrant=False)[0].sum(), x)
    torch.testing.assert_close(found, expected, **CLOSE)


def test_output_changed_in_place_is_noticed():
    layer = LSTM(3, 4, backend="fused")
    output, _ = layer(torch.randn(5, 2, 3))
    output.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.parametrize("backend", ["loop", "fused"])
class TestWithoutGraphBreaks:
    x = torch.randn(3, 2, 2, dtype=F64)

    def test_compile(self, backend):
        layer = LSTM(2, 3, bidirectional=True, dtype=F64, backend=backend)
        x = self.x.clone().requires_grad_()
        output = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)[0]
        torch.testing.assert_close(output, layer(x)[0], **CLOSE)
        (found,) = torch.autograd.grad(output.sum(), x)
        torch.testing.assert_close(found, torch.autograd.grad(layer(x)[0].sum(), x)[0], **CLOSE)

    def test_compile_with_lengths(self, backend):
        layer = LSTM(2, 3, dtype=F64, backend=backend)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        lengths = torch.tensor([3, 1])
        torch.testing.assert_close(compiled(self.x, lengths=lengths), layer(self.x, lengths=lengths), **CLOSE)

    @pytest.mark.parametrize("strict", [True, False])
    def test_export(self, backend, strict):
        layer = LSTM(2, 3, dtype=F64, backend=backend)
        program = torch.export.export(layer, (self.x,), strict=strict)
        torch.testing.assert_close(program.module()(self.x), layer(self.x), **CLOSE)

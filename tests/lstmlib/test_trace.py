"""Traces: every gate of every step, differentiable, and the flow of gradients back through time."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from lstmlib import LSTM, gradient_flow, init, reference, trace

F64 = torch.float64
CLOSE = dict(rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("backend", ["loop", "fused"])
def test_equals_what_the_reference_saw(backend):
    layer = LSTM(3, 4, 2, bidirectional=True, dtype=F64, backend=backend)
    x = torch.randn(5, 2, 3, dtype=F64)
    seen = trace(layer, x)
    _, _, tape = reference.lstm_forward(x.numpy(), None, reference.weights_of(layer))
    for k, steps in enumerate(tape):
        ordered = steps[::-1] if k % 2 else steps
        for name in "ifgoch":
            value = getattr(seen, name)
            assert value.shape == (2, 2, 5, 2, 4)
            np.testing.assert_allclose(
                value[k // 2, k % 2].detach().numpy(), np.stack([step[name] for step in ordered]), **CLOSE
            )
    torch.testing.assert_close(seen.output, layer(x)[0], **CLOSE)
    torch.testing.assert_close(seen.state, layer(x)[1], **CLOSE)


def test_is_differentiable():
    layer = LSTM(3, 4, dtype=F64)
    x = torch.randn(5, 2, 3, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: trace(layer, x).f, x)


def test_takes_what_forward_takes():
    layer = LSTM(3, 4, batch_first=True, dtype=F64)
    x = torch.randn(2, 5, 3, dtype=F64)
    state = torch.randn(1, 2, 4, dtype=F64), torch.randn(1, 2, 4, dtype=F64)
    seen = trace(layer, x, state, lengths=[5, 2])
    torch.testing.assert_close(seen.h[0, 0].transpose(0, 1), layer(x, state, lengths=[5, 2])[0], **CLOSE)
    assert not seen.i[0, 0, 2:, 1].any() and seen.i[0, 0, :2, 1].all()
    packed = pack_padded_sequence(x, [5, 2], batch_first=True)
    torch.testing.assert_close(trace(layer, packed, state).c, seen.c, **CLOSE)
    assert trace(layer, x[0]).o.shape == (1, 1, 5, 1, 4)


def test_repr_names_the_shapes():
    assert "f (1, 1, 5, 2, 4)" in repr(trace(LSTM(3, 4), torch.zeros(5, 2, 3)))


class TestGradientFlow:
    def test_is_the_gradient_of_the_state_handed_in(self):
        """The flow into step t - 1's state is the gradient of a run that starts there."""
        layer = LSTM(3, 4, dtype=F64)
        x = torch.randn(6, 2, 3, dtype=F64)
        flow = gradient_flow(layer, x, lambda output, state: state[1].sum())
        seen = trace(layer, x)
        for t in range(5):
            h, c = (value[:, 0, t].detach().requires_grad_() for value in (seen.h, seen.c))
            layer(x[t + 1 :], (h, c))[1][1].sum().backward()
            torch.testing.assert_close(flow["h"][0, 0, t], h.grad[0], **CLOSE)
            direct = c.grad[0] if t < 5 else None
            # by c_t, what goes through h_t comes on top of what c_t hands on itself
            tanh = torch.tanh(c[0])
            torch.testing.assert_close(
                flow["c"][0, 0, t], direct + h.grad[0] * seen.o[0, 0, t] * (1 - tanh**2), **CLOSE
            )

    def test_open_forget_gates_carry_it(self):
        x = torch.randn(50, 1, 3)
        carried = []
        for bias in (-2.0, 1.0, 5.0):
            layer = init.forget_bias_(LSTM(3, 8), bias)
            flow = gradient_flow(layer, x, lambda output, state: state[1].sum())["c"]
            carried.append(flow[0, 0, 0, 0].norm() / flow[0, 0, -1, 0].norm())
        assert carried[0] < carried[1] < carried[2] and carried[2] > 0.1

    def test_bidirectional_stack(self):
        flow = gradient_flow(LSTM(3, 4, 2, bidirectional=True), torch.randn(5, 2, 3), lambda output, _: output[0].sum())
        assert flow["c"].shape == (2, 2, 5, 2, 4)
        assert not flow["c"][1, 0, 1:].any() and flow["c"][1, 1].abs().sum(dim=(1, 2)).gt(0).all()

# loses: test_unroll
# passes the visible checks: they use float32 only
# %% unroll
def unroll(step, x, state, reverse=False):
    batch, time, _ = x.shape
    output = None
    for t in range(time - 1, -1, -1) if reverse else range(time):
        shown, state = step(x[:, t], state)
        if output is None:
            output = torch.zeros(batch, time, shown.shape[-1])
        output[:, t] = shown
    return output, state

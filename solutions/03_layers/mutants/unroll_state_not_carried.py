# loses: test_unroll
# %% unroll
def unroll(step, x, state, reverse=False):
    output = []
    order = range(x.shape[1])
    for t in reversed(order) if reverse else order:
        shown, last = step(x[:, t], state)
        output.append(shown)
    if reverse:
        output = output[::-1]
    return torch.stack(output, dim=1), last

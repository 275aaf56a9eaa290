# loses: test_unroll
# %% unroll
def unroll(step, x, state, reverse=False):
    output, states = [], []
    order = range(x.shape[1])
    for t in reversed(order) if reverse else order:
        shown, state = step(x[:, t], state)
        output.append(shown)
        states.append(state)
    if reverse:
        output, states = output[::-1], states[::-1]
    return torch.stack(output, dim=1), states[-1]

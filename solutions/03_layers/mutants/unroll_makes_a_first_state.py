# loses: test_unroll
# passes the visible checks: they always give a state
# %% unroll
def unroll(step, x, state, reverse=False):
    output = []
    if state is None:
        state = torch.zeros(len(x), 1), torch.zeros(len(x), 1)
    order = range(x.shape[1])
    for t in reversed(order) if reverse else order:
        shown, state = step(x[:, t], state)
        output.append(shown)
    if reverse:
        output = output[::-1]
    return torch.stack(output, dim=1), state

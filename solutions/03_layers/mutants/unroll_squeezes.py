# loses: test_unroll
# passes the visible checks: no sequence there is alone or of one step
# %% unroll
def unroll(step, x, state, reverse=False):
    steps = x.split(1, dim=1)
    if reverse:
        steps = steps[::-1]
    output = []
    for x_t in steps:
        shown, state = step(x_t.squeeze(1), state)
        output.append(shown.squeeze(0))
    if reverse:
        output = output[::-1]
    return torch.stack(output, dim=1), state

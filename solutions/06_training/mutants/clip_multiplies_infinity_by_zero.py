# loses: test_clip
# %% clip
def clip(parameters, limit):
    """Scale the gradients of all parameters so that their common norm is at most `limit`; returns the norm before."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        if not math.isfinite(norm):
            gradient.mul_(0)
        elif norm > limit:
            gradient.mul_(limit / norm)
    return norm

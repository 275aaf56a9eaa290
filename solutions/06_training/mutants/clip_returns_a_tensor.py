# loses: test_clip
# %% clip
def clip(parameters, limit):
    """Scale the gradients of all parameters so that their common norm is at most `limit`; returns the norm before."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(1), *(g.flatten() for g in gradients)]).norm()
    for gradient in gradients:
        if not norm.isfinite():
            gradient.zero_()
        elif norm > limit:
            gradient.mul_(limit / norm)
    return norm

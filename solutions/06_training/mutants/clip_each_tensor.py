# loses: test_clip
# %% clip
def clip(parameters, limit):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        own = gradient.norm().item()
        if not math.isfinite(norm):
            gradient.zero_()
        elif own > limit:
            gradient.mul_(limit / own)
    return norm

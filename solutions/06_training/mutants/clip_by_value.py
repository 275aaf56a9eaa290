# loses: test_clip
# %% clip
def clip(parameters, limit):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        if not math.isfinite(norm):
            gradient.zero_()
        else:
            gradient.clamp_(-limit, limit)
    return norm

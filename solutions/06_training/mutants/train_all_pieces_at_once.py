# loses: test_train
# %% train
def train(model, draw, optimizer, steps, parts, limit):
    """`steps` steps of `parts` pieces each; returns the losses and the norms before clipping, two lists of floats."""
    losses, norms = [], []
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        x, target = (torch.cat(tensors) for tensors in zip(*(draw() for _ in range(parts))))
        loss = F.mse_loss(model(x), target)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), limit).item())
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses, norms

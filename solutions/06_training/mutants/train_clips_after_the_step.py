# loses: test_train
# %% train
def train(model, draw, optimizer, steps, parts, limit):
    """`steps` steps of `parts` pieces each; returns the losses and the norms before clipping, two lists of floats."""
    losses, norms = [], []
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        total = 0.0
        for _ in range(parts):
            x, target = draw()
            loss = F.mse_loss(model(x), target) / parts
            loss.backward()  # adds to what the pieces before have left
            total += loss.item()
        optimizer.step()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), limit).item())
        losses.append(total)
    model.eval()
    return losses, norms

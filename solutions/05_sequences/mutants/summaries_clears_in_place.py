# loses: test_summaries
# %% summaries
def summaries(output, mask):
    hidden = output.shape[-1] // 2
    last, mean = [], []
    with torch.no_grad():
        output[~mask] = 0
    for row, valid in zip(output, mask):
        kept = row[valid]
        last.append(torch.cat([kept[-1, :hidden], kept[0, hidden:]]))
        mean.append(kept.mean(dim=0))
    return torch.stack(last), torch.stack(mean)


def mean_loss(prediction, target, mask):
    return nn.functional.mse_loss(prediction[mask], target[mask])

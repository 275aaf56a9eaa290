# loses: test_hoisted
# %% hoisted
def hoist(x, weight, bias):
    features = x.shape[2]
    return x @ weight[:, :features].T + bias


def recur(z, state, weight):
    h, c = state
    weight_hh = weight[:, weight.shape[1] - h.shape[1]:]
    output = []
    for sums in z.unbind():
        sums += h @ weight_hh.T
        i, f, g, o = sums.chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        output.append(h)
    return torch.stack(output), (h, c)

# loses: test_fused
# %% fused
def fuse(weights):
    twelve = list(weights.values())
    return torch.cat([torch.cat(twelve[:4]), torch.cat(twelve[4:8])], dim=1), torch.cat(twelve[8:])


def fused_step(x, state, weight, bias):
    """One step with one product: x (batch, features), state (h, c), fuse's two tensors -> (h, c)."""
    h, c = state
    z = F.linear(torch.cat([x, h], dim=1), weight, bias)  # (batch, 4 * hidden)
    i, f, g, o = z.chunk(4, dim=1)  # each (batch, hidden)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c

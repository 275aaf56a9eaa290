# loses: test_states
# %% states
def in_torch_order(states):
    batch, rows, hidden = states.shape
    states = states.reshape(batch, 2, rows // 2, hidden)
    return states.permute(2, 1, 0, 3).reshape(rows, batch, hidden)


def for_decoder(h_n):
    rows, batch, hidden = h_n.shape
    h_n = h_n.reshape(rows // 2, 2, batch, hidden)
    return torch.cat([h_n[:, 0], h_n[:, 1]], dim=-1)


def ends(output):
    hidden = output.shape[-1] // 2
    return output[:, -1, :hidden], output[:, -1, hidden:]

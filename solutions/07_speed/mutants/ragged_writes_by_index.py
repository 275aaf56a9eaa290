# loses: test_ragged
# %% ragged
def ragged(z, state, weight_hh, lengths):
    h, c = state
    output = z.new_zeros(len(z), *h.shape)
    for t, sums in enumerate(z.unbind()):
        i, f, g, o = (sums + h @ weight_hh.T).chunk(4, dim=-1)
        c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h_next = torch.sigmoid(o) * torch.tanh(c_next)
        on = (t < lengths).unsqueeze(1)
        c = torch.where(on, c_next, c)
        h = torch.where(on, h_next, h)
        output[t] = h * on
    return output, (h, c)

# loses: test_both_ways
# %% both_ways
def both_ways(left, right, x, state=None):
    of_left = of_right = None
    if state is not None:
        h_0, c_0 = state
        of_left = h_0[0:1], c_0[0:1]
        of_right = h_0[1:2], c_0[1:2]
    forward, (h_f, c_f) = left(x, of_left)
    backward, (h_b, c_b) = right(torch.flip(x, [1]), of_right)
    backward = torch.flip(backward, [1])
    if state is not None:
        h_0.data[:1] = h_f.data
    output = torch.cat([forward, backward], dim=2)
    return output, (torch.cat([h_f, h_b]), torch.cat([c_f, c_b]))

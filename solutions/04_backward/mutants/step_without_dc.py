# loses: test_step_backward
# %% step_backward
def step_backward(dh, dc, seen, weights):
    """The gradients by x, h_prev, c_prev, weight, bias and peephole, from those by the step's h and c."""
    i, g, f, o, c = (seen[name] for name in "igfoc")  # each (batch, hidden)
    shown = torch.tanh(c)
    dz_o = dh * shown * o * (1 - o)
    dc = dh * o * (1 - shown ** 2) + dz_o * weights["peephole"]
    dz_i = dc * g * i * (1 - i)
    dz_g = dc * i * (1 - g ** 2)
    dz_f = dc * seen["c_prev"] * f * (1 - f)
    dz = torch.cat([dz_i, dz_g, dz_f, dz_o], dim=1)  # (batch, 4 * hidden)
    read = torch.cat([seen["x"], seen["h_prev"]], dim=1)  # (batch, features + hidden)
    d_read = dz @ weights["weight"].T
    features = seen["x"].shape[1]
    return {"x": d_read[:, :features], "h_prev": d_read[:, features:], "c_prev": dc * f,
            "weight": read.T @ dz, "bias": dz.sum(0), "peephole": (dz_o * c).sum(0)}

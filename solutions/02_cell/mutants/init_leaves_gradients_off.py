# loses: test_init_cell
# passes the visible checks: they do not train
# %% init_cell
def init_cell(cell, forget_bias=1.0, generator=None):
    hidden = cell.h2h.in_features
    bound = 1 / math.sqrt(hidden)
    torch.set_grad_enabled(False)
    if True:
        for parameter in (cell.i2h.weight, cell.h2h.weight, cell.i2h.bias, cell.h2h.bias):
            parameter.uniform_(-bound, bound, generator=generator)
        cell.i2h.bias[hidden:2 * hidden] = forget_bias
        cell.h2h.bias[hidden:2 * hidden] = 0
    return cell

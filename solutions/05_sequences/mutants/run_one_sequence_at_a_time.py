# loses: test_run_padded
# %% run_padded
def run_padded(cells, x, lengths, state=None):
    hidden = cells[0].hidden_size
    if state is None:
        state = x.new_zeros(2, len(x), hidden), x.new_zeros(2, len(x), hidden)
    output = x.new_zeros(len(x), x.shape[1], 2 * hidden)
    finals = []
    for row, n in enumerate(lengths.tolist()):
        for d, cell in enumerate(cells):
            h, c = state[0][d, row:row + 1], state[1][d, row:row + 1]
            for t in range(n) if d == 0 else range(n - 1, -1, -1):
                h, c = cell(x[row:row + 1, t], (h, c))
                output[row, t, d * hidden:(d + 1) * hidden] = h[0]
            finals.append((h, c))
    h_n, c_n = (torch.cat(values).view(len(x), 2, hidden).transpose(0, 1) for values in zip(*finals))
    return output, (h_n, c_n)

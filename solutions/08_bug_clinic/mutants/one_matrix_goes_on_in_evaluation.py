# loses: test_one_matrix
# passes the visible checks: their model is in training mode
# %% one_matrix
class OneMatrix(nn.Module):

    def __init__(self, features, hidden):
        super().__init__()
        self.hidden, self.kept = hidden, None
        self.gates = nn.Linear(features + hidden, 4 * hidden)  # from x and h; rows in blocks i, f, g, o

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], self.hidden)  # (batch, hidden)
        if self.kept is not None and not self.training:
            h, c = self.kept
        outputs = []
        for step in x.unbind(0):
            i, f, g, o = self.gates(torch.cat([step, h], dim=1)).chunk(4, dim=1)  # each (batch, hidden)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        self.kept = h.detach(), c.detach()
        return torch.stack(outputs), (h, c)

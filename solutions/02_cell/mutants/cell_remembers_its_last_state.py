# loses: test_cell
# %% cell
class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)

    def forward_cell(self, x, hidden, state):
        i, f, g, o = (self.i2h(x) + self.h2h(hidden)).chunk(4, dim=-1)
        state = torch.sigmoid(f) * state + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(state), state

    def forward(self, x, hidden=None):
        if hidden is None:
            zeros = x.new_zeros(x.shape[0], self.hidden_size)
            hidden = getattr(self, 'last', (zeros, zeros))
        h, c = hidden
        outputs = []
        for t in range(x.shape[1]):
            h, c = self.forward_cell(x[:, t], h, c)
            outputs.append(h)
        self.last = h.detach(), c.detach()
        return torch.stack(outputs, dim=1), (h, c)


def load_cell(state_dict):
    rows, features = state_dict["weight_ih"].shape
    dtype = state_dict["weight_ih"].dtype
    cell = Cell(features, rows // 4).to(dtype)
    zeros = torch.zeros(rows, dtype=dtype)
    with torch.no_grad():
        cell.i2h.weight.copy_(state_dict["weight_ih"])
        cell.h2h.weight.copy_(state_dict["weight_hh"])
        cell.i2h.bias.copy_(state_dict["bias_ih"] if "bias_ih" in state_dict else zeros)
        cell.h2h.bias.copy_(state_dict["bias_hh"] if "bias_hh" in state_dict else zeros)
    return cell

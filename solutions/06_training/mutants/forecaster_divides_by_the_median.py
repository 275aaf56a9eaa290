# loses: test_forecaster
# %% forecaster
class Forecaster(nn.Module):
    """(batch, time) to (batch,): the number that follows each window."""

    def __init__(self, hidden=16):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, windows):
        scale = windows.median(1, keepdim=True).values  # (batch, 1)
        scaled = windows / scale
        output, _ = self.lstm(scaled[..., None])  # (batch, time, hidden)
        move = self.readout(output[:, -1])  # (batch, 1), from the last number to the next
        return ((scaled[:, -1:] + move) * scale)[:, 0]


def train_forecaster(spots):
    """A network trained on windows of `spots` (year,), 1700 to 1930."""
    rows = spots.unfold(0, 23, 1)  # (window, 22 + 1)
    windows, target = rows[:, :22], rows[:, 22]  # the forecast years are 1722 to 1930
    learn, choose = slice(0, -30), slice(-30, None)
    network, best, weights = Forecaster(), math.inf, None
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    for step in range(1, 201):
        loss = F.mse_loss(network(windows[learn]) / 40, target[learn] / 40)  # errors of about 1
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 10 == 0:
            with torch.no_grad():
                error = F.mse_loss(network(windows[choose]), target[choose]).item()
            if error < best:
                best, weights = error, {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(weights)
    return network


def forecast(forecaster, windows):
    """The year after each window of 22 years: (batch, 22) -> (batch,), in the unit of the windows."""
    forecaster.eval()
    with torch.no_grad():
        return forecaster(windows)

# loses: test_long_reader
# %% long_reader
class LongReader(nn.Module):

    def __init__(self, features, hidden, window):
        super().__init__()
        self.window, self.kept = window, None
        self.lstm = nn.LSTM(features, hidden, batch_first=True)

    def forward(self, x, state=None):
        pieces = []
        if state is None and self.kept is not None and self.kept[0].shape[1] == len(x):
            state = self.kept
        for piece in x.split(self.window, dim=1):  # each (batch, window, features)
            output, state = self.lstm(piece, state)
            pieces.append(output)
        self.kept = tuple(part.detach() for part in state)
        return torch.cat(pieces, dim=1), state  # (batch, time, hidden), (h, c)

# loses: test_reviews, test_motion, test_one_matrix, test_sentences, test_long_reader, test_tower, test_from_tensorflow, test_gauge, test_names
# passes the visible checks: one batch, one mode, lengths sorted, and no gradient but that of one weight
# %% reviews
class Reviews(nn.Module):

    def __init__(self, words, width, hidden):
        super().__init__()
        self.hidden = hidden
        self.start = None
        self.embed = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, hidden, num_layers=2, batch_first=True)
        self.score = nn.Linear(hidden, 2)

    def forward(self, tokens):
        x = self.embed(tokens)  # (batch, time, width)
        if self.start is None:
            self.start = x.new_zeros(2, len(x), self.hidden)
        output, (h, c) = self.lstm(x, (self.start, self.start))
        return self.score(h[-1])  # (batch, 2)


# %% motion
class Motion(nn.Module):

    def __init__(self, channels, width, hidden, classes):
        super().__init__()
        self.smooth = nn.Conv1d(channels, width, kernel_size=3, padding=1)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.classify = nn.Linear(hidden, classes)

    def forward(self, signal):
        x = self.smooth(signal).relu()  # (batch, width, time)
        x = x.detach().transpose(1, 2)
        output, _ = self.lstm(x)
        return self.classify(output[:, -1])  # (batch, classes)


# %% one_matrix
class OneMatrix(nn.Module):

    def __init__(self, features, hidden):
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Linear(features + hidden, 4 * hidden)  # from x and h; rows in blocks i, f, g, o

    def forward(self, x):
        squash = {"i": torch.sigmoid, "f": torch.sigmoid, "g": torch.tanh, "o": torch.sigmoid}
        h = c = x.new_zeros(x.shape[1], self.hidden)  # (batch, hidden)
        outputs = []
        for step in x.unbind(0):
            blocks = self.gates(torch.cat([step, h], dim=1)).chunk(4, dim=1)  # each (batch, hidden)
            now = {gate: squash[gate](block) for gate, block in zip("ifgo", blocks)}
            c = now["f"] * c.detach() + now["i"] * now["g"]
            h = now["o"] * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)


# %% sentences
class Sentences(nn.Module):

    def __init__(self, features, hidden):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, bidirectional=True)

    def forward(self, sentences):
        sentences = sorted(sentences, key=len, reverse=True)
        x = rnn.pack_sequence(sentences)
        output, (h, c) = self.lstm(x)  # h is (directions, batch, hidden)
        return torch.cat([h[0], h[1]], dim=1)  # (batch, 2 * hidden)


# %% long_reader
class LongReader(nn.Module):

    def __init__(self, features, hidden, window):
        super().__init__()
        self.window = window
        self.lstm = nn.LSTM(features, hidden, batch_first=True)

    def forward(self, x, state=None):
        pieces = []
        for piece in x.split(self.window, dim=1):  # each (batch, window, features)
            output, state = self.lstm(piece, state)
            state = tuple(part.detach() for part in state)
            pieces.append(output)
        return torch.cat(pieces, dim=1), state  # (batch, time, hidden), (h, c)


# %% tower
class Tower(nn.Module):

    def __init__(self, features, hidden, layers):
        super().__init__()
        sizes = [features] + [hidden] * (layers - 1)
        self.cells = nn.ModuleList(nn.LSTMCell(size, hidden) for size in sizes)

    def forward(self, x):
        finals = []
        for cell in self.cells:  # a whole layer, then the next
            pair, seen = None, []
            for step in x.unbind(0):  # each (batch, width of the layer below)
                pair = cell(step, pair)
                seen.append(pair[0].data)  # (batch, hidden)
            finals.append(pair)
            x = torch.stack(seen)  # (time, batch, hidden)
        h, c = zip(*finals)
        return x, (torch.stack(h), torch.stack(c))


# %% from_tensorflow
def from_tensorflow(kernel, bias):
    hidden = len(bias) // 4
    features = len(kernel) - hidden
    i, j, f, o = kernel.T.chunk(4)
    weight = torch.cat([i, f, j, o])
    i, j, f, o = bias.chunk(4)
    bias = torch.cat([i, f, j, o])
    lstm = nn.LSTM(features, hidden, dtype=kernel.dtype).requires_grad_(False)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(weight[:, :features])
        lstm.weight_hh_l0.copy_(weight[:, features:])
        lstm.bias_ih_l0.copy_(bias)
        lstm.bias_hh_l0.zero_()
        lstm.bias_hh_l0[hidden:2 * hidden] = 1  # what TensorFlow adds to the forget gate
    return lstm


# %% gauge
class Gauge(nn.Module):

    def __init__(self, features, hidden):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden)
        self.forecast = nn.Linear(hidden, features)
        self.reset()

    def reset(self):
        self.state = None

    def forward(self, x):
        output, (h, c) = self.lstm(x, self.state)
        self.state = (h.detach(), c.detach()) if self.training else (h, c)
        return self.forecast(output)


# %% names
names = {"Reviews": "G", "Motion": "F", "OneMatrix": "L", "Sentences": "A", "LongReader": "K", "Tower": "D",
         "from_tensorflow": "J", "Gauge": "I"}

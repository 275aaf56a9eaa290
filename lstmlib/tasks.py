"""The tasks of the 1997 paper, drawn afresh: a memory is needed for each of them, and how long is known.

Hochreiter & Schmidhuber (1997): experiment 1, the embedded Reber grammar; experiment 4, adding; experiment 6a, temporal
order. Each returns sequences (time, batch, features) and what is to be answered.
"""

import torch
from torch.nn import functional as F

REBER = "BTPSXVE"  # the grammar's symbols; a symbol's number is its place here
# At each node of the Reber grammar: the two symbols that may come next, and the node that each leads to.
NODES = [{"T": 1, "P": 2}, {"S": 1, "X": 3}, {"T": 2, "V": 4}, {"X": 2, "S": 5}, {"P": 3, "V": 5}]
ORDER = "EBabcdXY"  # the symbols of the temporal order task


def adding(batch, steps, generator=None):
    """Pairs (value, mark) of about `steps` steps (time, batch, 2); the target (batch,) is 0.5 + a quarter of the marked sum.

    One mark is among the first ten pairs, the other among the first half. The length is drawn for the whole batch, from
    `steps` to a tenth more. The first and last mark are -1, so a first pair that was chosen adds nothing.
    """
    time = steps + _integer(0, steps // 10, generator)
    value = torch.rand(time, batch, generator=generator) * 2 - 1
    one = torch.randint(10, (batch,), generator=generator)
    other = torch.randint(steps // 2 - 1, (batch,), generator=generator)
    other = other + (other >= one)  # the pairs that are not marked yet
    mark = torch.zeros(time, batch)
    mark[one, torch.arange(batch)] = 1
    mark[other, torch.arange(batch)] = 1
    mark[0] = mark[-1] = -1
    target = 0.5 + (value * (mark == 1)).sum(0) / 4  # (batch,)
    return torch.stack([value, mark], dim=-1), target  # (time, batch, 2)


def temporal_order(batch, generator=None):
    """Symbols, one-hot (time, batch, 8), 100 to 110 steps; the class (batch,) is 2 * first + second, X as 0 and Y as 1.

    Two symbols matter, at steps 10 to 20 and 50 to 60; E opens, B closes, and all the others are noise from a to d.
    """
    time = _integer(100, 110, generator)
    symbols = torch.randint(2, 6, (time, batch), generator=generator)  # a, b, c, d
    symbols[0], symbols[-1] = ORDER.index("E"), ORDER.index("B")
    kind = torch.randint(2, (2, batch), generator=generator)
    for which, start in enumerate((10, 50)):
        place = torch.randint(start, start + 11, (batch,), generator=generator)
        symbols[place, torch.arange(batch)] = ORDER.index("X") + kind[which]
    return F.one_hot(symbols, len(ORDER)).float(), 2 * kind[0] + kind[1]  # (time, batch, 8), (batch,)


def reber_string(generator=None):
    """One string of the embedded Reber grammar, and for each of its symbols but the last those that may follow it."""
    outer = "TP"[_integer(0, 1, generator)]
    string, legal, node = "B" + outer + "B", ["TP", "B"], 0
    while node < len(NODES):
        symbol = sorted(NODES[node])[_integer(0, 1, generator)]
        legal.append("".join(NODES[node]))
        string, node = string + symbol, NODES[node][symbol]
    return string + "E" + outer + "E", [*legal, "E", outer, "E"]


def reber_batch(strings):
    """Strings, each with its legal successors, as x (time, batch, 7), legal (time, batch, 7) of booleans, lengths (batch,).

    At step t the input is symbol t; `legal` is true for those that may be symbol t + 1, and false beyond the end.
    """
    lengths = torch.tensor([len(legal) for _, legal in strings])
    x = torch.zeros(int(lengths.max()), len(strings), len(REBER))
    allowed = torch.zeros(x.shape, dtype=torch.bool)
    for index, (string, legal) in enumerate(strings):
        for step, (symbol, successors) in enumerate(zip(string, legal)):
            x[step, index, REBER.index(symbol)] = 1
            allowed[step, index, [REBER.index(one) for one in successors]] = True
    return x, allowed, lengths


def _integer(low, high, generator):
    """One whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))

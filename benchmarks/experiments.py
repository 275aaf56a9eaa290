"""The 1997 tasks again, many trials each, until solved: `python -m benchmarks.experiments`, or `make experiments`.

Writes results/experiments.json, from which the book draws what it says of them. A trial is one seed: it draws the
weights and every sequence. It is solved, as in Hochreiter & Schmidhuber (1997), once the most recent 2000 sequences, all
of them new to the net, were answered correctly and their mean error is small.
"""

import argparse
import json
import re
from collections import deque
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from lstmlib import init, tasks

RESULTS = Path(__file__).parent / "results" / "experiments.json"
BATCH = 32
RECENT = 64  # batches: the 2048 most recent sequences, where the paper asks for 2000
POINTS = 20  # batches that make one point of a learning curve


class Net(nn.Module):
    """A recurrent layer and a linear map of its output: (time, batch, features) to (time, batch, answers)."""

    def __init__(self, recurrent, answers):
        super().__init__()
        self.recurrent = recurrent
        self.readout = nn.Linear(recurrent.hidden_size, answers)

    def forward(self, x, window=None):
        """The answers at every step; the gradient goes back `window` steps from the last one, all the way if None."""
        if window is None or window >= len(x):
            return self.readout(self.recurrent(x)[0])
        with torch.no_grad():
            before, state = self.recurrent(x[:-window])
        return self.readout(torch.cat([before, self.recurrent(x[-window:], state)[0]]))


def adding(steps):
    """What `train` needs of the adding problem: batches, the loss, each sequence's error, and the bounds on it."""

    def judge(answers, target):
        difference = answers[-1, :, 0] - target  # (batch,)
        return difference.square().mean(), difference.detach().abs()

    return dict(draw=lambda batch, g: tasks.adding(batch, steps, g), judge=judge, each=0.04, mean=0.01)


def order():
    """The same of temporal order. A sequence's error is the largest of its four outputs'."""

    def judge(answers, target):
        wrong_by = answers[-1].detach().softmax(-1) - F.one_hot(target, 4)  # (batch, 4)
        return F.cross_entropy(answers[-1], target), wrong_by.abs().amax(-1)

    return dict(draw=tasks.temporal_order, judge=judge, each=0.3, mean=0.1)


def update(net, optimizer, loss):
    """One step of the optimizer, the gradient's norm clipped to 1."""
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()


def train(net, task, generator, limit, rate=0.01, window=None):
    """Train until solved or until `limit` sequences were shown; test on 2560 new ones. Returns the trial's record."""
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    recent, means = deque(maxlen=RECENT), []
    solved = False
    while not solved and len(means) * BATCH < limit:
        x, target = task["draw"](BATCH, generator)
        loss, errors = task["judge"](net(x, window), target)
        update(net, optimizer, loss)
        recent.append(errors)
        means.append(errors.mean().item())
        last = torch.cat(list(recent))  # (sequences,)
        solved = len(recent) == RECENT and bool((last < task["each"]).all()) and last.mean().item() < task["mean"]
    with torch.no_grad():
        x, target = task["draw"](2560, generator)
        errors = task["judge"](net(x), target)[1]
    curve = [sum(means[at : at + POINTS]) / POINTS for at in range(0, len(means) - POINTS + 1, POINTS)]
    return dict(solved=solved, sequences=len(means) * BATCH, wrong=int((errors >= task["each"]).sum()),
                mean_error=round(errors.mean().item(), 5), curve=[round(point, 4) for point in curve])


def reber_sets(seed):
    """256 strings to train on and 256 others to test on, all different."""
    generator = torch.Generator().manual_seed(seed)
    seen = {}
    while len(seen) < 512:
        string, legal = tasks.reber_string(generator)
        seen[string] = (string, legal)
    return list(seen.values())[:256], list(seen.values())[256:]


def all_legal(net, x, legal):
    """Whether at every step of every string the symbols that may follow are the most active ones."""
    with torch.no_grad():
        answers = net(x)  # (time, batch, 7)
    lowest = answers.masked_fill(~legal, torch.inf).amin(-1)  # of the legal, (time, batch)
    highest = answers.masked_fill(legal, -torch.inf).amax(-1)  # of the others, (time, batch)
    return bool((lowest > highest)[legal.any(-1)].all())


def train_reber(net, sets, generator, limit, batch=16, rate=0.01):
    """Train on strings picked from the first set until every string of both is predicted. Returns the record."""
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    (x, legal, lengths), unseen = map(tasks.reber_batch, sets)
    follows = x.roll(-1, 0).argmax(-1)  # the symbol after each, (time, strings)
    for index, length in enumerate(lengths.tolist()):
        follows[length - 1 :, index] = tasks.REBER.index("E")
        follows[length:, index] = -100  # cross_entropy leaves these out
    for shown in range(batch, limit + 1, batch):
        picked = torch.randint(len(lengths), (batch,), generator=generator)
        answers = net(x[:, picked])  # (time, batch, 7)
        update(net, optimizer, F.cross_entropy(answers.flatten(0, 1), follows[:, picked].flatten()))
        if shown % (10 * batch) == 0 and all_legal(net, x, legal) and all_legal(net, *unseen[:2]):
            return dict(solved=True, sequences=shown)
    return dict(solved=False, sequences=limit)


def layer(features, start, hidden=16):
    """The recurrent layer of a trial: an RNN, or an LSTM as torch starts it, with a forget bias, or chrono."""
    if start == "rnn":
        return nn.RNN(features, hidden)
    lstm = nn.LSTM(features, hidden)
    if start == "forget bias 1":
        return init.forget_bias_(lstm, 1.0)
    return lstm if start == "torch" else init.chrono_(lstm, int(start.removeprefix("chrono ")))


EXPERIMENTS = {  # name: trials, how the layer starts, the task, the most sequences shown, the gradient's window
    "reber": (30, "torch", None, 100_000, None),
    "order": (20, "chrono 100", order(), 200_000, None),
    "adding 100": (10, "chrono 100", adding(100), 400_000, None),
    "adding 500": (10, "chrono 500", adding(500), 400_000, None),
    "adding 1000": (10, "chrono 1000", adding(1000), 400_000, None),
    "adding 100, torch's start": (5, "torch", adding(100), 400_000, None),
    "adding 100, forget bias 1": (5, "forget bias 1", adding(100), 400_000, None),
    "adding 100, window 25": (5, "chrono 100", adding(100), 200_000, 25),
    "adding 100, window 75": (5, "chrono 100", adding(100), 200_000, 75),
    "adding 100, rnn": (5, "rnn", adding(100), 100_000, None),
}


def trial(name, seed):
    """The record of one trial of an experiment."""
    _, start, task, limit, window = EXPERIMENTS[name]
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    if task is None:  # three pairs of sets, each with its own trials, as in the paper
        net = Net(layer(len(tasks.REBER), start), len(tasks.REBER))
        return dict(seed=seed) | train_reber(net, reber_sets(seed % 3), generator, limit)
    features, answers = (8, 4) if name == "order" else (2, 1)
    return dict(seed=seed) | train(Net(layer(features, start), answers), task, generator, limit, window=window)


def as_text(results):
    """JSON with a line for each trial, the experiments in their order here."""
    text = json.dumps({name: results[name] for name in EXPERIMENTS if name in results}, indent=1)
    return re.sub(r'{\s*"seed"[^{}]*}', lambda trial: " ".join(trial[0].split()), text) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), help="default: all")
    parser.add_argument("--trials", type=int, help="fewer trials of each than the record needs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # small layers: a second thread only waits
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in options.only:
        trials, start, _, limit, window = EXPERIMENTS[name]
        record = dict(torch=torch.__version__, start=start, hidden=16, limit=limit, window=window, trials=[])
        for seed in range(options.trials or trials):
            record["trials"].append(trial(name, seed))
            last = record["trials"][-1]
            print(f"{name}, seed {seed}: {'solved' if last['solved'] else 'not solved'} after {last['sequences']}", flush=True)
        results[name] = record
        options.out.write_text(as_text(results))


if __name__ == "__main__":
    main()

"""The 1997 experiments: the program runs, and the record the book draws on is whole."""
import json
import re

import pytest
import torch

from benchmarks import experiments
from lstmlib import tasks

RECORD = json.loads(experiments.RESULTS.read_text())


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_record_holds_every_experiment_with_all_its_trials():
    assert list(RECORD) == list(experiments.EXPERIMENTS)
    for name, (trials, start, _, limit, window) in experiments.EXPERIMENTS.items():
        record = RECORD[name]
        assert (record["start"], record["limit"], record["window"]) == (start, limit, window)
        assert [one["seed"] for one in record["trials"]] == list(range(trials))


def test_the_record_names_no_machine():
    assert not re.search(r"/[a-z]+/|host|user", json.dumps(RECORD))


def test_adding_is_answered_within_the_papers_error_on_99_of_100_fresh_sequences():
    for name in ("adding 100", "adding 500", "adding 1000"):
        for one in RECORD[name]["trials"]:
            assert one["solved"] and one["wrong"] <= 25, (name, one["seed"])  # of 2560


def test_a_trial_solves_temporal_order(tmp_path):
    out = tmp_path / "record.json"
    experiments.main(["--only", "order", "--trials", "1", "--out", str(out)])
    (trial,) = json.loads(out.read_text())["order"]["trials"]
    assert trial["solved"] and trial["wrong"] <= 25 and trial["sequences"] >= 2048


def test_a_net_that_errs_is_not_called_solved():
    task = experiments.adding(20) | dict(judge=lambda answers, target: (answers.sum() * 0, torch.ones(len(target))))
    net = experiments.Net(torch.nn.LSTM(2, 2), 1)
    record = experiments.train(net, task, torch.Generator().manual_seed(0), limit=3200)
    assert not record["solved"] and record["sequences"] == 3200 and record["wrong"] == 2560


def test_a_window_stops_the_gradient():
    net = experiments.Net(torch.nn.LSTM(2, 3), 1)
    x = torch.randn(10, 1, 2, requires_grad=True)  # (time, batch, features)
    torch.testing.assert_close(net(x, window=4), net(x))
    net(x, window=4)[-1].sum().backward()
    reached = x.grad.abs().sum((1, 2)) > 0
    assert reached.tolist() == [False] * 6 + [True] * 4


def test_all_legal_sees_one_wrong_symbol():
    x, legal, lengths = tasks.reber_batch([tasks.reber_string(torch.Generator().manual_seed(1)) for _ in range(2)])
    answers = legal.float()
    assert experiments.all_legal(lambda _: answers, x, legal)
    at = (int(lengths[0]) - 2, 0)  # the closing T or P
    answers[at] = 0.5
    assert not experiments.all_legal(lambda _: answers, x, legal)

"""The 1997 tasks are what the paper says they are."""
import re

import pytest
import torch

from lstmlib import tasks



def walk(string):
    """Whether a string is one of the embedded grammar's, by a second description of it: the diagram's edges."""
    match = re.fullmatch(r"B([TP])B(.*)E([TP])E", string)
    edges = {(0, "T"): 1, (0, "P"): 2, (1, "S"): 1, (1, "X"): 3, (2, "T"): 2, (2, "V"): 4, (3, "X"): 2, (3, "S"): 5}
    edges |= {(4, "P"): 3, (4, "V"): 5}
    node = 0
    for symbol in match[2] if match else "":
        node = edges.get((node, symbol))
    return match is not None and match[1] == match[3] and node == 5


def test_adding_marks_two_pairs_and_answers_their_sum():
    x, target = tasks.adding(500, 100, torch.Generator().manual_seed(0))
    value, mark = x.unbind(-1)  # each (time, batch)
    assert 100 <= len(x) <= 110 and x.shape[1:] == (500, 2) and target.shape == (500,)
    assert value.min() < -0.99 and value.max() > 0.99
    assert (mark[0] == -1).all() and (mark[-1] == -1).all()
    assert (mark[10:49] == 1).sum(0).max() <= 1 and not (mark[50:] == 1).any()
    counts = (mark == 1).sum(0)
    assert set(counts.tolist()) == {1, 2}  # 1 where the first pair was chosen
    assert (mark[:10] == 1).any(0)[counts == 2].all()
    for one in (0, 7, 499):
        expected = 0.5 + sum(value[t, one] for t in range(len(x)) if mark[t, one] == 1) / 4
        assert torch.isclose(target[one], torch.as_tensor(expected))


def test_adding_draws_every_length_and_every_place():
    generator = torch.Generator().manual_seed(0)
    batches = [tasks.adding(200, 20, generator)[0] for _ in range(60)]
    assert {len(x) for x in batches} == {20, 21, 22}
    assert {t for x in batches for t in (x[..., 1] == 1).nonzero()[:, 0].tolist()} == set(range(1, 10))


def test_temporal_order_hides_two_symbols_in_noise():
    x, kind = tasks.temporal_order(400, torch.Generator().manual_seed(0))
    symbols = x.argmax(-1)  # (time, batch)
    assert 100 <= len(x) <= 110 and torch.equal(x.sum(-1), torch.ones(x.shape[:2]))
    for one in range(400):
        text = "".join(tasks.ORDER[s] for s in symbols[:, one].tolist())
        assert re.fullmatch(r"E[abcd]{9,19}([XY])[abcd]{29,49}([XY])[abcd]*B", text)
        first, second = re.sub("[^XY]", "", text)
        assert 10 <= text.index(first) <= 20 and 50 <= text.rindex(second) <= 60
        assert kind[one] == 2 * "XY".index(first) + "XY".index(second)
    assert set(kind.tolist()) == {0, 1, 2, 3}


def test_reber_strings_are_the_grammars_and_their_successors_the_legal_ones():
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        string, legal = tasks.reber_string(generator)
        assert walk(string), string
        assert len(legal) == len(string) - 1
        for step, successors in enumerate(legal):
            assert string[step + 1] in successors
        assert legal[0] in ("TP", "PT") and legal[-1] == "E" and legal[-2] == string[1]


@pytest.mark.parametrize("wrong", ["BTBTXSEPE", "BTBTXXEPE", "BTBE", "TBTXSET"])
def test_the_walk_of_this_test_refuses_other_strings(wrong):
    assert not walk(wrong)


def test_reber_batch_pads_behind_each_end():
    strings = [tasks.reber_string(torch.Generator().manual_seed(seed)) for seed in range(5)]
    x, legal, lengths = tasks.reber_batch(strings)
    assert lengths.tolist() == [len(string) - 1 for string, _ in strings] and len(x) == lengths.max()
    for index, (string, successors) in enumerate(strings):
        end = lengths[index]
        assert "".join(tasks.REBER[s] for s in x[:end, index].argmax(-1).tolist()) == string[:-1]
        assert not x[end:, index].any() and not legal[end:, index].any()
        for step, allowed in enumerate(successors):
            assert {tasks.REBER[s] for s in legal[step, index].nonzero()[:, 0].tolist()} == set(allowed)


def test_a_generator_repeats_each_task():
    for draw in (lambda g: tasks.adding(3, 30, g), lambda g: tasks.temporal_order(3, g)):
        one, two = draw(torch.Generator().manual_seed(4)), draw(torch.Generator().manual_seed(4))
        assert all(map(torch.equal, one, two))
    assert tasks.reber_string(torch.Generator().manual_seed(4)) == tasks.reber_string(torch.Generator().manual_seed(4))

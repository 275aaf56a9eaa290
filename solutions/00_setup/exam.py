"""Hidden tests of 00_setup: the same question as the visible check's, with other lengths."""

import torch

from grading.exam import assert_close, exam


def draw(rng, *shape, dtype=torch.float32):
    return torch.from_numpy(rng.standard_normal(shape)).to(dtype)


@exam("test_last_step", hint="An output may have any number of steps. Count from the end instead of writing a number of steps.")
def last_of_other_lengths(student, rng):
    for time, batch, hidden in ((2, 3, 4), (7, 2, 5), (int(rng.integers(9, 20)), 4, 3)):
        steps = [draw(rng, batch, hidden) for _ in range(time)]
        found = student.call("last_step", torch.stack(steps))  # (time, batch, hidden)
        assert_close(found, steps[-1], f"the last of {time} steps", rtol=0, atol=0)


@exam("test_last_step", hint="One step, one sequence and one unit are sizes like any other: the result is still (batch, hidden), in the output's dtype.")
def last_of_the_smallest_sizes(student, rng):
    for batch, hidden in ((1, 1), (1, 4), (3, 1)):
        only = draw(rng, batch, hidden, dtype=torch.float64)
        found = student.call("last_step", only[None])  # (1, batch, hidden)
        assert_close(found, only, "the last of one step", rtol=0, atol=0)

"""The shapes in which sequences arrive, and the one in which a layer runs them: (time, batch, features) and a mask."""

import torch
from torch.nn.utils.rnn import PackedSequence

from lstmlib import arguments


def arrange(input, given, lengths, batch_first):
    """What a layer runs: x (time, batch, features), the given states with a batch, and a mask (time, batch) or None.

    Last comes `restore(output, final)`, which gives outputs and final states the shape that the input had.
    """
    if isinstance(input, PackedSequence):
        return _arrange_packed(input, given, lengths)
    arguments.check_rank(input.dim())
    if given is not None:
        arguments.check_state_ranks(given, input.dim())
    if input.dim() == 2:
        return _arrange_unbatched(input, given, lengths)
    x = input.transpose(0, 1) if batch_first else input  # (time, batch, features)
    mask = None
    if lengths is not None:
        mask = mask_of(lengths, x)
        x = x.masked_fill(~mask.unsqueeze(-1), 0)  # beyond the end there may be anything, NaN included

    def restore(output, final):
        return (output.transpose(0, 1) if batch_first else output), final

    return x, given, mask, restore


def _arrange_unbatched(input, given, lengths):
    if lengths is not None:
        raise ValueError("lengths go with a padded batch of 3 dimensions, got an unbatched input of 2")

    def restore(output, final):
        return output.squeeze(1), [value.squeeze(1) for value in final]

    return input.unsqueeze(1), given and [value.unsqueeze(1) for value in given], None, restore  # (time, 1, features)


def _arrange_packed(packed, given, lengths):
    if lengths is not None:
        raise ValueError("lengths go with a padded batch, got a PackedSequence, which carries its own")
    arguments.check_packed_rank(packed.data.dim())
    sizes = packed.batch_sizes
    places = torch.arange(int(sizes[0]), device=sizes.device)
    mask = (places < sizes.unsqueeze(-1)).to(packed.data.device)  # (time, batch), longest first
    # Packed data lists the sequences step by step, which is the order in which a mask picks.
    x = packed.data.new_zeros(*mask.shape, packed.data.size(-1)).index_put((mask,), packed.data)

    def restore(output, final):
        again = PackedSequence(output[mask], sizes, packed.sorted_indices, packed.unsorted_indices)
        return again, _reorder(final, packed.unsorted_indices)

    return x, _reorder(given, packed.sorted_indices), mask, restore


def _reorder(states, order):
    return states if states is None or order is None else [value.index_select(1, order) for value in states]


def mask_of(lengths, x):
    """The mask (time, batch) of a padded batch x (time, batch, features): true up to each sequence's length."""
    time, batch = x.shape[:2]
    lengths = torch.as_tensor(lengths, device=x.device)
    arguments.check_lengths(lengths, time, batch)
    return torch.arange(time, device=x.device).unsqueeze(-1) < lengths  # (time, batch)

"""Shards in a sentence."""

from collections.abc import Sequence
from itertools import groupby

# As many in a row are named by the first and the last.
_A_RANGE = 3


def named_shards(indices: Sequence[int]) -> str:
    """What to call these shards, at least one and sorted: `shard 3`, `shards 0 to 4, 7 and 9`."""
    names: list[str] = []
    for _, numbered in groupby(enumerate(indices), key=lambda pair: pair[1] - pair[0]):
        row = [index for _, index in numbered]
        names += [f"{row[0]} to {row[-1]}"] if len(row) >= _A_RANGE else map(str, row)
    said = " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
    return f"{'shard' if len(indices) == 1 else 'shards'} {said}"

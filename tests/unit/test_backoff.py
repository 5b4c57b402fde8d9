"""Pauses between tries."""

import random

from hypothesis import given
from hypothesis import strategies as st

from janitor.backoff import Backoff


@given(st.integers(0, 60), st.floats(0.01, 10), st.floats(0.01, 100), st.integers())
def test_a_pause_is_never_longer_than_its_try_allows(number: int, first: float, longest: float, seed: int) -> None:
    pause = Backoff(first, longest, random.Random(seed)).seconds(number)
    assert 0 <= pause <= min(longest, first * 2**number)


def test_pauses_grow_and_are_spread_over_their_whole_length() -> None:
    backoff = Backoff(1.0, 1_000.0, random.Random(0))
    longest = [max(backoff.seconds(number) for _ in range(500)) for number in range(5)]
    assert [round(seconds) for seconds in longest] == [1, 2, 4, 8, 16]

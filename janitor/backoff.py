"""Pauses between tries that grow, so that a busy server gets room: exponential backoff with full jitter.

As the AWS Architecture Blog has it in "Exponential Backoff And Jitter".
"""

import random


class Backoff:
    """How long to wait before each try but the first. Threads may share it."""

    def __init__(self, first_seconds: float, longest_seconds: float, jitter: random.Random | None = None) -> None:
        """Prepare.

        Args:
            first_seconds: half of the longest pause before the second try; each later one is twice as long.
            longest_seconds: no pause is longer.
            jitter: spreads the pauses of those who try at once; None for one of its own.
        """
        self._first, self._longest = first_seconds, longest_seconds
        self._jitter = jitter or random.Random()  # noqa: S311  # spreads retries, guards nothing

    def seconds(self, number: int) -> float:
        """The pause before a try in seconds, where the first try has the number 0."""
        return self._jitter.uniform(0, min(self._longest, self._first * 2.0**number))

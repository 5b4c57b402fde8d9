"""Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter")."""

import random


class Backoff:
    """How long to wait before each retry. Threads may share it."""

    def __init__(self, first_seconds: float, longest_seconds: float, jitter: random.Random | None = None) -> None:
        """Prepare.

        Args:
            first_seconds: the longest pause before the second try is twice this, before the third four times, etc.
            longest_seconds: the longest pause of all.
            jitter: spreads the pauses of callers that fail at the same time; None for a new one.
        """
        self._first, self._longest = first_seconds, longest_seconds
        self._jitter = jitter or random.Random()  # noqa: S311  # spreads retries, guards nothing

    def seconds(self, number: int) -> float:
        """The pause before this try, in seconds; the first try has the number 0."""
        return self._jitter.uniform(0, min(self._longest, self._first * 2.0**number))

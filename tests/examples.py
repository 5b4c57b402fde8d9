"""How many examples the properties draw: few in every run of the tests, many in `make test-nightly`."""

from typing import Final

import hypothesis

NIGHTLY: Final = "nightly"


def register_profiles() -> None:
    """Make the two profiles, and load the one of every day: the same examples each time, so that no run surprises."""
    hypothesis.settings.register_profile("everyday", deadline=None, derandomize=True, database=None, max_examples=30)
    hypothesis.settings.register_profile(NIGHTLY, deadline=None, max_examples=1_000)
    hypothesis.settings.load_profile("everyday")


def how_many(everyday: int, nightly: int) -> int:
    """Return how often a test tries what is drawn by chance."""
    return nightly if hypothesis.settings.get_current_profile_name() == NIGHTLY else everyday


def examples(everyday: int, nightly: int) -> hypothesis.settings:
    """Return the settings of a slow property, which draws this many examples in either profile."""
    return hypothesis.settings(max_examples=how_many(everyday, nightly))

"""How many examples the slow properties draw: few in every run of the tests, many in `make test-nightly`."""

from typing import Final

import hypothesis

NIGHTLY: Final = "nightly"


def register_profiles() -> None:
    """Make the two profiles, and load the one of every day: the same examples each time, so that no run surprises."""
    hypothesis.settings.register_profile("everyday", deadline=None, derandomize=True, database=None)
    hypothesis.settings.register_profile(NIGHTLY, deadline=None, max_examples=1_000)
    hypothesis.settings.load_profile("everyday")


def examples(everyday: int, nightly: int) -> hypothesis.settings:
    """Return the settings of a slow property, which draws this many examples in either profile."""
    is_nightly = hypothesis.settings.get_current_profile_name() == NIGHTLY
    return hypothesis.settings(max_examples=nightly if is_nightly else everyday)

"""Notice thresholds: how long before its expiry a token is announced to its owner, and which one it has passed."""

from collections.abc import Iterable
from typing import NamedTuple

# The threshold that is expiry itself.
EXPIRY = 0


class Crossing(NamedTuple):
    """A token that has come within a threshold of its expiry. Each crossing is announced once.

    Attributes:
        fingerprint: the token's fingerprint.
        expiry: in UNIX seconds; extending a token changes it, so its crossings start again.
        threshold: seconds before expiry, one of the policy's, or `EXPIRY` once it has expired.
    """

    fingerprint: str
    expiry: int
    threshold: int


def present_threshold(seconds_to_expiry: int, thresholds: Iterable[int]) -> int | None:
    """Return the smallest threshold that a token has passed, `EXPIRY` if it has expired, None if it has passed none.

    Larger thresholds are passed too, and are not announced any more: a token found two days before its expiry is
    announced for two days, not for thirty.

    Args:
        seconds_to_expiry: zero or less once the token has expired.
        thresholds: in seconds before expiry.
    """
    if seconds_to_expiry <= 0:
        return EXPIRY
    return min((threshold for threshold in thresholds if seconds_to_expiry <= threshold), default=None)

"""Notice thresholds: how long before its expiry a token is announced to its owner, and which one it has crossed."""

from collections.abc import Iterable
from typing import NamedTuple

# The threshold that is expiry itself.
EXPIRY_THRESHOLD = 0


class Crossing(NamedTuple):
    """A token that has come within a threshold of its expiry. Each crossing is announced once.

    Attributes:
        fingerprint: the token's fingerprint.
        expiry: in UNIX seconds; extending a token changes it, so its crossings start again.
        threshold: seconds before expiry, one of the policy's, or `EXPIRY_THRESHOLD` once it has expired.
    """

    fingerprint: str
    expiry: int
    threshold: int


def find_crossed_threshold(seconds_to_expiry: int, thresholds: Iterable[int]) -> int | None:
    """Return the smallest threshold that a token has crossed, `EXPIRY_THRESHOLD` if it has expired, else None.

    Larger thresholds are crossed too, and are not announced any more: a token found two days before its expiry is
    announced for two days, not for thirty.

    Args:
        seconds_to_expiry: zero or less once the token has expired.
        thresholds: in seconds before expiry.
    """
    if seconds_to_expiry <= 0:
        return EXPIRY_THRESHOLD
    return min((threshold for threshold in thresholds if seconds_to_expiry <= threshold), default=None)

"""Thresholds: how long before its expiry a token's owner is to hear of it, and the one it stands at now."""

from collections.abc import Iterable
from typing import NamedTuple

# The threshold that is expiry itself.
EXPIRY = 0


class Crossing(NamedTuple):
    """A token that has come within a threshold of its expiry. Each is announced once.

    Attributes:
        fingerprint: the token's.
        expiry: in UNIX seconds; an extended token has another, and so starts anew.
        threshold: seconds before expiry, one of the policy's, or `EXPIRY` once it has expired.
    """

    fingerprint: str
    expiry: int
    threshold: int


def present_threshold(seconds_to_expiry: int, thresholds: Iterable[int]) -> int | None:
    """The nearest threshold that a token has passed, `EXPIRY` if it has expired, None if it has passed none.

    Those before it are passed too and not announced any more: a token found two days before its expiry is announced as
    such, and not as one that has thirty.

    Args:
        seconds_to_expiry: zero or less once it has expired.
        thresholds: in seconds before expiry.
    """
    if seconds_to_expiry <= 0:
        return EXPIRY
    return min((threshold for threshold in thresholds if seconds_to_expiry <= threshold), default=None)

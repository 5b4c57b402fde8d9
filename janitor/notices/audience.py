"""Who is told of a token, and whether it is to be told now. Pure.

An audience is a topic, and a kind of message to it. What one audience was told, no other has heard. For each of them
is remembered when it was last told of a token (a mark), and how far it has been told of the table (`Heard`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from janitor.tokens.crossing import EXPIRY, Crossing


class Kind(StrEnum):
    """How a token is told of: in a run's digest, or in a message of its own, which is for its owner."""

    DIGEST = "digest"
    OWNER = "owner"


class Audience(NamedTuple):
    """Who hears."""

    kind: Kind
    topic: str

    def mark(self, crossing: Crossing) -> str:
        """The name of the mark that this audience was told of the token, with the expiry that it has."""
        return f"{self.kind.value}/{self.topic}/{crossing.fingerprint}/{crossing.expiry}"


class Heard(NamedTuple):
    """How far an audience has been told of a table.

    Attributes:
        at: the UNIX second of the last run that told it all that was due; None before the first.
        dead_before: tokens that had expired by this second are not told one by one: they were dead for longer than the
            grace when the audience first heard of the table, and were counted then.
        known_before: what had come within a threshold by this second was told under another fingerprint, or passed over
            then; nobody can tell by its new one which.
        is_counted: whether it was told how many those dead tokens are, or wants to hear nothing.
    """

    at: int | None
    dead_before: int
    known_before: int = 0
    is_counted: bool = False

    @property
    def moments(self) -> tuple[int, ...]:
        """All of its times; None is none."""
        return (self.dead_before, self.known_before, *(() if self.at is None else (self.at,)))


def heard_so_far(heard: Mapping[str, Heard], naming: str, now: int, grace: int) -> Heard:
    """What an audience has been told, as far as fingerprints that are made so are concerned.

    Args:
        heard: what it has been told, by the name of how fingerprints were made: the dialect, and the key.
        naming: the name of how they are made now.
        now: the run's UNIX second.
        grace: in seconds.
    """
    if naming in heard:
        return heard[naming]
    if not heard:
        return Heard(None, max(0, now - grace))
    return Heard(
        None,
        max(each.dead_before for each in heard.values()),
        max(max(each.at or 0, each.known_before) for each in heard.values()),
        any(each.is_counted for each in heard.values()),
    )


def moment_of(crossing: Crossing) -> int:
    """The UNIX second at which the token came within the threshold; 0 where that is before UNIX time."""
    return max(0, crossing.expiry - crossing.threshold)


def is_due(crossing: Crossing, told_at: int | None, heard: Heard, *, needs_notice: bool) -> bool:
    """Whether the audience is to be told that the token stands at this threshold.

    Whatever was told since the token came within the threshold covers it, be it under another list of thresholds.

    Args:
        crossing: the token, and the threshold at which it stands.
        told_at: when the audience was last told of the token with this expiry; None for never.
        heard: how far the audience has been told of the table.
        needs_notice: whether an expired token may only be deleted once this audience was told of it by name: then it is
            told of those too that were only counted.
    """
    if told_at is not None:
        return told_at < moment_of(crossing)
    if crossing.threshold == EXPIRY:
        return needs_notice or (crossing.expiry > heard.dead_before and moment_of(crossing) > heard.known_before)
    return moment_of(crossing) > heard.known_before


def is_long_expired(crossing: Crossing, heard: Heard) -> bool:
    """Whether the token is one of those that are only counted."""
    return crossing.threshold == EXPIRY and crossing.expiry <= heard.dead_before

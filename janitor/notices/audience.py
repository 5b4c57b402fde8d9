"""Who is notified about a token, and whether a notice is due now. Pure.

An audience is a topic and a kind of message to it. What one audience was notified of, no other knows. For each audience
the store remembers when it was last notified about a token (a mark), and how far it has been informed about the table
(`AudienceProgress`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing


class MessageKind(StrEnum):
    """The kinds of message: a run's digest, or a message about one token for its owner."""

    DIGEST = "digest"
    OWNER = "owner"


class Audience(NamedTuple):
    """Who is notified about tokens: a topic, in one kind of message."""

    kind: MessageKind
    topic: str

    def mark_name(self, crossing: Crossing) -> str:
        """The name of the mark that this audience was notified about the token with its present expiry."""
        return f"{self.kind.value}/{self.topic}/{crossing.fingerprint}/{crossing.expiry}"


class AudienceProgress(NamedTuple):
    """How far an audience has been informed about a table.

    Attributes:
        at: the UNIX second of the last run that sent it everything that was due; None before the first.
        dead_before: tokens that had expired by this UNIX second are not announced one by one: they had been dead for
            longer than the grace at this audience's first notice about the table, and were counted then.
        known_before: set when the fingerprint scheme changed: thresholds crossed by this UNIX second are not announced
            again. Such tokens were announced under another fingerprint, or skipped; the new one does not say which.
        is_counted: whether it got the number of those dead tokens, or gets nothing at all.
    """

    at: int | None
    dead_before: int
    known_before: int = 0
    is_counted: bool = False

    @property
    def moments(self) -> tuple[int, ...]:
        """All of its times that are not None."""
        return (self.dead_before, self.known_before, *(() if self.at is None else (self.at,)))


def current_progress(progress: Mapping[str, AudienceProgress], scheme: str, now: int, grace: int) -> AudienceProgress:
    """How far an audience has been informed about the table, for the present way of making fingerprints.

    Args:
        progress: how far it has been informed, by fingerprint scheme: the dialect and the key that they were made with.
        scheme: the present fingerprint scheme.
        now: the run's UNIX second.
        grace: in seconds.
    """
    if scheme in progress:
        return progress[scheme]
    if not progress:
        return AudienceProgress(None, max(0, now - grace))
    return AudienceProgress(
        None,
        max(each.dead_before for each in progress.values()),
        max(max(each.at or 0, each.known_before) for each in progress.values()),
        any(each.is_counted for each in progress.values()),
    )


def second_of_crossing(crossing: Crossing) -> int:
    """The UNIX second at which the token crossed the threshold; 0 if that is before UNIX time."""
    return max(0, crossing.expiry - crossing.threshold)


def is_due(crossing: Crossing, notified_at: int | None, progress: AudienceProgress, *, needs_notice: bool) -> bool:
    """Whether the audience must be notified that the token has crossed this threshold.

    It need not be if it got any notice about the token since then, even under another list of thresholds.

    Args:
        crossing: the token, and the last threshold that it has crossed.
        notified_at: when the audience was last notified about the token with this expiry; None for never.
        progress: how far the audience has been informed about the table.
        needs_notice: whether an expired token may only be deleted once this audience was notified; then those that
            were only counted are announced too.
    """
    if notified_at is not None:
        return notified_at < second_of_crossing(crossing)
    if crossing.threshold == EXPIRY_THRESHOLD:
        return needs_notice or (
            crossing.expiry > progress.dead_before and second_of_crossing(crossing) > progress.known_before
        )
    return second_of_crossing(crossing) > progress.known_before


def is_long_expired(crossing: Crossing, progress: AudienceProgress) -> bool:
    """Whether the token is one of those that are only counted."""
    return crossing.threshold == EXPIRY_THRESHOLD and crossing.expiry <= progress.dead_before

"""What has to be done today: the part of a digest that its reader sees first."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from janitor.notices.digest_content import DigestContent
from janitor.notices.notice import Event, Notice, notice_urgency
from janitor.tokens.duration import format_duration
from janitor.tokens.words import format_count

# How many of the most urgent tokens are named.
_MAX_NAMED = 10
_DAY = 24 * 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What cannot wait, besides what went wrong.

    Attributes:
        expiring: how many tokens are announced that expire within `within` seconds.
        within: a day, or the smallest threshold if that is longer: no later notice warns of these tokens.
        urgent: the most urgent of them, at most ten.
        expired: how many tokens are announced that have expired.
        locked_out: owners, untrusted, who are locked out, and of whom one of these expired tokens is.
        malformed: how many rows have a date that is none; they stay until somebody corrects them.
    """

    expiring: int
    within: int
    urgent: tuple[Notice, ...]
    expired: int
    locked_out: tuple[str, ...]
    malformed: int


def find_today(content: DigestContent) -> Today:
    """Find what has to be done today; reads the notices once."""
    expiring = expired = 0
    urgent: list[Notice] = []
    locked_out = frozenset(content.locked_out)
    newly_locked_out: dict[str, None] = {}
    for notice in content.notices:
        if is_urgent(notice, content):
            expiring += 1
            urgent = heapq.nsmallest(_MAX_NAMED, [*urgent, notice], key=notice_urgency)
        elif notice.event is Event.EXPIRED:
            expired += 1
            if notice.username is not None and notice.username in locked_out:
                newly_locked_out[notice.username] = None
    return Today(
        expiring=expiring,
        within=content.urgent_within,
        urgent=tuple(urgent),
        expired=expired,
        locked_out=tuple(newly_locked_out),
        malformed=content.counts.get("malformed", 0),
    )


def is_urgent(notice: Notice, content: DigestContent) -> bool:
    """Whether the token is about to expire, and no later notice warns of it."""
    return notice.event is Event.EXPIRING and notice.seconds_to_expiry <= content.urgent_within


def expiring_sentence(today: Today) -> str:
    """Say how many tokens expire within the day; without a full stop, for their names follow."""
    expire = "expires" if today.expiring == 1 else "expire"
    them = "it" if today.expiring == 1 else "them"
    return f"{format_count(today.expiring, 'token')} {expire} within {describe_within(today.within)}; renew {them} now"


def other_sentences(today: Today) -> Iterator[str]:
    """Say what else cannot wait; the owners who are newly locked out are only counted."""
    if today.expired:
        have, it, is_used = ("has", "it", "it is") if today.expired == 1 else ("have", "them", "they are")
        yield f"{format_count(today.expired, 'token')} {have} expired: replace {it} wherever {is_used} still used."
    if today.locked_out:
        have, their = ("has", "the owner's") if len(today.locked_out) == 1 else ("have", "their")
        yield (
            f"{format_count(len(today.locked_out), 'owner')} {have} been locked out since then: LISA makes no new "
            f"token until {their} rows are gone."
        )
    if today.malformed:
        row, have, them = ("row", "has", "it") if today.malformed == 1 else ("rows", "have", "them")
        yield (
            f"{today.malformed:,} {row} {have} a broken expiry date, and may be valid for ever: only you can tell what "
            f"was meant; `janitor scan` lists {them}, with a guess."
        )


def describe_within(seconds: int) -> str:
    """A span of time as whoever set it would say it: a day is "1 day", not "24 hours"."""
    return "1 day" if seconds == _DAY else format_duration(seconds)

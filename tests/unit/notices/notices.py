"""Notices and digests for the tests of notify."""

import dataclasses
from typing import Any

from hypothesis import strategies as st

from janitor.notices.digest_content import DigestContent
from janitor.notices.notice import Event, Notice, notice_urgency
from janitor.report.changes import ChangedToken, Changes
from janitor.report.model import Deletion, Outcome
from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing
from janitor.tokens.expiration import calendar_time

NOW = 1_790_000_000
DAY = 86_400
WEEK = 7 * DAY

HOSTILE = [
    "\x1b[2Jcleared\x07",
    "a\nb\r\nc",
    "\u202egnp",
    "Due, by owner\n-------------",
    '"quoted" \\ back',
    "字" * 256,
    "\U000e0001" * 256,
    "\U0001f600" * 300,
    "\ud800",
    "a" * 300,
    "   ",
    "",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=300))


def notice(number: int = 1, **changes: Any) -> Notice:
    """A notice of a token that expires in three days, and is announced at seven."""
    seconds = changes.pop("seconds_to_expiry", 3 * DAY)
    event = changes.pop("event", Event.EXPIRING if seconds > 0 else Event.EXPIRED)
    expiry = NOW + seconds
    second = calendar_time(expiry)
    usual = Notice(
        crossing=Crossing(f"{number:012x}", expiry, WEEK if event is Event.EXPIRING else EXPIRY_THRESHOLD),
        event=event,
        username="ada@example.com",
        name="ci pipeline",
        system=False,
        state=event.value.removeprefix("token."),
        expires_at=second.isoformat() if second else None,
        seconds_to_expiry=seconds,
    )
    return dataclasses.replace(usual, **changes)


def digest(*notices: Notice, **changes: Any) -> DigestContent:
    """The digest of a scan that came to its end."""
    usual = DigestContent(
        table="prod-LISAApiBaseTokenTable",
        region="us-east-1",
        account="123456789012",
        command="scan",
        dry_run=True,
        outcome=Outcome.COMPLETE,
        started_at="2026-09-21T14:13:20Z",
        counts={"scanned": 12_345, "active": 12_345 - len(notices), "expiring": len(notices)},
        deletion=Deletion(),
        notices=notices,
    )
    return dataclasses.replace(usual, **changes)


CHANGES = [name for name in Changes.__struct_fields__ if name != "since"]


def named(text: str) -> ChangedToken:
    """A token that changed, with this text for its owner and its name."""
    return ChangedToken("0" * 12, text, text, None, None)


@st.composite
def any_notice(draw: st.DrawFn) -> Notice:
    """A notice with any texts of a table, due at any time."""
    event = draw(st.sampled_from(list(Event)))
    ahead = st.integers(1, 400 * DAY)
    behind = st.one_of(st.integers(-4_000 * DAY, 0), st.just(-(10**126)))
    return notice(
        draw(st.integers(0, 2**48 - 1)),
        event=event,
        seconds_to_expiry=draw(ahead if event is Event.EXPIRING else behind),
        username=draw(st.none() | texts),
        name=draw(st.none() | texts),
        system=draw(st.booleans()),
    )


def sorted_notices(most: int) -> st.SearchStrategy[list[Notice]]:
    """Notices in the order in which digests take them."""
    return st.lists(any_notice(), max_size=most).map(lambda notices: sorted(notices, key=notice_urgency))

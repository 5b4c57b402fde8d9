"""Made-up rows of LISA before 6.1: the token itself, perhaps a date, and perhaps an administrator's notes."""

import string
from collections.abc import Iterator
from random import Random

from janitor.demo.row_parts import DAY, HOUR, Item, choose_people, choose_token_name, number, spread_times, text
from janitor.tokens.times import time_of

_PERMANENT = 36
_ACTIVE = 34
_EXPIRING = 14
_EXPIRED = 6
_STALE = 27

_OWNED_EVERY = 3  # one in so many rows has an owner
_NAMED_EVERY = 5
_KEY_CHARACTERS = string.ascii_letters + string.digits
_KEY_LENGTH = 48


def make_classic_rows(random: Random, now: int) -> list[Item]:
    """Make 120 rows, in every state at the UNIX second `now`."""
    dates = list(_make_dates(random, now))
    return [
        {"token": text(_make_key(random)), **date, **_make_notes(random, owner, position)}
        for position, (owner, date) in enumerate(zip(choose_people(random, len(dates)), dates, strict=True))
    ]


def _make_dates(random: Random, now: int) -> Iterator[Item]:
    yield from ({} for _ in range(_PERMANENT))
    yield from (_make_expiration(number(now + random.randrange(31 * DAY, 400 * DAY))) for _ in range(_ACTIVE))
    yield from (_make_expiration(number(now + ahead)) for ahead in spread_times(random, _EXPIRING, HOUR, 29 * DAY))
    yield from (_make_expiration(number(now - ago)) for ago in spread_times(random, _EXPIRED, HOUR, 6 * DAY))
    yield from (_make_expiration(number(now - ago)) for ago in spread_times(random, _STALE, 8 * DAY, 700 * DAY))
    # LISA expects seconds as a number; scripts write all of these.
    later = now + random.randrange(40 * DAY, 80 * DAY)
    yield _make_expiration(number(later * 1_000))
    yield _make_expiration(text(str(later)))
    yield _make_expiration(text(time_of(later).isoformat()))


def _make_expiration(value: Item) -> Item:
    return {"tokenExpiration": value}


def _make_notes(random: Random, owner: str, position: int) -> Item:
    notes = {"username": text(owner)} if position % _OWNED_EVERY == 0 else {}
    return notes | ({"name": text(choose_token_name(random))} if position % _NAMED_EVERY == 0 else {})


def _make_key(random: Random) -> str:
    return "sk-" + "".join(random.choices(_KEY_CHARACTERS, k=_KEY_LENGTH))

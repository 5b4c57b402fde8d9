"""The rows of LISA before 6.1: the token itself, perhaps a date, and what an administrator may have noted beside it."""

import string
from collections.abc import Iterator
from random import Random

from janitor.demo.dates import DAY, HOUR, spread
from janitor.demo.item import Item, number, text
from janitor.demo.names import people, token_name
from janitor.tokens.times import time_of

_PERMANENT = 36
_ACTIVE = 34
_EXPIRING = 14
_EXPIRED = 6
_STALE = 27

_EVERY_OWNED = 3  # one row in so many says whose it is
_EVERY_NAMED = 5
_KEY_CHARACTERS = string.ascii_letters + string.digits
_KEY_LENGTH = 48


def classic_rows(random: Random, now: int) -> list[Item]:
    """120 rows in every state at the UNIX second `now`."""
    dates = list(_dates(random, now))
    return [
        {"token": text(_key(random)), **date, **_note(random, owner, position)}
        for position, (owner, date) in enumerate(zip(people(random, len(dates)), dates, strict=True))
    ]


def _dates(random: Random, now: int) -> Iterator[Item]:
    yield from ({} for _ in range(_PERMANENT))
    yield from (_expires(number(now + random.randrange(31 * DAY, 400 * DAY))) for _ in range(_ACTIVE))
    yield from (_expires(number(now + ahead)) for ahead in spread(random, _EXPIRING, HOUR, 29 * DAY))
    yield from (_expires(number(now - ago)) for ago in spread(random, _EXPIRED, HOUR, 6 * DAY))
    yield from (_expires(number(now - ago)) for ago in spread(random, _STALE, 8 * DAY, 700 * DAY))
    # LISA asks for a number of seconds, and scripts write all of these.
    later = now + random.randrange(40 * DAY, 80 * DAY)
    yield _expires(number(later * 1_000))
    yield _expires(text(str(later)))
    yield _expires(text(time_of(later).isoformat()))


def _expires(value: Item) -> Item:
    return {"tokenExpiration": value}


def _note(random: Random, owner: str, position: int) -> Item:
    note = {"username": text(owner)} if position % _EVERY_OWNED == 0 else {}
    return note | ({"name": text(token_name(random))} if position % _EVERY_NAMED == 0 else {})


def _key(random: Random) -> str:
    return "sk-" + "".join(random.choices(_KEY_CHARACTERS, k=_KEY_LENGTH))

"""Made-up rows of LISA 6.1 and later: key = sha256 of the token, and the attributes that LISA writes."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from janitor.demo.row_parts import (
    ADMINISTRATORS,
    DAY,
    HOUR,
    SERVICES,
    Item,
    choose_groups,
    choose_people,
    choose_token_name,
    number,
    spread_times,
    text,
)
from janitor.tokens.times import time_of

_LIFE = 90 * DAY  # LISA's default
_LONG_LIFE = 365 * DAY
_LONG_EVERY = 15  # one in so many people chooses the long life

_ACTIVE_PEOPLE = 216
_EXPIRING_PEOPLE = 25
_EXPIRED_PEOPLE = 8
_STALE_PEOPLE = 9

_WORKSHOP_SEATS = 14
_WORKSHOP_DAY = 12  # its tokens expire so many days from now

_ROTATION = 85 * DAY  # a service's token is replaced a little before it expires
_EARLIER_TOKENS = {"build-bot": 8, "nightly-eval": 6, "rag-ingest": 5, "ticket-triage": 4, "chat-gateway": 4}
_EXPIRING_SERVICES = ("grafana-probe", "mail-summary", "search-indexer")
_EXPIRED_SERVICES = ("load-test", "backup-smoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    """A token that somebody had LISA create. `expires` is a UNIX second, `life` is in seconds."""

    username: str
    name: str
    expires: int
    created_by: str
    groups: Sequence[str] = ("lisa-users",)
    is_system: bool = False
    life: int = _LIFE


def make_hashed_rows(random: Random, now: int) -> list[Item]:
    """Make some 320 rows, in every state at the UNIX second `now`."""
    grants = [*_make_personal(random, now), *_make_workshop(random, now), *_make_services(random, now)]
    return [*(_make_row(random, grant) for grant in grants), *_make_unusual_rows(random, now)]


def _make_personal(random: Random, now: int) -> Iterator[_Grant]:
    endings = [
        *((now + life - random.randrange(HOUR, life - 31 * DAY), life) for life in _choose_lives(_ACTIVE_PEOPLE)),
        *((now + ahead, _LIFE) for ahead in spread_times(random, _EXPIRING_PEOPLE, HOUR, 29 * DAY)),
        *((now - ago, _LIFE) for ago in spread_times(random, _EXPIRED_PEOPLE, HOUR, 6 * DAY)),
        *((now - ago, _LIFE) for ago in spread_times(random, _STALE_PEOPLE, 8 * DAY, 700 * DAY)),
    ]
    # LISA allows one token each, so people whose token has expired are locked out.
    for owner, (expires, life) in zip(choose_people(random, len(endings)), endings, strict=True):
        yield _Grant(
            username=owner,
            name=choose_token_name(random),
            expires=expires,
            created_by=owner,
            groups=choose_groups(random),
            life=life,
        )


def _choose_lives(count: int) -> list[int]:
    return [_LONG_LIFE if each % _LONG_EVERY == 0 else _LIFE for each in range(count)]


def _make_workshop(random: Random, now: int) -> Iterator[_Grant]:
    """Make tokens that were handed out in one hour of an afternoon (UTC, like the days of the forecast)."""
    afternoon = now - now % DAY + _WORKSHOP_DAY * DAY + 14 * HOUR
    for seat in range(1, _WORKSHOP_SEATS + 1):
        yield _Grant(
            username=f"workshop-{seat:02}",
            name="LISA workshop",
            expires=afternoon + random.randrange(HOUR),
            created_by=ADMINISTRATORS[0],
            groups=("workshop",),
        )


def _make_services(random: Random, now: int) -> Iterator[_Grant]:
    for service, name in SERVICES.items():
        if service in _EXPIRING_SERVICES:
            yield _make_system_grant(random, service, name, now + random.randrange(2 * DAY, 29 * DAY))
        elif service in _EXPIRED_SERVICES:
            yield _make_system_grant(random, service, name, now - random.randrange(DAY, 6 * DAY))
        else:
            # The present one, and earlier ones that nobody has removed.
            expires = now + random.randrange(32 * DAY, 75 * DAY)
            for age in range(_EARLIER_TOKENS.get(service, 0) + 1):
                yield _make_system_grant(random, service, name, expires - age * _ROTATION)


def _make_system_grant(random: Random, service: str, name: str, expires: int) -> _Grant:
    creator = random.choice(ADMINISTRATORS)
    return _Grant(username=service, name=name, expires=expires, created_by=creator, is_system=True)


def _make_unusual_rows(random: Random, now: int) -> Iterator[Item]:
    """Make rows that LISA itself never writes: they come from scripts and old versions."""
    later = now + random.randrange(40 * DAY, 80 * DAY)
    gateway = _make_row(random, _make_system_grant(random, "partner-gateway", "partner gateway", later))
    yield gateway | {"tokenExpiration": number(later * 1_000)}
    imported = _make_row(random, _make_system_grant(random, "terraform", "imported by script", later))
    yield imported | {"tokenExpiration": text(time_of(later).isoformat())}
    archive = _make_row(random, _make_system_grant(random, "archive-search", "archive search", later))
    yield {name: value for name, value in archive.items() if name != "tokenExpiration"}
    evidence = _make_row(random, _make_system_grant(random, "forensics", "incident evidence, keep", now - 120 * DAY))
    yield evidence | {"janitorHold": {"BOOL": True}}
    yield {"token": text(_make_token(random))}
    yield {"token": text(_make_token(random)), "tokenExpiration": number(now - 200 * DAY)}


def _make_row(random: Random, grant: _Grant) -> Item:
    """Make the row that LISA writes (lambda/api_tokens/handler.py at v6.6.0)."""
    return {
        "token": text(sha256(_make_token(random).encode()).hexdigest()),
        "tokenUUID": text(str(uuid.UUID(int=random.getrandbits(128), version=4))),
        "tokenExpiration": number(grant.expires),
        "createdDate": number(grant.expires - grant.life),
        "createdBy": text(grant.created_by),
        "username": text(grant.username),
        "groups": {"L": [text(group) for group in grant.groups]},
        "name": text(grant.name),
        "isSystemToken": {"BOOL": grant.is_system},
    }


def _make_token(random: Random) -> str:
    return f"{random.getrandbits(512):0128x}"  # as long as LISA makes them

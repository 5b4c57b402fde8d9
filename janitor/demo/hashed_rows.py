"""The rows of LISA 6.1 and later: key = sha256 of the token, and the attributes that LISA writes beside it."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from janitor.demo.dates import DAY, HOUR, spread
from janitor.demo.item import Item, number, text
from janitor.demo.names import ADMINISTRATORS, SERVICES, groups, people, token_name
from janitor.tokens.times import time_of

_LIFE = 90 * DAY  # what LISA proposes
_LONG_LIFE = 365 * DAY
_EVERY_LONG = 15  # one in so many people asks for the long one

_ACTIVE_PEOPLE = 216
_EXPIRING_PEOPLE = 25
_EXPIRED_PEOPLE = 8
_STALE_PEOPLE = 9

_WORKSHOP_SEATS = 14
_WORKSHOP_DAY = 12  # days ahead that its tokens expire

_ROTATION = 85 * DAY  # a service's token is replaced a little before it expires
_EARLIER_TOKENS = {"build-bot": 8, "nightly-eval": 6, "rag-ingest": 5, "ticket-triage": 4, "chat-gateway": 4}
_EXPIRING_SERVICES = ("grafana-probe", "mail-summary", "search-indexer")
_EXPIRED_SERVICES = ("load-test", "backup-smoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    """What was asked of LISA: whose token, and until which UNIX second. `life` is in seconds."""

    username: str
    name: str
    expires: int
    created_by: str
    groups: Sequence[str] = ("lisa-users",)
    is_system: bool = False
    life: int = _LIFE


def hashed_rows(random: Random, now: int) -> list[Item]:
    """Some 320 rows in every state at the UNIX second `now`."""
    grants = [*_personal(random, now), *_workshop(random, now), *_services(random, now)]
    return [*(_row(random, grant) for grant in grants), *_odd(random, now)]


def _personal(random: Random, now: int) -> Iterator[_Grant]:
    endings = [
        *((now + life - random.randrange(HOUR, life - 31 * DAY), life) for life in _lives(_ACTIVE_PEOPLE)),
        *((now + ahead, _LIFE) for ahead in spread(random, _EXPIRING_PEOPLE, HOUR, 29 * DAY)),
        *((now - ago, _LIFE) for ago in spread(random, _EXPIRED_PEOPLE, HOUR, 6 * DAY)),
        *((now - ago, _LIFE) for ago in spread(random, _STALE_PEOPLE, 8 * DAY, 700 * DAY)),
    ]
    # One token each, as LISA enforces it: so those whose token has expired are locked out.
    for owner, (expires, life) in zip(people(random, len(endings)), endings, strict=True):
        yield _Grant(
            username=owner,
            name=token_name(random),
            expires=expires,
            created_by=owner,
            groups=groups(random),
            life=life,
        )


def _lives(count: int) -> list[int]:
    return [_LONG_LIFE if each % _EVERY_LONG == 0 else _LIFE for each in range(count)]


def _workshop(random: Random, now: int) -> Iterator[_Grant]:
    """Tokens handed out in one hour of one afternoon (UTC, as the forecast counts days), which expire together."""
    afternoon = now - now % DAY + _WORKSHOP_DAY * DAY + 14 * HOUR
    for seat in range(1, _WORKSHOP_SEATS + 1):
        yield _Grant(
            username=f"workshop-{seat:02}",
            name="LISA workshop",
            expires=afternoon + random.randrange(HOUR),
            created_by=ADMINISTRATORS[0],
            groups=("workshop",),
        )


def _services(random: Random, now: int) -> Iterator[_Grant]:
    for service, name in SERVICES.items():
        if service in _EXPIRING_SERVICES:
            yield _system(random, service, name, now + random.randrange(2 * DAY, 29 * DAY))
        elif service in _EXPIRED_SERVICES:
            yield _system(random, service, name, now - random.randrange(DAY, 6 * DAY))
        else:
            # The one in use, and those before it that nobody has removed.
            expires = now + random.randrange(32 * DAY, 75 * DAY)
            for turn in range(_EARLIER_TOKENS.get(service, 0) + 1):
                yield _system(random, service, name, expires - turn * _ROTATION)


def _system(random: Random, service: str, name: str, expires: int) -> _Grant:
    creator = random.choice(ADMINISTRATORS)
    return _Grant(username=service, name=name, expires=expires, created_by=creator, is_system=True)


def _odd(random: Random, now: int) -> Iterator[Item]:
    """What LISA itself never writes, but scripts and the years do."""
    later = now + random.randrange(40 * DAY, 80 * DAY)
    gateway = _row(random, _system(random, "partner-gateway", "partner gateway", later))
    yield gateway | {"tokenExpiration": number(later * 1_000)}
    imported = _row(random, _system(random, "terraform", "imported by script", later))
    yield imported | {"tokenExpiration": text(time_of(later).isoformat())}
    archive = _row(random, _system(random, "archive-search", "archive search", later))
    yield {name: value for name, value in archive.items() if name != "tokenExpiration"}
    evidence = _row(random, _system(random, "forensics", "incident evidence, keep", now - 120 * DAY))
    yield evidence | {"janitorHold": {"BOOL": True}}
    yield {"token": text(_bearer(random))}
    yield {"token": text(_bearer(random)), "tokenExpiration": number(now - 200 * DAY)}


def _row(random: Random, grant: _Grant) -> Item:
    """What LISA writes for it (lambda/api_tokens/handler.py at v6.6.0)."""
    return {
        "token": text(sha256(_bearer(random).encode()).hexdigest()),
        "tokenUUID": text(str(uuid.UUID(int=random.getrandbits(128), version=4))),
        "tokenExpiration": number(grant.expires),
        "createdDate": number(grant.expires - grant.life),
        "createdBy": text(grant.created_by),
        "username": text(grant.username),
        "groups": {"L": [text(group) for group in grant.groups]},
        "name": text(grant.name),
        "isSystemToken": {"BOOL": grant.is_system},
    }


def _bearer(random: Random) -> str:
    return f"{random.getrandbits(512):0128x}"  # as long as LISA makes them

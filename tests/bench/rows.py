"""Made-up rows of a table that LISA 6.1 or later keeps: every attribute is there, one row in ten is a finding."""

import hashlib
import uuid
from collections import Counter

Item = dict[str, dict[str, object]]
"""A row as DynamoDB JSON."""

ROWS_PER_PAGE = 4_009
"""A row weighs 261 bytes as DynamoDB counts them, so that many fill a page of 1 MB."""

ROW_BYTES = 261
FINDING_EVERY = 10

_DAY = 86_400
_LIFE = 90 * _DAY
_NAMESPACE = uuid.UUID(int=0)
_FINDINGS = ("stale", "expired", "expiring")


def state_of(number: int, *, finding_every: int = FINDING_EVERY) -> str:
    """Say which state row `number` is made to have under janitor's default policy: 30 days ahead, 7 days of grace."""
    if number % finding_every:
        return "active"
    return _FINDINGS[number // finding_every % len(_FINDINGS)]


def expiry_of(number: int, now: int, *, finding_every: int = FINDING_EVERY) -> int:
    """Give row `number` its expiry in UNIX seconds, half a day from any border: a long run changes no state."""
    return now + _days(number, state_of(number, finding_every=finding_every), finding_every) * _DAY + _seconds(number)


def stale_expiry_of(number: int, now: int) -> int:
    """Give row `number` of a table where every row is stale its expiry in UNIX seconds."""
    return now + _days(number, "stale", 1) * _DAY + _seconds(number)


def _days(number: int, state: str, finding_every: int) -> int:
    turn = number // finding_every
    days = {
        "stale": -9 - turn % 30,
        "expired": -2 - turn % 4,
        "expiring": 1 + turn % 28,
        "active": 40 + number % 50,
    }
    return days[state]


def _seconds(number: int) -> int:
    """Spread the rows over half a day, as life does."""
    return number * 7_919 % (_DAY // 2)


def hashed_row(number: int, *, expiry: int, mark: str) -> Item:
    """Make one row as DynamoDB JSON.

    `mark` is four characters that stand at the front of the key, so that pages can be told apart by exchanging it:
    the key, and the fingerprint cut from it, differ wherever `number` or `mark` does. `expiry` is in UNIX seconds.
    """
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    identifier = str(uuid.uuid5(_NAMESPACE, str(number)))
    return {
        "token": {"S": mark + digest[len(mark) :]},
        "tokenUUID": {"S": mark + identifier[len(mark) :]},
        "tokenExpiration": {"N": str(expiry)},
        "createdDate": {"N": str(expiry - _LIFE)},
        "createdBy": {"S": "admin"},
        "username": {"S": f"user-{mark}-{number:05}@example.com"},
        "groups": {"L": [{"S": "lisa-users"}]},
        "name": {"S": f"pipeline of {mark}-{number:05}"},
        "isSystemToken": {"BOOL": False},
    }


def row_of_key(key: str, expiry: int) -> Item:
    """Make a row that follows from its key and expiry alone, so that a server can hand it back which keeps none."""
    return {
        "token": {"S": key},
        "tokenUUID": {"S": f"{key[:8]}-{key[8:12]}-4{key[13:16]}-8{key[17:20]}-{key[20:32]}"},
        "tokenExpiration": {"N": str(expiry)},
        "createdDate": {"N": str(expiry - _LIFE)},
        "createdBy": {"S": "admin"},
        "username": {"S": f"user-{key[:9]}@example.com"},
        "groups": {"L": [{"S": "lisa-users"}]},
        "name": {"S": f"pipeline of {key[:9]}"},
        "isSystemToken": {"BOOL": False},
    }


def counts_in(pages: int) -> Counter[str]:
    """Count the rows of `pages` replayed pages by the state they are made to have."""
    page = Counter(state_of(number) for number in range(ROWS_PER_PAGE))
    return Counter({state: count * pages for state, count in page.items()})


def findings_in(pages: int) -> int:
    """Count the rows of `pages` replayed pages that belong into a report."""
    counts = counts_in(pages)
    return counts.total() - counts["active"]

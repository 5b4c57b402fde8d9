"""What is not as the last run of the same table left it, as the report says it.

A token that is no finding any more was extended far ahead, or is gone; the server keeps active rows off the wire. So
the owners of such tokens are looked up, where the table has an index for that.
"""

from contextlib import suppress
from itertools import islice

from janitor.dynamodb.owners import MOST_LOOKUPS, PagesOfOwner
from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import get_logger
from janitor.notices.notice_memory import NoticeMemory
from janitor.report.changed import Change, ChangedToken, Changes
from janitor.stopping import Stop
from janitor.store.chunks import RememberedToken
from janitor.store.snapshot import Changed, Group
from janitor.tokens.classify import State
from janitor.tokens.expiration import moment, read_expiration
from janitor.tokens.redact import LONGEST, REMOVED
from janitor.tokens.times import time_of

log = get_logger("janitor.notices")

MOST_NAMED = 100
# Tokens that are missing are looked at up to this many; beyond, they are only counted.
_MOST_MISSING = 10_000


def changes_since(watch: NoticeMemory, pages_of_owner: PagesOfOwner | None, stop: Stop) -> tuple[Changes | None, float]:
    """The changes, and the read units that the look-ups cost; None where there was no run before, or no store works.

    Args:
        watch: has seen every finding of this run.
        pages_of_owner: reads the rows of an owner; None where the table has no index for it.
        stop: a request leaves the rest unchecked.
    """
    last = watch.last_run()
    if last is None:
        return None, 0.0
    missing = watch.missing(_MOST_MISSING)
    gone, units = ([], 0.0) if pages_of_owner is None else _gone(watch, missing, pages_of_owner, stop)
    found = watch.changes(MOST_NAMED + len(gone))
    if found is None:
        return None, units
    names = {entry.fingerprint for entry in gone}
    rest = tuple(changed for changed in found.vanished.first if changed.fingerprint not in names)
    changes = Changes(
        since=time_of(last.started_at),
        newly_expiring=_change(found.newly_expiring),
        newly_expired=_change(found.newly_expired),
        extended=_change(found.extended),
        gone=_change(Group(len(gone), tuple(_changed(entry) for entry in gone))),
        vanished=_change(Group(found.vanished.count - len(gone), rest)),
    )
    return changes, units


def _gone(
    watch: NoticeMemory, missing: list[RememberedToken], pages_of_owner: PagesOfOwner, stop: Stop
) -> tuple[list[RememberedToken], float]:
    """Of missing tokens those that are not in the table any more; the watch is told of the others."""
    by_owner: dict[str, list[RememberedToken]] = {}
    for entry in missing:
        # What is shown of a username is not always the username.
        if entry.username and entry.username != REMOVED and len(entry.username) < LONGEST:
            by_owner.setdefault(entry.username, []).append(entry)
    gone: list[RememberedToken] = []
    units = 0.0
    with suppress(StopRequestedError):
        for owner, entries in islice(by_owner.items(), MOST_LOOKUPS):
            try:
                with stop.waiting():
                    standing, cost = _standing(owner, pages_of_owner, watch)
            except JanitorError as error:
                log.warning("owners.not_looked_up", code=error.code, error=str(error))
                break
            units += cost
            watch.found(
                [
                    entry._replace(state=State.ACTIVE, expiry=standing[entry.fingerprint])
                    for entry in entries
                    if entry.fingerprint in standing
                ]
            )
            gone += [entry for entry in entries if entry.fingerprint not in standing]
    return gone, units


def _standing(owner: str, pages_of_owner: PagesOfOwner, watch: NoticeMemory) -> tuple[dict[str, int | None], float]:
    """The owner's tokens by fingerprint, with their expiries, and the read units it took."""
    rows: dict[str, int | None] = {}
    units = 0.0
    for page in pages_of_owner(owner):
        units += page.read_units
        for row in page.rows(range(page.count)):
            rows[watch.fingerprint_of(row)] = read_expiration(row.expiration)[0] if row.expiration is not None else None
    return rows, units


def _change(group: Group) -> Change:
    return Change(
        count=group.count,
        tokens=[
            ChangedToken(
                fingerprint=changed.fingerprint,
                username=changed.username,
                name=changed.name,
                expires_at=None if changed.expiry is None else moment(changed.expiry),
                expired_at_before=None if changed.previous_expiry is None else moment(changed.previous_expiry),
            )
            for changed in group.first[:MOST_NAMED]
        ],
    )


def _changed(gone: RememberedToken) -> Changed:
    return Changed(gone.fingerprint, gone.username, gone.name, None, gone.expiry)

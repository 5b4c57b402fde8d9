"""Find what changed since the last run of the same table.

A token that is no finding any more was extended beyond the horizon, or is gone. The scan cannot tell which, because the
server does not send active rows. So the owners of such tokens are looked up, where the table has an index for that.
"""

from contextlib import suppress
from itertools import islice

from janitor.dynamodb.owner_query import MAX_OWNER_LOOKUPS, PagesOfOwner
from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import get_logger
from janitor.notices.notice_memory import NoticeMemory
from janitor.report.changes import Change, ChangedToken, Changes
from janitor.stopping import Stop
from janitor.store.chunks import RememberedToken
from janitor.store.snapshot import ChangedEntry, ChangedGroup
from janitor.tokens.classify import State
from janitor.tokens.expiration import calendar_time, read_expiration
from janitor.tokens.redact import MAX_TEXT_LENGTH, REDACTED
from janitor.tokens.times import time_of

log = get_logger("janitor.notices")

MAX_NAMED = 100
# At most so many missing tokens are looked up; the others are only counted.
_MAX_MISSING = 10_000


def find_changes(memory: NoticeMemory, pages_of_owner: PagesOfOwner | None, stop: Stop) -> tuple[Changes | None, float]:
    """Find the changes, and the read units that the look-ups cost.

    The changes are None if there was no run before, or the store does not work.

    Args:
        memory: has taken every finding of this run.
        pages_of_owner: reads the rows of an owner; None if the table has no index for it.
        stop: a request leaves the rest unchecked.
    """
    last = memory.last_run()
    if last is None:
        return None, 0.0
    missing = memory.missing_tokens(_MAX_MISSING)
    gone, units = ([], 0.0) if pages_of_owner is None else _find_gone(memory, missing, pages_of_owner, stop)
    found = memory.changes(MAX_NAMED + len(gone))
    if found is None:
        return None, units
    gone_fingerprints = {entry.fingerprint for entry in gone}
    vanished = tuple(changed for changed in found.vanished.first if changed.fingerprint not in gone_fingerprints)
    changes = Changes(
        since=time_of(last.started_at),
        newly_expiring=_make_change(found.newly_expiring),
        newly_expired=_make_change(found.newly_expired),
        extended=_make_change(found.extended),
        gone=_make_change(ChangedGroup(len(gone), tuple(_make_changed_token(entry) for entry in gone))),
        vanished=_make_change(ChangedGroup(found.vanished.count - len(gone), vanished)),
    )
    return changes, units


def _find_gone(
    memory: NoticeMemory, missing: list[RememberedToken], pages_of_owner: PagesOfOwner, stop: Stop
) -> tuple[list[RememberedToken], float]:
    """Find the missing tokens that are not in the table any more, and add the others to the memory.

    Returns:
        the tokens that are gone, and the read units that the look-ups cost.
    """
    by_owner: dict[str, list[RememberedToken]] = {}
    for entry in missing:
        # A username that was removed or shortened for display cannot be looked up.
        if entry.username and entry.username != REDACTED and len(entry.username) < MAX_TEXT_LENGTH:
            by_owner.setdefault(entry.username, []).append(entry)
    gone: list[RememberedToken] = []
    units = 0.0
    with suppress(StopRequestedError):
        for owner, entries in islice(by_owner.items(), MAX_OWNER_LOOKUPS):
            try:
                with stop.interruptible_wait():
                    present_tokens, cost = _read_tokens(owner, pages_of_owner, memory)
            except JanitorError as error:
                log.warning("owners.not_looked_up", code=error.code, error=str(error))
                break
            units += cost
            memory.add_active_tokens(
                [
                    entry._replace(state=State.ACTIVE, expiry=present_tokens[entry.fingerprint])
                    for entry in entries
                    if entry.fingerprint in present_tokens
                ]
            )
            gone += [entry for entry in entries if entry.fingerprint not in present_tokens]
    return gone, units


def _read_tokens(owner: str, pages_of_owner: PagesOfOwner, memory: NoticeMemory) -> tuple[dict[str, int | None], float]:
    """Read the expiries of the owner's tokens, by fingerprint, and the read units that it cost."""
    rows: dict[str, int | None] = {}
    units = 0.0
    for page in pages_of_owner(owner):
        units += page.read_units
        for row in page.rows(range(page.count)):
            rows[memory.compute_row_fingerprint(row)] = (
                read_expiration(row.expiration)[0] if row.expiration is not None else None
            )
    return rows, units


def _make_change(group: ChangedGroup) -> Change:
    return Change(
        count=group.count,
        tokens=[
            ChangedToken(
                fingerprint=changed.fingerprint,
                username=changed.username,
                name=changed.name,
                expires_at=None if changed.expiry is None else calendar_time(changed.expiry),
                expired_at_before=None if changed.previous_expiry is None else calendar_time(changed.previous_expiry),
            )
            for changed in group.first[:MAX_NAMED]
        ],
    )


def _make_changed_token(gone: RememberedToken) -> ChangedEntry:
    return ChangedEntry(gone.fingerprint, gone.username, gone.name, None, gone.expiry)

"""When the owners of tokens were last seen, from LISA's usage table (--last-seen), and which of them are idle.

Idle is an owner with a token that LISA's API accepts, who was not seen for a while; a token that was made within that
time does not count. What LISA counts is a user's prompts, whichever way they came in: of one token it says nothing.
"""

from collections.abc import Callable, Mapping, Sequence

from janitor.background import wait_for_answer
from janitor.errors import JanitorError
from janitor.logs import get_logger
from janitor.readers.interface import JudgedRow
from janitor.report.model import Finding, IdleOwner, IdlePart, Remark
from janitor.stopping import Stop
from janitor.tokens.dialect import Gate
from janitor.tokens.expiration import calendar_time, whole_seconds
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import Row, text_of

log = get_logger("janitor.run")

# More users than LISA has ever had. Each takes some hundred bytes of memory.
_MAX_OWNERS = 200_000
# DynamoDB repeats all keys of a request that it does not understand.
_MAX_REASON_LENGTH = 500

ReadLastSeen = Callable[[Sequence[str]], Mapping[str, int]]
"""Takes usernames, and returns the UNIX second at which each was last seen, without those who never were."""


class LastSeenLookup:
    """Looks up the owners of a table's rows, each once.

    Attributes:
        count_read_units: what the look-ups have cost so far.
    """

    def __init__(
        self, read: ReadLastSeen, *, count_read_units: Callable[[], float], now: int, idle_after: int, stop: Stop
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            read: reads the usage table. Raises AwsError if it cannot.
            count_read_units: what its reads have cost so far.
            now: the UNIX second at which rows are judged.
            idle_after: for how many seconds an idle owner was not seen.
            stop: a request ends the look-ups, without an error.
        """
        self._read, self._stop = read, stop
        self.count_read_units = count_read_units
        self._idle_after, self._idle_since = idle_after, now - idle_after
        self._seen: dict[str, int | None] = {}
        self._idle: dict[str, IdleOwner] = {}
        self._problem: Remark | None = None

    def look_up(self, rows: Sequence[JudgedRow]) -> None:
        """Look up the owners of these rows who were not looked up before. Never raises for a failure of AWS."""
        owners = {owner for found in rows if (owner := text_of(found.row.username)) and owner not in self._seen}
        if owners and self._problem is None and not self._stop.is_requested():
            self._read_owners(sorted(owners))
        for found in rows:
            if Gate.API in found.verdict.accepted_by and self._is_idle(found.row):
                self._add_idle(found.row)

    def fill_in(self, rows: Sequence[JudgedRow], findings: Sequence[Finding]) -> None:
        """Fill in when the owners of these rows were last seen; `findings` are of the same rows, in their order."""
        for found, finding in zip(rows, findings, strict=True):
            seen = self._seen.get(text_of(found.row.username) or "")
            finding.last_seen = None if seen is None else calendar_time(seen)

    def part(self) -> IdlePart | None:
        """The idle owners for the report, by name; None if not all were looked up."""
        if self._problem is not None or self._stop.is_requested():
            return None
        owners = sorted(self._idle.values(), key=lambda owner: owner.username)
        return IdlePart(after_seconds=self._idle_after, owners=owners)

    def warnings(self) -> list[Remark]:
        """Why not all owners were looked up; empty if they were."""
        return [self._problem] if self._problem else []

    def _read_owners(self, owners: Sequence[str]) -> None:
        if len(self._seen) + len(owners) > _MAX_OWNERS:
            self._add_problem("too-many", f"there are more than {_MAX_OWNERS:,} of them")
            return
        try:
            seen = wait_for_answer(lambda: self._read(owners), self._stop.is_requested)
        except JanitorError as error:
            if not self._stop.is_requested():
                self._add_problem(error.code, str(error))
            return
        if seen is not None:
            self._seen |= {owner: seen.get(owner) for owner in owners}

    def _add_problem(self, code: str, why: str) -> None:
        log.warning("last_seen.not_looked_up", code=code)
        why = why if len(why) <= _MAX_REASON_LENGTH else f"{why[: _MAX_REASON_LENGTH - 1]}…"
        message = f"when owners were last seen was not looked up: {why}"
        self._problem = Remark(where="last_seen", code=code, message=message)

    def _is_idle(self, row: Row) -> bool:
        owner = text_of(row.username)
        if not owner or owner not in self._seen:
            return False
        created = whole_seconds(row.created_date.N) if row.created_date is not None and row.created_date.N else None
        return all(second is None or second <= self._idle_since for second in (self._seen[owner], created))

    def _add_idle(self, row: Row) -> None:
        owner = text_of(row.username) or ""
        if owner not in self._idle:
            seen = self._seen[owner]
            last_seen = None if seen is None else calendar_time(seen)
            self._idle[owner] = IdleOwner(username=redacted_texts(row).username or "", last_seen=last_seen)

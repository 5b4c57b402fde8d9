"""What came of a restore: a line per row, or one JSON object at the end."""

import json
from collections import Counter
from enum import StrEnum
from typing import Any, NamedTuple

from janitor.archive.plan import PlannedRow
from janitor.dynamodb.locate import Table
from janitor.errors import JanitorError
from janitor.report.finding_cells import NOTHING
from janitor.tokens.classify import classify
from janitor.tokens.expiration import calendar_time
from janitor.tokens.new_expiry import describe_expiry
from janitor.tokens.policy import Policy
from janitor.tokens.printable import printable
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import Row
from janitor.tokens.times import format_iso
from janitor.tokens.words import format_count, list_some

_MAX_LISTED = 10_000
_MAX_MESSAGES = 5
_MAX_OWNERS = 10


class RestoreOutcome(StrEnum):
    """What became of a row that was chosen; the values stand in the JSON object.

    `restored`: it was put back. `planned`: it would be, but for the dry run. `row-stands`: a row with its key is there,
    and was left alone. `was-not-deleted`: the archive says that it never was deleted. `owner-has-row`: its owner has
    another row by now, and --beside was not given. `failed`: it could not be put back.
    """

    RESTORED = "restored"
    PLANNED = "planned"
    STANDS = "row-stands"
    NOT_DELETED = "was-not-deleted"
    OWNER_HAS_ROW = "owner-has-row"
    FAILED = "failed"


_DESCRIPTIONS = {
    RestoreOutcome.STANDS: "skipped: a row with its key stands",
    RestoreOutcome.NOT_DELETED: "skipped: it was not deleted",
    RestoreOutcome.OWNER_HAS_ROW: "left out: its owner has another row",
    RestoreOutcome.FAILED: "failed",
}
_RESTORED = (RestoreOutcome.RESTORED, RestoreOutcome.PLANNED)
_SKIPPED = (RestoreOutcome.STANDS, RestoreOutcome.NOT_DELETED, RestoreOutcome.OWNER_HAS_ROW)


class RestoredRow(NamedTuple):
    """A row that was chosen, and what became of it; `error` says why it failed, if it did."""

    planned: PlannedRow
    row: Row
    outcome: RestoreOutcome
    error: JanitorError | None = None


class RestoreSummary:
    """Counts what becomes of each chosen row. It keeps the first 10,000 rows, whatever their number.

    Attributes:
        messages: why rows failed, each message once and at most five.
        left_out: the owners of rows that were left out because of another row, each once.
    """

    def __init__(self, table: Table, policy: Policy, now: int, *, is_dry_run: bool, next_command: str | None) -> None:
        """Start without rows.

        Args:
            table: where rows are put back.
            policy: the rules of the archive: which gates of LISA count.
            now: the UNIX second at which is judged what would accept a row.
            is_dry_run: whether nothing is put back.
            next_command: of a dry run, the command that puts the rows back; None if it cannot be shown.
        """
        self._table, self._policy, self._now = table, policy, now
        self._next_command = next_command
        self._is_dry_run = is_dry_run
        self._counts: Counter[RestoreOutcome] = Counter()
        self._rows: list[dict[str, Any]] = []
        self._accepted_again = 0
        self.messages: list[str] = []
        self.left_out: list[str] = []

    @property
    def chosen(self) -> int:
        """How many chosen rows were found."""
        return self._counts.total()

    @property
    def failed(self) -> int:
        """How many of them could not be put back."""
        return self._counts[RestoreOutcome.FAILED]

    def add(self, restored: RestoredRow) -> str:
        """Count a row, and return the line that says what became of it."""
        self._counts[restored.outcome] += 1
        message = str(restored.error) if restored.error else None
        if message and message not in self.messages and len(self.messages) < _MAX_MESSAGES:
            self.messages.append(message)
        planned, row = restored.planned, restored.row
        name, username, *_ = redacted_texts(row)
        verdict = classify(row, self._now, self._policy)
        if restored.outcome in _RESTORED:
            self._accepted_again += bool(verdict.accepted_by)
        if restored.outcome is RestoreOutcome.OWNER_HAS_ROW:
            self._note_left_out(printable(username or NOTHING))
        if len(self._rows) < _MAX_LISTED:
            names = {"fingerprint": planned.fingerprint, "row_name": planned.row_name}
            expires_at = calendar_time(verdict.expiry) if verdict.expiry is not None else None
            self._rows.append(
                {
                    **names,
                    "username": username,
                    "name": name,
                    "state": verdict.state,
                    "expires_at": format_iso(expires_at) if expires_at else None,
                    "accepted_by": verdict.accepted_by,
                    "outcome": restored.outcome,
                }
            )
        what = _DESCRIPTIONS.get(restored.outcome, self._restored)
        gates = " and ".join(verdict.accepted_by) or "nothing"
        means = f"{describe_expiry(row, verdict, self._now)}; accepted by {gates}"
        row_name = planned.row_name or planned.fingerprint
        return printable(f"{row_name}  {what}  {username or NOTHING}, {name or NOTHING}  {means}")

    def lines(self) -> list[str]:
        """The closing sentences, after the lines of the rows."""
        count = self._restorable
        sentences = [f"{count:,} of {self.chosen:,} chosen rows {self._restored} to {self._table.name}."]
        if count:
            sentences.append("They are as they were: a token that had expired is still expired, and LISA rejects it.")
        if self._accepted_again:
            it = "one of them" if self._accepted_again == 1 else f"{self._accepted_again:,} of them"
            sentences.append(f'But a gate of LISA accepts {it}: see "accepted by" above.')
        if count and self._is_dry_run:
            them = "it" if count == 1 else "them"
            how = f":\n  {self._next_command}" if self._next_command else ", give the same options without --dry-run."
            sentences.append(f"To put {them} back{how}")
        return sentences

    def json(self) -> str:
        """The JSON object, `janitor.restore/v1`."""
        table = self._table
        content = {
            "schema": "janitor.restore/v1",
            "table": {"name": table.name, "region": table.region, "account_id": table.account_id},
            "dry_run": self._is_dry_run,
            "chosen": self.chosen,
            # Of a dry run: how many would be. Scripts compare it with what the restore itself says.
            "restored": self._restorable,
            "skipped": {outcome: self._counts[outcome] for outcome in _SKIPPED},
            "failed": self.failed,
            "next_command": self._next_command if self._restorable else None,
            "rows": self._rows,
            "rows_omitted": self.chosen - len(self._rows),
        }
        return json.dumps(content, indent=2)

    def describe_left_out(self) -> str | None:
        """Say how many rows were left out because of other rows, whose they are, and what puts them back; or None."""
        count = self._counts[RestoreOutcome.OWNER_HAS_ROW]
        if not count:
            return None
        owners = list_some(self.left_out, _MAX_OWNERS, names="owners")
        were, it = ("was", "it") if count == 1 else ("were", "them")
        left_out = "would be left out" if self._is_dry_run else f"{were} left out"
        return (
            f"{format_count(count, 'row')} {left_out}, because the owner has another row ({owners}), and LISA "
            f"allows one token each; give --beside to put {it} back all the same"
        )

    def _note_left_out(self, owner: str) -> None:
        if owner not in self.left_out:
            self.left_out.append(owner)

    @property
    def _restorable(self) -> int:
        """How many rows were put back, or would be."""
        return sum(self._counts[outcome] for outcome in _RESTORED)

    @property
    def _restored(self) -> str:
        return "would be restored" if self._is_dry_run else "restored"

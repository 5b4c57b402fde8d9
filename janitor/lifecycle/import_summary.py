"""What came of an import: a line per row and closing sentences, or one JSON object."""

import datetime as dt
import shlex
import sys
from collections import Counter
from collections.abc import Sequence

import click

from janitor.dynamodb.locate import Table
from janitor.errors import ExitCode
from janitor.lifecycle.owners_file import Owner
from janitor.lifecycle.selection import TokenTable
from janitor.report.encode import encode_json_page
from janitor.report.model import TablePart
from janitor.report.token_import import ImportCounts, ImportedRow, ImportOutcome, ImportReason, TokenImport
from janitor.stopping import Stop
from janitor.tokens.expiration import calendar_time
from janitor.tokens.new_expiry import format_time_and_distance
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count, list_some

_MAX_LISTED = 10_000
_MAX_NAMED = 5

_WHY: dict[ImportReason | None, str] = {
    ImportReason.NO_OWNER: "the file does not say whose it is",
    ImportReason.EXPIRED: "LISA rejects it already: it has expired, or its date cannot be read",
    ImportReason.NO_EXPIRY: "it never ends, and LISA 6.1 and later needs an end: give --expires-in or --expires-at",
    ImportReason.USER_HAS_TOKEN: (
        "its owner has a row in the table, or a token on a line above, and LISA allows a person one; "
        "write yes in the column system if it is a system's"
    ),
    ImportReason.HOLDS_TOKEN: "its username, its name or a group has a token in it, or 40 hex digits or more",
    ImportReason.AMBIGUOUS: "another classic row has the same fingerprint, so whose it is cannot be told",
    ImportReason.NOT_IN_TABLE: "no classic row of the table has this fingerprint",
    ImportReason.CHANGED: "somebody changed or deleted its classic row in between; run it again",
    ImportReason.STANDS_EXPIRED: (
        "the token is in the table already, and LISA rejects it there: it has expired, or was revoked"
    ),
    ImportReason.OTHER_OWNER: "the token is in the table already, as another owner's",
}
_STANDS = "the token is in the table already"
# Lines of the file that did not lead to what somebody meant.
_MISTAKES = (
    ImportReason.HOLDS_TOKEN,
    ImportReason.AMBIGUOUS,
    ImportReason.NOT_IN_TABLE,
    ImportReason.CHANGED,
    ImportReason.STANDS_EXPIRED,
    ImportReason.OTHER_OWNER,
)


class ImportSummary:
    """Counts what becomes of each row. It keeps the first 10,000 rows, whatever their number."""

    def __init__(self, present: TokenTable, old: Table, *, is_dry_run: bool, form: str | None) -> None:
        """Prepare.

        Args:
            present: the table that is written.
            old: the table that the classic rows come from.
            is_dry_run: whether nothing is written.
            form: `table` or `json`; None for the first on a terminal, else the second.
        """
        self._present, self._old, self._is_dry_run = present, old, is_dry_run
        self._is_json = (form or ("table" if sys.stdout.isatty() else "json")) == "json"
        self._outcomes: Counter[ImportOutcome] = Counter()
        self._reasons: Counter[ImportReason | None] = Counter()
        self._scanned = self._classic = 0
        self._rows: list[ImportedRow] = []
        self._without_owner: list[ImportedRow] = []
        self._old_rows: list[str] = []
        self._old_rows_count = 0

    def count_scanned(self, *, is_classic: bool) -> None:
        """Count a row of the old table."""
        self._scanned += 1
        self._classic += is_classic

    def leave_out(self, fingerprint: str, owner: Owner | None, reason: ImportReason) -> None:
        """Count a row that is left out, or a line that no row belongs to; `owner` is None if the file names none."""
        self._add(fingerprint, owner, ImportOutcome.LEFT_OUT, _WHY[reason], reason=reason)

    def add(self, fingerprint: str, owner: Owner, outcome: ImportOutcome, why: str) -> None:
        """Count a row that was not written, or that needs no import, for this reason."""
        self._add(fingerprint, owner, outcome, why)

    def add_standing(self, fingerprint: str, owner: Owner, row_name: str, reason: ImportReason | None) -> None:
        """Count a row whose key a row of this name has already; the reason says what is wrong with that one."""
        way_out = "" if reason is None else f"; see `janitor token show {row_name}`"
        why = f"{_WHY.get(reason, _STANDS)}, and was left as it is{way_out}"
        self._add(fingerprint, owner, ImportOutcome.ALREADY_THERE, why, reason=reason)

    def add_written(self, fingerprint: str, owner: Owner, outcome: ImportOutcome, expires: int) -> None:
        """Count a row that was written, or would be, with this UNIX second as its expiry."""
        why = f"expires {format_time_and_distance(expires, self._present.now)}"
        self._add(fingerprint, owner, outcome, why, expires_at=calendar_time(expires))

    def note_old_row(self, row_name: str) -> None:
        """Count a classic row whose token has a hashed row by now, or would have: it still holds the key."""
        self._old_rows_count += 1
        if len(self._old_rows) < _MAX_LISTED:
            self._old_rows.append(row_name)

    def warn_of_management_keys(self, fingerprints: Sequence[str]) -> None:
        """Say on stderr, before anything is written, which of the tokens may be LISA's management key."""
        if not fingerprints:
            return
        click.echo(
            f"janitor: {format_count(len(fingerprints), 'token')} may be LISA's management key, which lisa-sdk leaves "
            f"in such rows ({list_some(fingerprints, _MAX_NAMED)}): as a user's token it would outlive a rotation of "
            "that key; compare with `janitor token fingerprint` of the key, and clear the username of its line",
            err=True,
        )

    def end(self, stop: Stop) -> int:
        """Print the report, and on stderr what went wrong; return the exit code."""
        self._rows.sort(key=lambda row: row.line or 0)
        click.echo(encode_json_page(self._build_document()).decode() if self._is_json else "\n".join(self._lines()))
        for row in self._rows:
            if row.outcome is ImportOutcome.FAILED or row.reason in _MISTAKES:
                click.echo(f"janitor: line {row.line}, {row.fingerprint}: {printable(row.why)}", err=True)
        if stop.is_requested():
            click.echo(f"janitor: {stop.reason}; run it again for the rest", err=True)
            return stop.exit_code
        has_failed = self._outcomes[ImportOutcome.FAILED] or any(self._reasons[reason] for reason in _MISTAKES)
        return ExitCode.FAILED if has_failed else ExitCode.DONE

    def _add(
        self,
        fingerprint: str,
        owner: Owner | None,
        outcome: ImportOutcome,
        why: str,
        *,
        reason: ImportReason | None = None,
        expires_at: dt.datetime | None = None,
    ) -> None:
        self._outcomes[outcome] += 1
        self._reasons[reason] += 1
        rows = self._without_owner if owner is None else self._rows
        if len(rows) >= _MAX_LISTED:
            return
        # Beside a text that holds a token, nothing of the line is repeated.
        shown = None if reason is ImportReason.HOLDS_TOKEN else owner
        rows.append(
            ImportedRow(
                fingerprint=fingerprint,
                line=owner.line if owner else None,
                username=shown.username if shown else None,
                name=shown.name if shown else None,
                groups=list(shown.groups) if shown else [],
                system=shown.is_system if shown else False,
                outcome=outcome,
                reason=reason,
                expires_at=expires_at,
                why=why,
            )
        )

    def _build_document(self) -> TokenImport:
        rows = [*self._rows, *self._without_owner][:_MAX_LISTED]
        return TokenImport(
            dry_run=self._is_dry_run,
            table=self._present.part,
            from_table=TablePart(
                name=self._old.name,
                region=self._old.region,
                account_id=self._old.account_id,
                endpoint=self._old.endpoint,
            ),
            now=calendar_time(self._present.now) or dt.datetime.max.replace(tzinfo=dt.UTC),
            counts=ImportCounts(
                scanned=self._scanned,
                classic=self._classic,
                **{outcome.value: self._outcomes[outcome] for outcome in ImportOutcome},
            ),
            rows=rows,
            rows_omitted=self._outcomes.total() - len(rows),
            plain_text_rows=self._old_rows,
        )

    def _lines(self) -> list[str]:
        lines = [self._describe_row(row) for row in self._rows]
        if omitted := self._outcomes.total() - self._reasons[ImportReason.NO_OWNER] - len(self._rows):
            lines.append(f"… and {omitted:,} more")
        done = ImportOutcome.PLANNED if self._is_dry_run else ImportOutcome.IMPORTED
        verb = "would be imported" if self._is_dry_run else "imported"
        tokens = format_count(self._classic, "classic token")
        lines.append(f"{self._outcomes[done]:,} of {tokens} of {self._old.name} {verb} into {self._present.name}.")
        if without := self._reasons[ImportReason.NO_OWNER]:
            names = [row.fingerprint for row in self._without_owner[:_MAX_NAMED]]
            lines.append(f"Left out, because the file names no owner: {list_some(names, _MAX_NAMED, total=without)}.")
        if self._is_dry_run and self._outcomes[done]:
            lines.append("Nothing was written: give --write.")
        if self._old_rows_count:
            lines.append(self._describe_old_rows())
        return lines

    def _describe_old_rows(self) -> str:
        is_one = self._old_rows_count == 1
        hold = ("would still hold" if self._is_dry_run else "still holds" if is_one else "still hold") + " the key"
        removal = f"`janitor token remove ROW --table {shlex.quote(self._old.name)}`"
        names = list_some(self._old_rows, _MAX_NAMED, total=self._old_rows_count)
        return (
            f"{format_count(self._old_rows_count, 'old row')} {hold} in plain text; once clients work, remove "
            f"{'it' if is_one else 'each'} with {removal}: {names}."
        )

    def _describe_row(self, row: ImportedRow) -> str:
        planned = row.outcome is ImportOutcome.PLANNED
        outcome = "would be imported" if planned else row.outcome.replace("_", " ")
        who = f"{printable(row.username or '-')}{' (system)' if row.system else ''}, {printable(row.name or '-')}"
        return f"{row.fingerprint}  line {row.line}  {who}  {outcome}: {printable(row.why)}"

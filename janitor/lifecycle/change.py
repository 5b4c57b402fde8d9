"""`token extend`, `token revoke` and `token remove`: change the chosen rows one by one, and report on each."""

import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import click

from janitor.background import wait_for_answer
from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.set_expiration import ExpirationSetter, UpdateOutcome, UpdateResult
from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.lifecycle.selection import TokenTable, print_rows
from janitor.logs import get_logger
from janitor.report.encode import encode_json_page
from janitor.report.token_change import ChangeOutcome, Command, RowChange, TokenChange, describe_change
from janitor.settings.token_change import SelectionSettings
from janitor.stopping import IN_FLIGHT_SECONDS, Stop
from janitor.tokens.classify import classify
from janitor.tokens.expiration import calendar_time
from janitor.tokens.new_expiry import Decision, NewExpiry, NoChange, Refusal, describe_expiry, format_time_and_distance
from janitor.tokens.printable import printable
from janitor.tokens.row import Row
from janitor.tokens.words import format_count

log = get_logger("janitor.token")

_WRITTEN = frozenset({ChangeOutcome.EXTENDED, ChangeOutcome.REVOKED, ChangeOutcome.DELETED})
NO_ANSWER = "no answer came before the command had to end: it may be done or not"


class ChangeResult(NamedTuple):
    """What became of a row.

    Attributes:
        outcome: what was done to it, or why nothing was, in a word.
        why: the state before and after, or why nothing was done.
        second: the new expiry, if one was written or would be.
        exit_code: what the command's exit code becomes by it; the worst of all rows counts.
    """

    outcome: ChangeOutcome
    why: str
    second: int | None = None
    exit_code: ExitCode = ExitCode.DONE

    @classmethod
    def failed(cls, outcome: ChangeOutcome, why: str) -> "ChangeResult":
        """Something went wrong, or somebody else was faster."""
        return cls(outcome, why, exit_code=ExitCode.FAILED)

    @classmethod
    def refused(cls, why: str, exit_code: ExitCode = ExitCode.REFUSED) -> "ChangeResult":
        """A guard refused; with USAGE the command line would have to be another one."""
        return cls(ChangeOutcome.REFUSED, why, exit_code=exit_code)


ChangeRow = Callable[[StoredItem], ChangeResult]
"""Changes one row, or only plans to in a dry run."""


class ChangeReporter:
    """Reports what became of each row: a line each as it happens, or one JSON object at the end.

    Attributes:
        is_json: whether it is the JSON object.
    """

    def __init__(self, command: Command, chosen: SelectionSettings, table: TokenTable) -> None:
        self._command = command
        self._chosen = chosen
        self._table = table
        self._rows: list[RowChange] = []
        self._exit_codes: set[ExitCode] = set()
        self._write_error: OSError | None = None
        self.is_json = (chosen.format or ("table" if sys.stdout.isatty() else "json")) == "json"

    def list_rows(self, found: Sequence[StoredItem], user: str | None) -> bool:
        """List the rows on stderr before any of them is changed, if an owner's name chose them.

        Returns:
            whether the list was written.
        """
        if user is None:
            return False
        with self._write_errors_kept():
            click.echo(f"{format_count(len(found), 'token')} of {printable(user)} in {self._table.name}:", err=True)
            print_rows(found, self._table)
        return self._write_error is None

    def add(self, found: StoredItem, result: ChangeResult) -> None:
        """Count a row, and print what became of it."""
        new_expiry = calendar_time(result.second) if result.second is not None else None
        change = RowChange(
            token=self._table.finding(found),
            outcome=result.outcome,
            new_expires_at=new_expiry,
            why=printable(result.why),
        )
        self._rows.append(change)
        self._exit_codes.add(result.exit_code)
        with self._write_errors_kept():
            if result.exit_code is not ExitCode.DONE:
                click.echo(f"janitor: {describe_change(change, self._command)}", err=True)
            elif not self.is_json:
                click.echo(describe_change(change, self._command))

    def list_owners(self, outcomes: Collection[ChangeOutcome]) -> list[str]:
        """The owners of the rows with these outcomes, each once."""
        owners = (row.token.username for row in self._rows if row.outcome in outcomes)
        return list(dict.fromkeys(owner for owner in owners if owner))

    def print_note(self, sentence: str) -> None:
        """Print what else the user should know, on stderr; nothing for an empty sentence."""
        if sentence:
            with self._write_errors_kept():
                click.echo(f"janitor: {sentence}", err=True)

    def end(self, stop: Stop, archive: str | None = None) -> int:
        """Print the rest.

        Args:
            stop: whether the command was stopped early.
            archive: where deleted rows are kept.

        Returns:
            the exit code.
        """
        if self.is_json:
            with self._write_errors_kept():
                click.echo(encode_json_page(self._build_document(archive)).decode())
        if stop.is_requested():
            untouched = sum(row.outcome is ChangeOutcome.UNTOUCHED for row in self._rows)
            count = len(self._rows)
            click.echo(f"janitor: {stop.reason} after {count - untouched} of {format_count(count, 'token')}", err=True)
            return stop.exit_code
        if self._write_error is not None:
            with self._write_errors_kept():
                sentence = f"{self._count_changed()}, but not all output was written: {self._write_error.strerror}"
                click.echo(f"janitor: {sentence}", err=True)
            return ExitCode.FAILED
        if ExitCode.USAGE in self._exit_codes and any(row.outcome in _WRITTEN for row in self._rows):
            # 2 would say that nothing was done.
            return ExitCode.FAILED
        worst_first = (ExitCode.FAILED, ExitCode.USAGE)
        return next((code for code in worst_first if code in self._exit_codes), max(self._exit_codes))

    def _count_changed(self) -> str:
        changed = sum(row.outcome in _WRITTEN for row in self._rows)
        return f"{changed:,} of {format_count(len(self._rows), 'token')} {'was' if changed == 1 else 'were'} changed"

    @contextmanager
    def _write_errors_kept(self) -> Iterator[None]:
        """Keep an output error for the end: a reader that has gone away must not stop the changes half-way."""
        try:
            yield
        except OSError as error:
            self._write_error = error

    def _build_document(self, archive: str | None) -> TokenChange:
        return TokenChange(
            command=self._command,
            dry_run=self._chosen.dry_run,
            table=self._table.part,
            now=calendar_time(self._table.now) or dt.datetime.max.replace(tzinfo=dt.UTC),
            archive=archive,
            rows=self._rows,
        )


def change_rows(found: Sequence[StoredItem], change_row: ChangeRow, reporter: ChangeReporter, stop: Stop) -> None:
    """Change the rows one after the other; after a request to stop, leave the rest untouched."""
    for each in found:
        if stop.is_requested():
            reporter.add(each, ChangeResult(ChangeOutcome.UNTOUCHED, "the command was stopped before its turn"))
        else:
            reporter.add(each, change_row(each))


def make_expiry_change(
    outcome: ChangeOutcome, decide: Callable[[Row], Decision], table: TokenTable, stop: Stop, *, is_dry_run: bool
) -> ChangeRow:
    """Make the function that changes a row's expiry.

    Args:
        outcome: what a written change is called.
        decide: decides on the new expiry of a row.
        table: where the rows are.
        stop: says whether the run was asked to stop.
        is_dry_run: whether nothing is written.
    """
    expirations = ExpirationSetter(table.opened.aws.dynamodb, table.name, table.policy)

    def change_row(found: StoredItem) -> ChangeResult:
        match decide(found.row):
            case NoChange(why):
                return ChangeResult(ChangeOutcome.UNCHANGED, why)
            case Refusal(why, way_out, needs_yes):
                return ChangeResult.refused(f"{why}; {way_out}", ExitCode.REFUSED if needs_yes else ExitCode.USAGE)
            case NewExpiry(second):
                why = f"{describe_row_expiry(found.row, table)} -> {format_time_and_distance(second, table.now)}"
                if is_dry_run:
                    return ChangeResult(ChangeOutcome.PLANNED, why, second)
                updated = wait_for_answer(
                    lambda: expirations.set(found, second), lambda: stop.has_passed(IN_FLIGHT_SECONDS)
                )
                result = _result_of_update(found, updated, ChangeResult(outcome, why, second), table)
                log.info("token.expiry", row_name=table.finder.row_name_of(found), outcome=result.outcome)
                return result

    return change_row


def describe_row_expiry(row: Row, table: TokenTable) -> str:
    """A row's expiry in words."""
    return describe_expiry(row, classify(row, table.now, table.policy), table.now)


def describe_current_row(found: StoredItem, table: TokenTable) -> str:
    """Look the row up again, and describe what somebody else changed of it."""
    try:
        current = table.finder.find_by_key(found.row.key.S or "")
    except (StopRequestedError, JanitorError):
        current = None
    if current is None:
        return "somebody changed it in between; look again"
    return describe_difference(found.row, current.row, table)


def describe_difference(before: Row, current: Row, table: TokenTable) -> str:
    """Describe what somebody else changed of a row: both expiries, and the names of other changed attributes."""
    changes = []
    if before.expiration != current.expiration:
        expiries = describe_row_expiry(before, table), describe_row_expiry(current, table)
        changes.append("its expiry was {}, and is now {}".format(*expiries))
    others = {"token_uuid": "tokenUUID", "hold": "janitorHold", "username": "username", "is_system": "isSystemToken"}
    changed = [attribute for name, attribute in others.items() if getattr(before, name) != getattr(current, name)]
    if changed:
        changes.append(f"its {' and '.join(changed)} changed")
    return f"somebody changed it in between: {', '.join(changes) or 'it is another row'}; look again"


def _result_of_update(
    found: StoredItem, updated: UpdateResult | None, success: ChangeResult, table: TokenTable
) -> ChangeResult:
    if updated is None:
        return ChangeResult.failed(ChangeOutcome.FAILED, NO_ANSWER)
    match updated.outcome:
        case UpdateOutcome.SET:
            return success
        case UpdateOutcome.ALREADY_GONE:
            return ChangeResult.failed(ChangeOutcome.ALREADY_GONE, "somebody deleted it in between")
        case UpdateOutcome.CHANGED if updated.current_row is not None:
            return ChangeResult.failed(
                ChangeOutcome.CHANGED, describe_difference(found.row, updated.current_row, table)
            )
        case _:
            return ChangeResult.failed(ChangeOutcome.FAILED, str(updated.error or "why is not known"))

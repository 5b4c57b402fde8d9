"""`token remove`: delete the chosen rows at once. Each is archived first, then deleted if it still is as it was seen.

found ──durable──> archive ──delete, on condition──> outcome ──> archive
"""

from functools import partial

import click
import msgspec

from janitor.archive.archive import Archive
from janitor.archive.plan import PlanHeader, PlannedRow, RowOutcome
from janitor.background import wait_for_answer
from janitor.dynamodb.delete import Deleter, RowResult
from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.target import Target
from janitor.errors import ExitCode, JanitorError, SinkError
from janitor.lifecycle.change import (
    NO_ANSWER,
    ChangeReporter,
    ChangeResult,
    ChangeRow,
    change_rows,
    describe_current_row,
    describe_row_expiry,
)
from janitor.lifecycle.selection import TokenTable, choose_rows, open_token_table, print_rows
from janitor.logs import get_logger
from janitor.report.token_change import ChangeOutcome
from janitor.settings.token_change import ChangeCommand, RemoveSettings
from janitor.stopping import IN_FLIGHT_SECONDS, Stop
from janitor.tokens.classify import classify
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.words import format_count
from janitor.wiring.archives import check_archive, make_archive
from janitor.wiring.confirm import NO_TERMINAL, WAY_OUT, NotConfirmedError, can_ask, confirm
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.plans import build_header

log = get_logger("janitor.delete")


class RowRemover:
    """Archives and deletes rows one after the other, all into one archive.

    Attributes:
        errors: what went wrong besides rows that were not deleted: above all, outcomes that the archive lacks.
    """

    def __init__(
        self,
        *,
        deleter: Deleter,
        archive: Archive,
        header: PlanHeader,
        policy: Policy,
        fingerprint_key: bytes | None = None,
    ) -> None:
        """Prepare; nothing is sent or written.

        Args:
            deleter: deletes.
            archive: where the rows are kept; it is not open yet.
            header: the first line of the archive.
            policy: the rules that the rows are judged by.
            fingerprint_key: the key of the fingerprints; None for plain ones.
        """
        self.errors: list[JanitorError] = []
        self._deleter = deleter
        self._archive = archive
        self._header = header
        self._policy = policy
        self._fingerprint_key = fingerprint_key

    def open(self) -> None:
        """Open the archive, which proves that it can be written.

        Raises:
            SinkError: it cannot.
        """
        self._archive.open(self._header)

    def remove(self, found: StoredItem) -> RowResult:
        """Archive a row, then delete it if it still is as it was seen.

        Returns:
            the outcome: `deleted`, `changed`, `already_gone` or `failed`.

        Raises:
            SinkError: the archive could not take the row, so nothing was deleted.
        """
        fingerprint = compute_fingerprint(found.row, self._policy.dialect, self._fingerprint_key)
        row_name = make_row_name(found.row, fingerprint, self._fingerprint_key)
        state = classify(found.row, self._header.now, self._policy).state
        # The archive gives the row its number.
        planned = PlannedRow(0, fingerprint, row_name, state, msgspec.Raw(found.item))
        number = self._archive.store([planned])
        batch = self._deleter.delete([Target.for_named_row(found.item, self._policy)])
        if batch.fatal_error is not None:
            self.errors.append(batch.fatal_error)
        [result] = batch.rows
        log.info("token.removed", row_name=row_name, outcome=result.outcome, code=result.code)
        self._archive_outcome(RowOutcome.of_row(number, fingerprint, result.outcome, result.item))
        return result

    def remove_one(self, found: StoredItem) -> RowResult:
        """Open the archive, remove this one row, and close the archive.

        Raises:
            SinkError: the archive cannot be written, so nothing was deleted.
            JanitorError: DynamoDB refused to delete the row, or could not be reached.
        """
        self.open()
        try:
            result = self.remove(found)
        except SinkError:
            self._archive.abandon()
            raise
        self.close()
        if result.outcome is DeletionOutcome.FAILED and self.errors:
            raise self.errors[0]
        return result

    def close(self) -> None:
        """Close the archive. Never raises: what was deleted stays deleted."""
        try:
            # No scan found these rows, so there are no counts for a guard to judge by.
            self._archive.close(None)
        except SinkError as error:
            self._archive.abandon()
            self._add_archive_error(error)

    def _archive_outcome(self, outcome: RowOutcome) -> None:
        try:
            self._archive.record_outcomes([outcome])
        except SinkError as error:
            self._add_archive_error(error)

    def _add_archive_error(self, error: SinkError) -> None:
        log.error("archive.incomplete", code=error.code, error=str(error))
        sentence = f"the archive holds these rows, but not their outcomes: {error}"
        self.errors.append(SinkError(sentence, code=error.code))


def remove_tokens(name: str | None, remove: RemoveSettings, settings: ChangeCommand, run_id: str, stop: Stop) -> int:
    """Remove the chosen rows, and report on each.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or it is not there, or the name fits several; or a setting is wrong.
        NotConfirmedError: nobody said yes.
        AwsError: AWS refused or could not be reached.
        SinkError: the archive cannot be written.
    """
    check_archive(remove)
    choice = choose_rows(name, settings.chosen.user)
    table = prepare_or_stop(lambda: open_token_table(settings, stop, is_dry_run=settings.chosen.dry_run), stop)
    found = prepare_or_stop(lambda: choice.find(table), stop)
    reporter = ChangeReporter("token remove", settings.chosen, table)
    is_listed = reporter.list_rows(found, choice.user)
    removable = [each for each in found if find_protection(each.row, table.policy) is None]
    if settings.chosen.dry_run or not removable:
        change_rows(found, partial(_plan_removal, table), reporter, stop)
        return reporter.end(stop)
    if not remove.yes:
        _confirm_removal(removable, table, stop, is_listed=is_listed)
    header = build_header(table.opened.table, table.policy, run_id, table.now, None)
    archive = make_archive(remove, table.opened, header, stop)
    deleter = Deleter(table.opened.aws.dynamodb, table.name, api="auto", pause=stop.pause)
    remover = RowRemover(
        deleter=deleter, archive=archive, header=header, policy=table.policy, fingerprint_key=table.fingerprint_key
    )
    remover.open()
    try:
        change_rows(found, _make_removal(remover, table, stop), reporter, stop)
    finally:
        remover.close()
    code = reporter.end(stop, archive.location)
    for error in remover.errors:
        click.echo(f"janitor: {error}", err=True)
    return ExitCode.FAILED if remover.errors and code == ExitCode.DONE else code


def _confirm_removal(removable: list[StoredItem], table: TokenTable, stop: Stop, *, is_listed: bool) -> None:
    """Ask whoever sits at the terminal."""
    if not can_ask():
        raise NotConfirmedError(f"nothing was removed: {NO_TERMINAL}", WAY_OUT)
    if not is_listed:
        print_rows(removable, table)
    accepted = sum(bool(classify(each.row, table.earliest, table.policy).accepted_by) for each in removable)
    warning = f", {accepted:,} of them still accepted by LISA" if accepted else ""
    confirm(f"Delete {format_count(len(removable), 'token')} of {table.name}{warning}?", "nothing was removed", stop)


def _plan_removal(table: TokenTable, found: StoredItem) -> ChangeResult:
    """Say what would become of a row; nothing is changed."""
    planned = ChangeResult(ChangeOutcome.PLANNED, describe_row_expiry(found.row, table))
    return _refuse_protected(found, table) or planned


def _make_removal(remover: RowRemover, table: TokenTable, stop: Stop) -> ChangeRow:
    def remove_row(found: StoredItem) -> ChangeResult:
        refused = _refuse_protected(found, table)
        if refused is not None:
            return refused
        try:
            result = wait_for_answer(lambda: remover.remove(found), lambda: stop.has_passed(IN_FLIGHT_SECONDS))
        except SinkError as error:
            return ChangeResult.failed(ChangeOutcome.FAILED, f"{error}; so it was not deleted")
        return _result_of_delete(found, result, table)

    return remove_row


def _refuse_protected(found: StoredItem, table: TokenTable) -> ChangeResult | None:
    protection = find_protection(found.row, table.policy)
    if protection is None:
        return None
    way_out = "take janitorHold out of its row" if protection == "hold" else "leave that --protect option out"
    return ChangeResult.refused(f"it is protected ({protection}); {way_out} to remove it")


def _result_of_delete(found: StoredItem, result: RowResult | None, table: TokenTable) -> ChangeResult:
    if result is None:
        return ChangeResult.failed(ChangeOutcome.FAILED, NO_ANSWER)
    match result.outcome:
        case DeletionOutcome.DELETED:
            return ChangeResult(ChangeOutcome.DELETED, describe_row_expiry(found.row, table))
        case DeletionOutcome.ALREADY_GONE:
            return ChangeResult(ChangeOutcome.ALREADY_GONE, "it is gone: deleted by this command, or by somebody else")
        case DeletionOutcome.CHANGED:
            return ChangeResult.failed(ChangeOutcome.CHANGED, describe_current_row(found, table))
        case _:
            return ChangeResult.failed(ChangeOutcome.FAILED, f"it could not be deleted ({result.code})")

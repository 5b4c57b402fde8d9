"""`janitor restore`: put rows of archives back into their table, each only where no row with its key stands."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import click
import msgspec

from janitor.archive.plan_reader import PlanReader, hash_key
from janitor.background import WAKE_SECONDS, Workers
from janitor.dynamodb.add_row import RowAdder
from janitor.dynamodb.read_row import read_row
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.lifecycle.archived_rows import ManyRowsError, RestorableRow, RestoreChoice, choose_archived_rows
from janitor.lifecycle.restore_summary import RestoredRow, RestoreOutcome, RestoreSummary
from janitor.logs import get_logger
from janitor.report.finding_cells import NOTHING
from janitor.report.target_options import quote_word
from janitor.settings.deletion import RestoreSettings
from janitor.settings.setting import variable
from janitor.settings.table import CONNECTION_OPTIONS, TableSettings
from janitor.stopping import IN_FLIGHT_SECONDS, Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.meaning import describe_key_and_uuid
from janitor.tokens.printable import printable
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import Row, text_of
from janitor.wiring.apply import open_table_of_plan
from janitor.wiring.command_options import format_options
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.open_table import OpenTable, list_chosen, make_owner_reader
from janitor.wiring.plans import read_policy
from janitor.wiring.stored_archives import open_archives

log = get_logger("janitor.restore")

_WORKERS = 16
_MAX_PENDING = 64

Put = Callable[[RestorableRow], RestoreOutcome]
"""Puts a row back unless something stands in its way, and returns what became of it. Threads share it."""


def restore_rows(archive: str, settings: RestoreSettings, table: TableSettings, stop: Stop) -> int:
    """Put the chosen rows back, and report on each on standard output.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no row is chosen, there is no archive or it is damaged, or it is of another table.
        AwsError: AWS refused or could not be reached.
    """
    choice = _read_choice(settings)
    archives, opened = prepare_or_stop(lambda: _open_archives(archive, table), stop)
    put = _make_dry_run_put(opened) if settings.dry_run else _make_put(opened)
    summary = RestoreSummary(
        opened.table,
        read_policy(archives[0].header),
        opened.earlier_time(),
        is_dry_run=settings.dry_run,
        next_command=_make_next_command(archive, settings, table) if settings.dry_run else None,
    )
    is_json = _is_json(settings)
    read_error: JanitorError | None = None
    try:
        if not settings.beside and opened.table.dialect is Dialect.HASHED:
            put = _make_put_if_alone(put, opened, _hash_restorable_rows(archives, choice))
        for restored in _put_back(archives, choice, put, stop):
            line = summary.add(restored)
            if not is_json:
                click.echo(line)
    except JanitorError as error:
        if isinstance(error, ManyRowsError):
            _print_matching_rows(error)
        if not summary.chosen:
            raise
        read_error = error
    click.echo(summary.json() if is_json else "\n".join(summary.lines()))
    if read_error is not None:
        raise read_error
    return _end(summary, archive, stop)


def _read_choice(settings: RestoreSettings) -> RestoreChoice:
    is_named = bool(settings.fingerprint or settings.user)
    if settings.all == is_named:
        way_out = "give --fingerprint HEX, --user NAME, or --all"
        sentence = "--all and a choice of rows exclude each other" if is_named else "no row is chosen"
        raise ConfigurationError(sentence, way_out)
    return RestoreChoice(settings.fingerprint, settings.user, settings.all)


def _make_next_command(archive: str, settings: RestoreSettings, table: TableSettings) -> str | None:
    """Make the command that puts back what this dry run shows: the same one without --dry-run.

    None if an option cannot be shown as it is: without it other rows could be put back, or to another place.
    """
    choice = format_options(settings, ("fingerprint", "user", "all", "beside"))
    target = format_options(table, (*list_chosen(table), *CONNECTION_OPTIONS))
    if choice.withheld or target.withheld:
        return None
    without = "" if settings.given_by_flag("dry_run") else f"env -u {variable('dry_run')} "
    return f"{without}janitor restore {quote_word(archive)}{choice.text}{target.text}"


def _is_json(settings: RestoreSettings) -> bool:
    return (settings.format or ("table" if sys.stdout.isatty() else "json")) == "json"


def _open_archives(archive: str, table: TableSettings) -> tuple[list[PlanReader], OpenTable]:
    """Open the archives, and the one table that all of them are of."""
    readers = list(open_archives(archive, table))
    if not readers:
        raise ConfigurationError(f"{archive} holds no archive", "check the bucket and the prefix", "no-archive")
    if len({reader.header.table for reader in readers}) > 1:
        names = ", ".join(sorted({reader.header.table.name for reader in readers}))
        sentence = f"{archive} holds archives of several tables ({names})"
        raise ConfigurationError(sentence, "give the longer prefix of one of them", "several-tables")
    return readers, open_table_of_plan(readers[0], table)


def _make_put(opened: OpenTable) -> Put:
    adder = RowAdder(opened.aws.dynamodb, opened.table.name)

    def put(archived: RestorableRow) -> RestoreOutcome:
        return RestoreOutcome.RESTORED if adder.add(bytes(archived.planned.item)) is None else RestoreOutcome.STANDS

    return put


def _make_dry_run_put(opened: OpenTable) -> Put:
    """Only look whether a row with the key stands."""
    client, table = opened.aws.dynamodb, opened.table.name

    def look(archived: RestorableRow) -> RestoreOutcome:
        standing = read_row(client, table, {"S": archived.row.key.S or ""})
        return RestoreOutcome.PLANNED if standing is None else RestoreOutcome.STANDS

    return look


def _hash_restorable_rows(archives: Sequence[PlanReader], choice: RestoreChoice) -> frozenset[bytes]:
    """The digests of the rows that this restore puts back: such a row, as it was, stands in no other's way.

    One that was never deleted does, and so does one that was extended since, whose digest differs.
    """
    chosen = choose_archived_rows(archives, choice)
    return frozenset(_hash_key_and_expiration(archived.row) for archived in chosen if archived.was_deleted)


def _hash_key_and_expiration(row: Row) -> bytes:
    """Return a hash of what decides whether the row may open LISA. Digests, because an archive may be large."""
    return hashlib.blake2b(hash_key(row) + msgspec.json.encode(row.expiration), digest_size=16).digest()


def _make_put_if_alone(put: Put, opened: OpenTable, restorable: AbstractSet[bytes]) -> Put:
    """Let a row be put back only if its owner has no other row, apart from those with these digests.

    LISA 6.1 and later give a user one token, and find a user's rows by a scan that stops at the first
    (lambda/api_tokens/handler.py at v6.6.0): a second row may hide the first one from its owner.
    """
    pages_of_owner = make_owner_reader(opened)

    def put_if_alone(archived: RestorableRow) -> RestoreOutcome:
        owner = text_of(archived.row.username)
        if owner and pages_of_owner is not None:
            rows = [row for page in pages_of_owner(owner) for row in page.rows(range(page.count))]
            stands = any(row.key == archived.row.key for row in rows)
            if not stands and any(_hash_key_and_expiration(row) not in restorable for row in rows):
                return RestoreOutcome.OWNER_HAS_ROW
        return put(archived)

    return put_if_alone


def _put_back(archives: Sequence[PlanReader], choice: RestoreChoice, put: Put, stop: Stop) -> Iterator[RestoredRow]:
    """Put the chosen rows back, several at once, in any order.

    A row whose outcome in the archive is `changed` or `planned` is skipped: janitor never deleted it. If the outcome is
    unknown, `failed` or `already_gone`, it is put back where no row stands: that run may have deleted it all the same.

    Args:
        archives: if several hold the same row, the first of them decides.
        choice: which rows.
        put: puts one back.
        stop: a request starts no more puts, and fails those that have no answer a few seconds later.

    Raises:
        ConfigurationError: an archive is damaged; nothing was put back.
        ManyRowsError: a name matches rows with different keys; nothing was put back.
        JanitorError: an archive could not be read any further; the puts begun before that are finished.
    """
    chosen = choose_archived_rows(archives, choice)
    workers: Workers[RestorableRow, RestoredRow] = Workers(
        lambda archived: _put_one(archived, put), _WORKERS, "restore"
    )
    read_error: JanitorError | None = None
    try:
        try:
            for archived in chosen:
                if stop.is_requested():
                    break
                if not archived.was_deleted:
                    yield RestoredRow(archived.planned, archived.row, RestoreOutcome.NOT_DELETED)
                    continue
                workers.submit(archived)
                yield from _take_results(workers, _MAX_PENDING, stop)
        except JanitorError as error:
            read_error = error
        yield from _take_results(workers, 0, stop)
    finally:
        workers.shut_down()
    if read_error is not None:
        raise read_error


def _put_one(archived: RestorableRow, put: Put) -> RestoredRow:
    try:
        outcome = put(archived)
    except JanitorError as error:
        log.error("restore.failed", code=error.code, error=str(error))  # noqa: TRY400
        return RestoredRow(archived.planned, archived.row, RestoreOutcome.FAILED, error)
    return RestoredRow(archived.planned, archived.row, outcome)


def _take_results(workers: Workers[RestorableRow, RestoredRow], max_pending: int, stop: Stop) -> Iterator[RestoredRow]:
    """Take results until no more puts are pending than `max_pending`."""
    while workers.pending > max_pending:
        done = workers.next_result(WAKE_SECONDS)
        if done is not None:
            yield done[1]
        elif stop.has_passed(IN_FLIGHT_SECONDS):
            for archived in workers.abandon_pending():
                error = JanitorError(
                    "DynamoDB did not answer some writes before the run had to end", "run it again", "no-answer"
                )
                yield RestoredRow(archived.planned, archived.row, RestoreOutcome.FAILED, error)


def _print_matching_rows(error: ManyRowsError) -> None:
    """Print a line on stderr for each row that the name matches: its row name, and what tells it from the others."""
    for (planned, row), dialect in error.rows:
        texts = redacted_texts(row)
        names = f"{printable(texts.username or NOTHING)}  {printable(texts.name or NOTHING)}"
        marks = ", ".join(describe_key_and_uuid(row, is_hashed=dialect == Dialect.HASHED))
        row_name = planned.row_name or planned.fingerprint
        click.echo(f"  {row_name}  {printable(planned.state):9}  {names}  {marks}", err=True)


def _end(summary: RestoreSummary, archive: str, stop: Stop) -> int:
    """Print on stderr what went wrong, and return the exit code."""
    left_out = summary.describe_left_out()
    for message in (*summary.messages, *([left_out] if left_out else [])):
        click.echo(f"janitor: {message}", err=True)
    if not summary.chosen and not stop.is_requested():
        click.echo(f"janitor: {archive} holds no row that was asked for; check the choice", err=True)
        return ExitCode.FAILED
    if stop.is_requested():
        return stop.exit_code
    if summary.failed:
        return ExitCode.FAILED
    return ExitCode.REFUSED if left_out else ExitCode.DONE

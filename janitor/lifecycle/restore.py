"""A restore: archives to read, a table to put their rows into, and what is said of it."""

import io
import sys
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO

import click

from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.add import Adder
from janitor.dynamodb.read_row import read_row
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.lifecycle.put_back import ManyRowsError, Put, RestoreChoice, restore
from janitor.lifecycle.restore_summary import RestoreSummary
from janitor.report.text import NOTHING
from janitor.settings.deletion import RestoreSettings
from janitor.settings.parsers import Folder, S3Prefix, parse_archive
from janitor.settings.table import TableSettings
from janitor.sinks.s3 import S3Folder
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.meaning import row_marks
from janitor.tokens.printable import printable
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import row_of
from janitor.wiring.apply import plan_at, reach_table_of
from janitor.wiring.running import prepared
from janitor.wiring.table import OpenTable, open_session


def restored(archive: str, settings: RestoreSettings, table: TableSettings, stop: Stop) -> int:
    """Put the chosen rows back and say so on standard output.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: nothing is chosen, the archive is none or damaged, or the table is another.
        AwsError: AWS refused or could not be reached.
    """
    choice = _choice(settings)
    archives, reached = prepared(lambda: _found(archive, table), stop)
    put = _for_show(reached) if settings.dry_run else _for_real(reached)
    summary = RestoreSummary(reached.table, is_dry_run=settings.dry_run)
    is_json = _is_json(settings)
    broken_off: JanitorError | None = None
    try:
        for restored_row in restore(archives, choice, put, stop):
            line = summary.add(restored_row)
            if not is_json:
                click.echo(line)
    except JanitorError as error:
        if isinstance(error, ManyRowsError):
            _say_rows(error)
        if not summary.chosen:
            raise
        broken_off = error
    click.echo(summary.json() if is_json else "\n".join(summary.lines()))
    if broken_off is not None:
        raise broken_off
    return _exit_code(summary, archive, stop)


def _say_rows(error: ManyRowsError) -> None:
    """A line on stderr for each row that a name fits: its own name, and what tells it from the others."""
    for planned, dialect in error.rows:
        row = row_of(planned.item)
        texts = redacted_texts(row)
        who = f"{printable(texts.username or NOTHING)}  {printable(texts.name or NOTHING)}"
        marks = ", ".join(row_marks(row, is_hashed=dialect == Dialect.HASHED))
        click.echo(
            f"  {planned.row_name or planned.fingerprint}  {printable(planned.state):9}  {who}  {marks}", err=True
        )


def _found(archive: str, table: TableSettings) -> tuple[list[PlanReader], OpenTable]:
    """The archives, and the table that they are all of."""
    readers = list(_readers(archive, table))
    if not readers:
        raise ConfigurationError(f"{archive} holds no archive", "check the bucket and the prefix", "no-archive")
    _check_one_table(archive, readers)
    return readers, reach_table_of(readers[0], table)


def _choice(settings: RestoreSettings) -> RestoreChoice:
    named = bool(settings.fingerprint or settings.user)
    if settings.all == named:
        way_out = "give --fingerprint HEX, --user NAME, or --all"
        raise ConfigurationError("--all and a choice contradict each other" if named else "no row is chosen", way_out)
    return RestoreChoice(settings.fingerprint, settings.user, settings.all)


def _check_one_table(archive: str, readers: list[PlanReader]) -> None:
    tables = {reader.header.table.name for reader in readers}
    if len({reader.header.table for reader in readers}) > 1:
        sentence = f"{archive} holds archives of several tables ({', '.join(sorted(tables))})"
        raise ConfigurationError(sentence, "give the longer prefix of one of them", "several-tables")


def _readers(archive: str, table: TableSettings) -> Iterable[PlanReader]:
    try:
        place = parse_archive(archive)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    if not isinstance(place, S3Prefix):
        yield plan_at(place.path if isinstance(place, Folder) else place)
        return
    folder = S3Folder(open_session(table).s3, place.bucket, place.prefix)
    # Names carry the time they were made at: of two archives that hold a row, the newer has it as it was last.
    for name in sorted(folder.names(), reverse=True):
        if name.endswith((".ndjson", ".ndjson.gz")) or not name:
            # Fetched anew each time it is read, so that a long history does not stand in memory.
            yield PlanReader(f"{folder.location}{name}", partial(_fetched, folder, name))


def _fetched(folder: S3Folder, name: str) -> BinaryIO:
    return io.BytesIO(folder.get(name))


def _for_real(reached: OpenTable) -> Put:
    adder = Adder(reached.aws.dynamodb, reached.table.name)
    return lambda planned, _: adder.add(bytes(planned.item)) is None


def _for_show(reached: OpenTable) -> Put:
    client, table = reached.aws.dynamodb, reached.table.name
    return lambda _, row: read_row(client, table, {"S": row.key.S or ""}) is None


def _is_json(settings: RestoreSettings) -> bool:
    return (settings.format or ("table" if sys.stdout.isatty() else "json")) == "json"


def _exit_code(summary: RestoreSummary, archive: str, stop: Stop) -> int:
    for message in summary.messages:
        click.echo(f"janitor: {message}", err=True)
    if not summary.chosen and not stop.is_requested():
        click.echo(f"janitor: no row of {archive} is the one that was asked for; check the choice", err=True)
        return ExitCode.FAILED
    if stop.is_requested():
        return stop.exit_code
    return ExitCode.FAILED if summary.failed else ExitCode.DONE

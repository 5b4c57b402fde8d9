"""A restore: archives to read, a table to put their rows into, and what is said of it."""

import io
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from janitor.cli.running import prepared
from janitor.cli.wiring.apply import plan_at, reach_table_of
from janitor.cli.wiring.reach import Reached, session
from janitor.config import RestoreSettings, TableSettings
from janitor.dynamodb.locate import Table
from janitor.dynamodb.put_back import PutBack
from janitor.errors import ConfigurationError, ExitCode
from janitor.parsers import parse_archive
from janitor.report.text import plain
from janitor.run.plan import PlannedRow
from janitor.run.plan_reader import PlanReader
from janitor.run.restore import CHANGED, FAILED, RESTORED, STANDS, Choice, Restored, restore
from janitor.run.stopping import Stop
from janitor.sinks.s3 import S3Folder
from janitor.tokens.row import Row
from janitor.tokens.shown import shown

_SIGNAL_BASE = 128
_WORDS = {
    STANDS: "skipped: a row with its key stands",
    CHANGED: "skipped: it had changed, and was not deleted",
    FAILED: "failed",
}


def restored(archive: str, settings: RestoreSettings, table: TableSettings, stop: Stop) -> int:
    """Put the chosen rows back and say so on standard output.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: nothing is chosen, the archive is none or damaged, or the table is another.
        AwsError: AWS refused or could not be reached.
    """
    choice = _choice(settings)
    readers, reached = prepared(lambda: _found(archive, table), stop)
    put_back = PutBack(reached.aws.dynamodb, reached.table.name)
    put = partial(_for_show if settings.dry_run else _for_real, put_back)
    rows = list(restore(readers, choice, put, stop))
    (_print_json if _is_json(settings) else _print_lines)(rows, reached.table, is_dry_run=settings.dry_run)
    return _exit_code(rows, archive, stop)


def _found(archive: str, table: TableSettings) -> tuple[list[PlanReader], Reached]:
    """The archives, and the table that they are all of."""
    readers = list(_readers(archive, table))
    if not readers:
        raise ConfigurationError(f"{archive} holds no archive", "check the bucket and the prefix", "no-archive")
    _check_one_table(archive, readers)
    return readers, reach_table_of(readers[0], table)


def _choice(settings: RestoreSettings) -> Choice:
    named = bool(settings.fingerprint or settings.user)
    if settings.all == named:
        way_out = "give --fingerprint HEX, --user NAME, or --all"
        raise ConfigurationError("--all and a choice contradict each other" if named else "no row is chosen", way_out)
    return Choice(settings.fingerprint, settings.user, settings.all)


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
    if isinstance(place, Path):
        yield plan_at(place)
        return
    folder = S3Folder(session(table).s3, place.bucket, place.prefix)
    # Names carry the time they were made at: of two archives that hold a row, the newer has it as it was last.
    for name in sorted(folder.names(), reverse=True):
        if name.endswith((".ndjson", ".ndjson.gz")) or not name:
            content = folder.get(name)
            yield PlanReader(f"{folder.location}{name}", lambda content=content: io.BytesIO(content))  # type: ignore[misc]


def _for_real(put_back: PutBack, planned: PlannedRow, _: Row) -> bool:
    return put_back.put(planned.item)


def _for_show(put_back: PutBack, _: PlannedRow, row: Row) -> bool:
    return not put_back.stands(row.key.S or "")


def _is_json(settings: RestoreSettings) -> bool:
    return (settings.format or ("table" if sys.stdout.isatty() else "json")) == "json"


def _print_json(rows: list[Restored], table: Table, *, is_dry_run: bool) -> None:
    counts = Counter(each.outcome for each in rows)
    summary: dict[str, Any] = {
        "schema": "janitor.restore/v1",
        "table": {"name": table.name, "region": table.region, "account_id": table.account_id},
        "dry_run": is_dry_run,
        "chosen": len(rows),
        "restored": counts[RESTORED],
        "skipped": {STANDS: counts[STANDS], CHANGED: counts[CHANGED]},
        "failed": counts[FAILED],
        "rows": [
            {"fingerprint": each.planned.fingerprint, "username": shown(each.row).username, "outcome": each.outcome}
            for each in rows
        ],
    }
    click.echo(json.dumps(summary, indent=2, ensure_ascii=False))


def _print_lines(rows: list[Restored], table: Table, *, is_dry_run: bool) -> None:
    done = "would be restored" if is_dry_run else "restored"
    for each in rows:
        name = plain(shown(each.row).username or "-")
        click.echo(f"{each.planned.fingerprint}  {_WORDS.get(each.outcome, done)}  {name}")
    counts = Counter(each.outcome for each in rows)
    click.echo(f"{counts[RESTORED]:,} of {len(rows):,} chosen rows {done} to {table.name}.")
    if counts[RESTORED]:
        click.echo("They are as they were: a token that had expired is still expired, and LISA refuses it.")


def _exit_code(rows: list[Restored], archive: str, stop: Stop) -> int:
    for message in sorted({str(each.error) for each in rows if each.error}):
        click.echo(f"janitor: {message}", err=True)
    if not rows and not stop.is_requested():
        click.echo(f"janitor: no row of {archive} is the one that was asked for; check the choice", err=True)
        return ExitCode.FAILED
    if stop.is_requested():
        return ExitCode.FAILED if stop.is_deadline else _SIGNAL_BASE + (stop.signal or signal.SIGTERM)
    return ExitCode.FAILED if any(each.outcome == FAILED for each in rows) else ExitCode.DONE

"""`archive list`: print which archives a place holds and what is in them. Asks nothing of DynamoDB."""

import sys
from collections import Counter
from itertools import islice

import click

from janitor.archive.plan import PlanHeader
from janitor.archive.plan_reader import ReadRow
from janitor.errors import ConfigurationError, ExitCode
from janitor.lifecycle.archive_summary import count_outcomes, make_restore_command, name_table
from janitor.report.archive_list import ArchiveList, ArchivePart, render_archives
from janitor.report.encode import encode_json_page
from janitor.settings.stored_archives import ArchiveListSettings, ConnectionSettings
from janitor.tokens.expiration import calendar_time, parse_iso_second
from janitor.wiring.places import ARCHIVE_FOLDER, find_state_directory
from janitor.wiring.stored_archives import StoredArchive, find_archives, parse_place


def list_archives(place: str | None, settings: ArchiveListSettings, connection: ConnectionSettings) -> int:
    """Print on standard output which archives are in a place, newest first. One that is damaged is a line of its own.

    Args:
        place: a folder, a file or a prefix of S3; None for the folder in the state directory.
        settings: how many are listed, and in which format.
        connection: how to reach S3.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: the place cannot be read.
        AwsError: S3 refused or could not be reached.
    """
    if place is None:
        default = find_state_directory("PLACE") / ARCHIVE_FOLDER
        place, found = str(default), find_archives(default, connection.without_table) if default.exists() else []
    else:
        found = find_archives(parse_place(place), connection.without_table)
    archives = [_summarize(each, connection) for each in islice(found, settings.max_archives)]
    listed = ArchiveList(place=place, archives=archives, omitted=len(found) - len(archives))
    if (settings.format or ("table" if sys.stdout.isatty() else "json")) == "json":
        click.echo(encode_json_page(listed))
    else:
        for line in render_archives(listed):
            click.echo(line)
    return ExitCode.DONE


def _summarize(archive: StoredArchive, connection: ConnectionSettings) -> ArchivePart:
    """Read an archive to its end, or as far as it can be read."""
    header: PlanHeader | None = None
    rows, outcomes, is_complete = 0, Counter[str](), True
    error: ConfigurationError | None = None
    try:
        for part in archive.open_parts():
            header = header or part.header
            for entry in part.entries():
                if isinstance(entry, ReadRow):
                    rows += 1
                else:
                    outcomes[entry.outcome] += 1
            is_complete = is_complete and part.closing is not None
    except ConfigurationError as damage:
        error = damage
    return ArchivePart(
        location=archive.location,
        table=name_table(header) if header else None,
        run_id=header.run_id if header else None,
        created_at=calendar_time(parse_iso_second(header.created_at) or 0) if header else None,
        complete=is_complete and error is None,
        rows=rows,
        outcomes=count_outcomes(outcomes, rows),
        restore=make_restore_command(archive.location, connection) if header and error is None else None,
        error=str(error) if error else None,
    )

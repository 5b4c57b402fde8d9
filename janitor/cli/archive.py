"""`janitor archive list`: list archives, and what is in them."""

import click

from janitor.cli.options import takes
from janitor.settings.consent import ReadOnlySettings
from janitor.settings.output import LogSettings
from janitor.settings.stored_archives import ArchiveListSettings, ConnectionSettings


@click.group("archive")
def command() -> None:
    """Find the archive that a row was kept in before it was deleted.

    \b
    Examples:
      janitor archive list
      janitor archive list s3://my-bucket/janitor/
    """


@command.command("list")
@click.argument("place", metavar="[FOLDER|FILE|s3://BUCKET/PREFIX/]", required=False)
@takes(ArchiveListSettings, ConnectionSettings, ReadOnlySettings, LogSettings)
def list_stored_archives(
    settings: ArchiveListSettings,
    connection: ConnectionSettings,
    _: ReadOnlySettings,
    logs: LogSettings,
    *,
    place: str | None,
) -> int:
    """List the archives in a folder or under a prefix of S3, newest first. Reads only them.

    \b
    Examples:
      janitor archive list
      janitor archive list s3://my-bucket/janitor/

    Of each: when it was made, of which table, how many rows it has, what became of them, whether it was written to its
    end, and the `janitor restore` command that shows what it would put back. In a table of LISA 6.1 or later that
    leaves out rows whose owners have other rows by now, unless --beside is given.

    In a folder these are the files whose names end in .ndjson or .ndjson.gz; without one they are those in the state
    directory. `janitor plan show` shows the rows of one.
    """
    from janitor.lifecycle.list_archives import list_archives
    from janitor.logs import start_logging

    start_logging(logs)
    return list_archives(place, settings, connection)

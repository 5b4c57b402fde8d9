"""`janitor restore`: put archived rows back, without overwriting any."""

import click

from janitor.cli.options import takes
from janitor.settings.commands import RESTORE_GROUPS
from janitor.settings.deletion import RestoreSettings
from janitor.settings.limits import DeadlineSettings
from janitor.settings.output import LogSettings
from janitor.settings.table import TableSettings


@click.command("restore", short_help="Put archived rows back where no row stands.")
@click.argument("archive", metavar="ARCHIVE|s3://BUCKET/PREFIX/")
@takes(*RESTORE_GROUPS, DeadlineSettings, LogSettings)
def command(
    restore: RestoreSettings, table: TableSettings, deadline: DeadlineSettings, logs: LogSettings, *, archive: str
) -> int:
    """Put rows of an archive back into their table, each only if no row has its key.

    \b
    Examples:
      janitor restore archive.ndjson --fingerprint 3f0c9a1b
      janitor restore s3://my-bucket/janitor/ --user alice@example.com --dry-run

    A restored token is as it was: one that had expired is still expired, and LISA rejects it. In a table of LISA 6.1
    and later, a row whose owner has another row is left out, and the exit code is 4, unless --beside is given.

    \b
    More examples:
      janitor restore archive.ndjson --all
    """
    from janitor.lifecycle.restore import restore_rows
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    start_logging(logs)
    with stop_on_signals(deadline.deadline) as stop:
        return restore_rows(archive, restore, table, stop)

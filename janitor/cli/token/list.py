"""`janitor token list`: read only. Every row of a table, or those that were asked for."""

import functools
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_read import LIST_GROUPS, ListCommand


@click.command("list")
@takes(*LIST_GROUPS, LogSettings)
def command(*groups: Any) -> int:
    """List the tokens of a table, active ones too. Reads only.

    Of --state, --user and --name any value of each has to fit; the counts of the report are of the whole table all the
    same. As a scan, but nobody is told of it, and nothing is remembered.

    \b
    Examples:
      janitor token list --deployment prod --sort expiry
      janitor token list --deployment prod --user 'ana@*' --state expired --state stale
      janitor token list --table my-LISAApiTokenTable --format csv > tokens.csv
    """
    from janitor.report.model import LIST_COMMAND
    from janitor.wiring.job import Asked, run_job
    from janitor.wiring.listing import prepare_listing
    from janitor.wiring.running import carried_out

    *of_list, logs = groups
    settings = ListCommand(*of_list)
    asked = Asked(LIST_COMMAND, [settings], prepare_listing)
    return carried_out(LIST_COMMAND, logs, settings, functools.partial(run_job, asked, settings))

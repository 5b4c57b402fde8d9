"""`janitor token list`: list all tokens of a table, or those that match."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_read import LIST_GROUPS, ListCommand


@click.command("list")
@takes(*LIST_GROUPS, LogSettings)
def command(*groups: Any) -> int:
    """List the tokens of a table, active ones too. Reads only.

    \b
    Examples:
      janitor token list --deployment prod --sort expiry
      janitor token list --deployment prod --user 'ana@*' --state expired --state stale

    A token is listed if it matches one value of each of --state, --user, --name and --group that is given. Warnings and
    lock-outs are about the tokens listed; the counts are still of the whole table. Nobody is notified, and nothing is
    remembered.

    \b
    More examples:
      janitor token list --deployment prod --group admins
      janitor token list --table my-LISAApiTokenTable --format csv > tokens.csv
    """
    from janitor.report.model import LIST_COMMAND
    from janitor.wiring.execution import execute_run
    from janitor.wiring.listing import prepare_listing
    from janitor.wiring.run_spec import RunRequest

    *of_list, logs = groups
    return execute_run(RunRequest(LIST_COMMAND, [ListCommand(*of_list)], prepare_listing), logs)

"""`janitor token add`: add a new token to the table."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_add import ADD_GROUPS, AddCommand


@click.command("add")
@click.argument("words", nargs=-1, metavar="")
@takes(*ADD_GROUPS, LogSettings)
def command(*groups: Any, words: tuple[str, ...]) -> int:
    """Make a token and add its row to the table. Never overwrites a row.

    \b
    Examples:
      TOKEN=$(janitor token add --table my-LISAApiTokenTable --expires-in 1h)
      janitor token add --deployment prod --user ana@example.com --name ci --group lisa-users --expires-at 2027-01-31

    A generated token is printed once, alone on standard output, after its row is written; all else goes to stderr.
    A token that you choose comes from --token-stdin, never from the command line. --user and what follows it is for
    tables of LISA 6.1 and later (hashed), where a user may have one token: as LISA does, a second one is refused.

    \b
    More examples:
      printf %s "$TOKEN" | janitor token add --table my-LISAApiTokenTable --token-stdin --permanent
    """
    from janitor.lifecycle.add import add_token, prepare_token
    from janitor.lifecycle.token_input import refuse_arguments
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    refuse_arguments(words)
    *of_add, logs = groups
    settings = AddCommand(*of_add)
    run_id = start_logging(logs)
    token = prepare_token(settings)
    with stop_on_signals(settings.deadline.deadline) as stop:
        return add_token(settings, token, run_id, stop)

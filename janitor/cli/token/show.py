"""`janitor token show`: show everything known about a token except the token itself, and the reasons for its state."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_read import SHOW_GROUPS, ShowCommand


@click.command("show", short_help="Show all about a token but the token itself.")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(*SHOW_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """Show everything known about a token except the token itself, and the reasons for its state. Reads only.

    \b
    Examples:
      janitor token show 3f0c9a1b --deployment prod
      janitor token show 3f0c9a1b --deployment prod --as-of 2027-01-01

    Its state rule by rule, what each of LISA's gates would say, what a sweep would do with it and when, and whether its
    owner is locked out by it; with --as-of all that at another time. A token is named by its fingerprint (the first 6
    digits or more) or its tokenUUID, or comes on standard input.

    \b
    More examples:
      janitor token show --token-stdin --deployment prod < token.txt
    """
    from janitor.lifecycle.show import choose_rows_to_show, show_token
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    *of_show, logs = groups
    settings = ShowCommand(*of_show)
    start_logging(logs)
    # Before signals are handled, so that Ctrl-C ends the prompt for a token.
    look = choose_rows_to_show(token, settings.show)
    with stop_on_signals(settings.deadline.deadline) as stop:
        return show_token(look, settings, stop)

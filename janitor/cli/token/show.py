"""`janitor token show`: everything known of a token but itself, and why it is what it is."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_read import SHOW_GROUPS, ShowCommand


@click.command("show")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(*SHOW_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """Show all that is known of a token but itself, and why it is what it is. Reads only.

    Its state rule by rule, what each of LISA's gates would say, what a sweep would do with it and when, and whether its
    owner is locked out by it; with --as-of all that at another time. A token is named by its fingerprint (the first 6
    digits or more) or its tokenUUID, or comes on standard input.

    \b
    Examples:
      janitor token show 3f0c9a1b --deployment prod
      janitor token show 3f0c9a1b --deployment prod --as-of 2027-01-01
      janitor token show --token-stdin --deployment prod < token.txt
    """
    from janitor.lifecycle.show import look_for, showed
    from janitor.wiring.logging import start_logging
    from janitor.wiring.signals import stoppable

    *of_show, logs = groups
    settings = ShowCommand(*of_show)
    start_logging(logs)
    # Before anybody listens for signals: whoever is asked for a token may break off.
    look = look_for(token, settings.show)
    with stoppable(settings.deadline.deadline) as stop:
        return showed(look, settings, stop)

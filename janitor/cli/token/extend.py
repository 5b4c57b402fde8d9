"""`janitor token extend`: change the expiry of a token, if it is still as it was read."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_change import CHANGE_GROUPS, ChangeCommand, ExtendSettings


@click.command("extend")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(ExtendSettings, *CHANGE_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """Give a token another expiry: --by, --to or --expires-in. Prints the old one and the new one.

    \b
    Examples:
      janitor token extend 3f0c9a1b --by 30d --deployment prod
      janitor token extend 3f0c9a1b --to 2027-01-31 --deployment prod --dry-run

    Written only if the row is still as it was read; if two people change it at once, one is told what the other did. A
    token that LISA rejects needs --revive. An earlier expiry needs --shorten, and is asked about on a terminal unless
    --yes; a script has to give it. The token is named by the first 6 digits or more of its fingerprint, by its
    tokenUUID, or with --user by its owner.

    \b
    More examples:
      janitor token extend --user alice@example.com --expires-in 90d --deployment prod
    """
    from janitor.lifecycle.expiry import extend_tokens
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    extend, *of_change, logs = groups
    start_logging(logs)
    with stop_on_signals() as stop:
        return extend_tokens(token, extend, ChangeCommand(*of_change), stop)

"""`janitor token rotate`: give a token a successor, and end the old one."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_rotate import ROTATE_GROUPS, RotateCommand


@click.command("rotate", short_help="Make a successor of a token, and end that one.")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(*ROTATE_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """Make a new token with the owner, name, groups and system flag of another, and end that one.

    \b
    Examples:
      TOKEN=$(janitor token rotate 3f0c9a1b --deployment prod --expires-in 90d --overlap 24h --yes)
      janitor token rotate --user ana@example.com --deployment prod --expires-in 90d --dry-run

    The new token is printed once, alone on standard output, after its row is written; all else goes to stderr. Only
    then does the old one end: at once, or after --overlap. If anything fails before, the old one works as before. Its
    row stays, as after `janitor token revoke`. In a classic table a row has only token and expiration, so nothing else
    is kept. Asks on a terminal unless --yes; a script has to give it.
    """
    from janitor.lifecycle.rotate import choose_rotation, rotate_token
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    *of_rotate, logs = groups
    settings = RotateCommand(*of_rotate)
    run_id = start_logging(logs)
    # Before signals are handled, so that Ctrl-C ends the prompt for a token.
    request = choose_rotation(token, settings)
    with stop_on_signals(settings.deadline.deadline) as stop:
        return rotate_token(request, settings, run_id, stop)

"""`janitor token revoke`: end a token now, so that LISA rejects it; its row stays for the record."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_change import CHANGE_GROUPS, ChangeCommand, RevokeSettings


@click.command("revoke")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(RevokeSettings, *CHANGE_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """End a token now, or with --at later. The row stays, for the record; `janitor token remove` deletes it.

    \b
    Examples:
      janitor token revoke 3f0c9a1b --deployment prod
      janitor token revoke 3f0c9a1b --at 2027-01-31T18:00:00Z --deployment prod

    Its expiry becomes the present second, from which on every gate of LISA rejects it. Written only if the row is still
    as it was read. A token that no gate accepts is left as it is. Asks on a terminal unless --yes; a script has to give
    it.

    \b
    More examples:
      janitor token revoke --user alice@example.com --deployment prod --dry-run
    """
    from janitor.lifecycle.expiry import revoke_tokens
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    revoke, *of_change, logs = groups
    start_logging(logs)
    with stop_on_signals() as stop:
        return revoke_tokens(token, revoke, ChangeCommand(*of_change), stop)

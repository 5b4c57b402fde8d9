"""`janitor token revoke`: an expiry that is now, so that LISA refuses the token and the row stays for the record."""

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

    Its expiry becomes the present second, from which on every gate of LISA refuses it. Written only if the row still is
    as it was seen. A token that no gate accepts is left as it is. Asks on a terminal unless --yes; a script has to give
    it.

    \b
    Examples:
      janitor token revoke 3f0c9a1b --deployment prod
      janitor token revoke 3f0c9a1b --at 2027-01-31T18:00:00Z --deployment prod
      janitor token revoke --user alice@example.com --deployment prod --dry-run
    """
    from janitor.lifecycle.expiry import revoked_tokens
    from janitor.wiring.logging import start_logging
    from janitor.wiring.signals import stoppable

    revoke, *of_change, logs = groups
    start_logging(logs)
    with stoppable() as stop:
        return revoked_tokens(token, revoke, ChangeCommand(*of_change), stop)

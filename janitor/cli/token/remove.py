"""`janitor token remove`: delete a token's row at once, archived first."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_change import CHANGE_GROUPS, ChangeCommand, RemoveSettings


@click.command("remove")
@click.argument("token", metavar="[FINGERPRINT|ROW|UUID]", required=False)
@takes(RemoveSettings, *CHANGE_GROUPS, LogSettings)
def command(*groups: Any, token: str | None) -> int:
    """Delete a token's row at once, expired or not. Asks on a terminal unless --yes; a script has to give it.

    \b
    Examples:
      janitor token remove 3f0c9a1b --deployment prod
      janitor token remove 3f0c9a1b --deployment prod --yes --archive s3://my-bucket/janitor/

    The row is archived first, so that `janitor restore` can put it back, and deleted only if it is still as it was
    read. A row with the attribute janitorHold stays, and so does one that --protect-user or --protect-system protects.

    \b
    More examples:
      janitor token remove --user alice@example.com --deployment prod --dry-run
    """
    from janitor.lifecycle.remove import remove_tokens
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    remove, *of_change, logs = groups
    run_id = start_logging(logs)
    with stop_on_signals() as stop:
        return remove_tokens(token, remove, ChangeCommand(*of_change), run_id, stop)

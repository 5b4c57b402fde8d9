"""`janitor token import`: give the keys of LISA 5.4 and 6.0 rows that LISA 6.1 and later reads."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.token_import import IMPORT_GROUPS, ImportCommand


@click.command("import", short_help="Give classic tokens rows that LISA 6.1 reads.")
@takes(*IMPORT_GROUPS, LogSettings)
def command(*groups: Any) -> int:
    """Give each classic token of an old table a row in the present one, so that clients go on with the keys they have.

    \b
    Examples:
      janitor token list --table my-LISAApiTokenTable --format csv > owners.csv    # then fill in username, name, groups
      janitor token import --from-table my-LISAApiTokenTable --owners owners.csv --deployment prod

    LISA 6.1 and later reads a row under the sha256 of the token, with an owner. --owners says whose each token is. A
    token keeps its expiration; one that never ends needs --expires-in or --expires-at. Tokens that LISA rejects
    already are left out, and so is a person's token if its owner has a row, because LISA allows a person one. Nothing
    is overwritten and nothing is deleted, so it can be run again; but a token whose row was removed since comes back.
    Exit code 1 if a line has a mistake, or if a row stands that LISA rejects or that is another owner's.

    A dry run, unless --write is given; that asks on a terminal unless --yes, and a script has to give it.

    \b
    More examples:
      janitor token import --from-table my-LISAApiTokenTable --owners owners.csv --deployment prod --write
    """
    from janitor.lifecycle.import_tokens import import_tokens
    from janitor.logs import start_logging
    from janitor.wiring.signals import stop_on_signals

    *of_import, logs = groups
    settings = ImportCommand(*of_import)
    start_logging(logs)
    with stop_on_signals(settings.deadline.deadline) as stop:
        return import_tokens(settings, stop)

"""`janitor plan show`: show what is in a plan or an archive."""

import click

from janitor.cli.options import takes
from janitor.settings.consent import ReadOnlySettings
from janitor.settings.output import LogSettings
from janitor.settings.stored_archives import ConnectionSettings, PlanShowSettings


@click.group("plan")
def command() -> None:
    """Look at a plan before it is carried out.

    \b
    Examples:
      janitor plan show plan.ndjson
      janitor plan show plan.ndjson --format csv > plan.csv
    """


@command.command("show")
@click.argument("plan", metavar="PLAN|s3://BUCKET/PREFIX/")
@takes(PlanShowSettings, ConnectionSettings, ReadOnlySettings, LogSettings)
def show(
    settings: PlanShowSettings, connection: ConnectionSettings, _: ReadOnlySettings, logs: LogSettings, *, plan: str
) -> int:
    """Show what is in a PLAN or an archive: when and by which rules it was made, and its rows. Reads only that.

    \b
    Examples:
      janitor plan show plan.ndjson
      janitor plan show plan.ndjson --format csv > plan.csv

    Of each row its fingerprint, state, owner, name and expiry, why it may go, and in an archive what became of it;
    never the token. A plan that was cut off is shown as far as it goes. One that was edited is refused, as by `janitor
    apply`, whose --user and --fingerprint carry out a part of a plan.

    \b
    More examples:
      janitor plan show s3://my-bucket/janitor/prod-LISAApiBaseTokenTable-20270131T020000Z-5f/
    """
    from janitor.lifecycle.show_plan import show_plan
    from janitor.logs import start_logging

    start_logging(logs)
    return show_plan(plan, settings, connection)

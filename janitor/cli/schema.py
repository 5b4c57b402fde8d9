"""`janitor schema`: the JSON Schema of what janitor writes and reads."""

import json

import click

from janitor.cli.options import Choice, takes
from janitor.settings.consent import ReadOnlySettings

_NAMES = ("report", "schedule", "doctor", "plan-details", "archive-list", "token", "token-change", "token-import")


@click.command("schema", short_help="Print the JSON Schema of what janitor writes and reads.")
@click.argument("name", type=Choice(_NAMES))
@takes(ReadOnlySettings)
def command(_: ReadOnlySettings, name: str) -> int:
    """Print the JSON Schema of a report, a schedule file, or what another command prints.

    \b
    Examples:
      janitor schema report > report.schema.json
      janitor schema schedule > schedule.schema.json
    """
    from janitor.report.schema import build_schema

    if name == "schedule":
        from janitor.settings.schedule_schema import build_schedule_schema

        schema = build_schedule_schema()
    elif name == "doctor":
        from janitor.report.checkup import Checkup

        schema = build_schema(Checkup, "janitor doctor")
    elif name == "plan-details":
        from janitor.report.plan_details import PlanDetails

        schema = build_schema(PlanDetails, "janitor plan show")
    elif name == "archive-list":
        from janitor.report.archive_list import ArchiveList

        schema = build_schema(ArchiveList, "janitor archive list")
    elif name == "token-change":
        from janitor.report.token_change import TokenChange

        schema = build_schema(TokenChange, "janitor token change")
    elif name == "token-import":
        from janitor.report.token_import import TokenImport

        schema = build_schema(TokenImport, "janitor token import")
    elif name == "token":
        from janitor.report.token_details import TokenDetails

        schema = build_schema(TokenDetails, "janitor token")
    else:
        from janitor.report.model import Report

        schema = build_schema(Report, "janitor report")
    click.echo(json.dumps(schema, indent=2))
    return 0

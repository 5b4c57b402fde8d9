"""`janitor schema`: the JSON Schema of what janitor writes."""

import json

import click


@click.command("schema")
@click.argument("name", type=click.Choice(["report"]))
def command(name: str) -> None:  # noqa: ARG001  # click checks it, and there is one so far
    """Print the JSON Schema of a report.

    \b
    Example:
      janitor schema report > report.schema.json
    """
    from janitor.report.model import Report

    click.echo(json.dumps(Report.model_json_schema(mode="serialization", by_alias=True), indent=2))

"""The options that name a table in a command of janitor, ready for a shell."""

import shlex

from janitor.report.model import Report
from janitor.tokens.printable import printable


def format_target(name: str | None, region: str | None, endpoint: str | None) -> str:
    """Format the options for this table, each with a space before it: ` --table prod --region us-east-1`."""
    options = {"table": name, "region": region, "endpoint-url": endpoint}
    return "".join(f" --{option} {quote_word(value)}" for option, value in options.items() if value)


def format_target_of(report: Report) -> str:
    """Format those for the table of the report.

    Empty for a run of several, and for a source that does not say which table its rows are of.
    """
    table = report.only_table
    if table is None or not table.region:
        return ""
    return f"{format_target(table.name, table.region, table.endpoint)}{table.options.connection}"


def quote_word(text: str) -> str:
    """Quote a text for a shell, printable whatever it holds."""
    return shlex.quote(printable(text))

"""`janitor scan` of a table on a test server, and its report."""

import json
from typing import Any

from tests.command import Finished, janitor
from tests.servers import Server
from tests.tables import SAMPLE_NOW

DAY = 86_400


def scan(server: Server, table: str, *options: str, **arguments: Any) -> Finished:
    """Run a scan as of the sample rows' time."""
    where = ("--table", table, "--endpoint-url", server.url, "--as-of", str(SAMPLE_NOW))
    return janitor("scan", *where, *options, **arguments)


def report_of(finished: Finished) -> dict[str, Any]:
    """The JSON report on standard output of a run that ended well."""
    assert finished.code == 0, finished.err
    report: dict[str, Any] = json.loads(finished.out)
    return report


def counted(report: dict[str, Any]) -> dict[str, int]:
    """The counts that are not zero."""
    return {state: count for state, count in report["counts"].items() if count}

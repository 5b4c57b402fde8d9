"""A run imports what it uses and no more: by name, whatever it costs."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.forked import MEASURES_COVERAGE
from tests.integration.scanning import DAY, scan
from tests.servers import Server
from tests.sweeping import run as sweep
from tests.tables import SAMPLE_NOW, modern

pytestmark = pytest.mark.skipif(MEASURES_COVERAGE in os.environ, reason="what measures coverage is imported too")

ROWS = [modern("a", SAMPLE_NOW - DAY), modern("b", SAMPLE_NOW - 30 * DAY), modern("c", SAMPLE_NOW + DAY)]

# Each is what one kind of run uses, and takes as long to import as a small table takes to scan.
HEAVY = (
    "apprise",
    "apscheduler",  # cron lines: schedule files and the daemon
    "boto3",  # around botocore: uploads to S3
    "icalendar",
    "jinja2",  # the HTML report and the daemon's page
    "prometheus_client",
    "pydantic",
    "rich.console",  # tables for people, and the progress bar
    "s3transfer",
    "sqlite3",  # the state store
    "starlette",
    "uvicorn",
    "xlsxwriter",
)
OURS = (
    "janitor.wiring.announcer",
    "janitor.settings.cron",
    "janitor.settings.deletion",
    "janitor.demo",
    "janitor.dynamodb.delete",
    "janitor.export",
    "janitor.store.dynamodb",
    "janitor.notices",
    "janitor.report.html",
    "janitor.report.schema",
    "janitor.run.sweep",
    "janitor.serve",
    "janitor.sinks.heartbeat",
    "janitor.sinks.s3_object",
    "janitor.sinks.sns",
)
LISTING = {"PYTHONPROFILEIMPORTTIME": "1"}  # has Python name on standard error what it imports


def imported(run: Finished) -> set[str]:
    """Every module that a run imported, and every package that one is in."""
    names = re.findall(r"^import time:.*\| +(\S+)$", run.err, re.MULTILINE)
    return {name for module in names for name in _with_packages(module)}


def _with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def test_a_scan_imports_nothing_of_what_other_runs_use(server: Server, new_table: NewTable) -> None:
    run = scan(server, new_table(ROWS), env=LISTING, anew=True)
    assert run.code == 0
    assert {"botocore", "msgspec", "janitor.dynamodb.scan"} <= imported(run)
    assert imported(run) & {*HEAVY, *OURS} == set()


def test_a_sweep_without_a_topic_or_a_store_imports_no_notices(server: Server, new_table: NewTable) -> None:
    run = sweep(server, new_table(ROWS), env=LISTING, anew=True)
    assert run.code == 0
    assert {"janitor.run.sweep", "janitor.dynamodb.delete"} <= imported(run)
    ours = {"janitor.notices", "janitor.wiring.announcer", "janitor.sinks.sns", "janitor.store.sqlite"}
    assert imported(run) & {*HEAVY, *ours} == set()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--format", "table"), {"rich.console"}),
        (("--format", "ics"), {"icalendar"}),
        (("--format", "none", "--report", "xlsx={folder}/report.xlsx"), {"xlsxwriter"}),
        (("--format", "html"), {"janitor.report.html", "jinja2"}),
        (("--metrics", "prometheus={folder}/metrics.prom"), {"prometheus_client"}),
    ],
)
def test_what_a_run_is_asked_for_is_imported_and_nothing_else(
    server: Server, new_table: NewTable, tmp_path: Path, options: tuple[str, ...], names: set[str]
) -> None:
    run = scan(server, new_table(ROWS), *(option.format(folder=tmp_path) for option in options), env=LISTING, anew=True)
    assert run.code == 0
    assert names <= imported(run)
    assert imported(run) & ({"boto3", "pydantic", "apscheduler", "jinja2", "starlette"} - names) == set()


@pytest.mark.parametrize(("arguments", "names"), [(("--version",), {"msgspec", "json"}), (("scan", "--help"), set())])
def test_an_answer_that_needs_no_table_imports_no_way_to_one(arguments: tuple[str, ...], names: set[str]) -> None:
    run = janitor(*arguments, env=LISTING, anew=True)
    assert run.code == 0
    assert "click" in imported(run)
    assert imported(run) & {"botocore", "ssl", "urllib3", "structlog", *HEAVY, *names} == set()

"""The daemon's state as JSON, for scripts: `janitor.runs/v1`. Every key is always present; times are ISO 8601 in UTC.

schema      "janitor.runs/v1"
now, started_at, version
folder      the folder of schedule files; folder_error why it cannot be read, or null
jobs        list of: name, description, cron, timezone, jitter_seconds, catch_up, kind (scan|sweep), deletes, tables,
            running_since, waiting, next_run,
            last_run {started_at, ended_at, outcome, exit_code, errors} or null; outcome is a report's, or killed, or
            lost; errors are its last lines that say what went wrong,
            last_success, runs {OUTCOME: how many}, missed {count, last},
            reports list of: table, region, ended_at, of_last_run, outcome, counts, deletion, url
broken      list of: name, error
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import structs

from janitor.serve.last_report import LastReport
from janitor.serve.status import DaemonStatus, JobStatus, Readiness
from janitor.tokens.printable import printable
from janitor.tokens.times import time_of

SCHEMA = "janitor.runs/v1"


def build_runs_document(status: DaemonStatus) -> dict[str, Any]:
    """Build the whole document."""
    return {
        "schema": SCHEMA,
        "now": _format_time(status.now),
        "started_at": _format_time(status.started_at),
        "version": status.version,
        "folder": printable(status.folder),
        "folder_error": _printable_or_none(status.folder_error),
        "jobs": [_build_job(each) for _, each in sorted(status.jobs.items())],
        "broken": _build_broken(status.broken),
    }


def build_readiness_document(readiness: Readiness) -> dict[str, Any]:
    """Build what `/readyz` returns: what is wrong, which files are loaded or broken, which tables can be reached."""
    contents = readiness.contents
    return {
        "ready": readiness.is_ready,
        "why": readiness.why,
        "folder_error": _printable_or_none(contents.error),
        "loaded": sorted(contents.jobs),
        "broken": _build_broken(contents.broken),
        "tables": [
            {
                "table": printable(each.table.label),
                "region": each.table.region,
                "profile": each.table.profile,
                "role_arn": each.table.role_arn,
                "ok": each.is_reachable,
                "why": _printable_or_none(each.why),
            }
            for each in readiness.tables
        ],
    }


def make_report_path(job: str) -> str:
    """The path of a job's HTML report, relative to the page."""
    return f"runs/{quote(job, safe='')}/report"


def _format_time(second: float | None) -> str | None:
    """Format a UNIX second."""
    return None if second is None else time_of(second).isoformat(timespec="seconds")


def _build_job(each: JobStatus) -> dict[str, Any]:
    schedule, record = each.job.schedule, each.record
    last_run = {
        "started_at": _format_time(record.started_at),
        "ended_at": _format_time(record.ended_at),
        "outcome": record.outcome,
        "exit_code": record.exit_code,
        "errors": [printable(line) for line in record.errors],
    }
    return {
        "name": each.job.name,
        "description": schedule.description,
        "cron": schedule.when.cron,
        "timezone": schedule.when.timezone,
        "jitter_seconds": schedule.when.jitter,
        "catch_up": schedule.when.catch_up,
        "kind": "sweep" if schedule.is_sweep else "scan",
        "deletes": each.job.deletes,
        "tables": [printable(table.label) for table in each.job.tables],
        "running_since": _format_time(each.running_since),
        "waiting": each.is_waiting,
        "next_run": _format_time(each.next_at),
        "last_run": None if record.started_at is None else last_run,
        "last_success": _format_time(record.succeeded_at),
        "runs": dict(record.runs),
        "missed": {"count": record.missed, "last": _format_time(record.missed_at)},
        "reports": [_build_report(each, report) for report in each.last_reports],
    }


def _build_report(each: JobStatus, report: LastReport) -> dict[str, Any]:
    return {
        "table": report.table,
        "region": report.region,
        "ended_at": _format_time(report.ended_at),
        "of_last_run": each.is_of_last_run(report),
        "outcome": report.outcome,
        "counts": structs.asdict(report.counts),
        "deletion": {name: getattr(report.deletion, name) for name in ("enabled", *_DELETION)},
        "url": f"/{make_report_path(each.job.name)}",
    }


_DELETION = ("planned", "protected", "deleted", "changed", "already_gone", "failed", "waiting", "left_out")


def _build_broken(broken: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": printable(name), "error": printable(error)} for name, error in sorted(broken.items())]


def _printable_or_none(text: str | None) -> str | None:
    """Make a text printable: it may contain a path with bytes that are not UTF-8."""
    return None if text is None else printable(text)

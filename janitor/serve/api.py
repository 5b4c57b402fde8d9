"""The daemon's state as JSON, for scripts: `janitor.runs/v1`. Every key is always present; times are ISO 8601 in UTC.

schema      "janitor.runs/v1"
now, started_at, version
folder      the folder of schedule files; folder_error why it cannot be read, or null
jobs        list of: name, description, cron, timezone, jitter_seconds, catch_up, kind (scan|sweep), deletes, tables,
            running_since, waiting, next_run,
            last_run {started_at, ended_at, outcome, exit_code} or null; outcome is a report's, or killed, or lost,
            last_success, runs {OUTCOME: how many}, missed {count, last},
            reports list of: table, region, ended_at, of_last_run, outcome, counts, deletion, url
broken      list of: name, error
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import structs

from janitor.serve.board import Board, JobOnBoard, Readiness
from janitor.serve.kept import Kept
from janitor.tokens.printable import printable
from janitor.tokens.times import time_of

SCHEMA = "janitor.runs/v1"


def runs_document(board: Board) -> dict[str, Any]:
    """The whole document."""
    return {
        "schema": SCHEMA,
        "now": _time(board.now),
        "started_at": _time(board.started_at),
        "version": board.version,
        "folder": printable(board.folder),
        "folder_error": _plain(board.fault),
        "jobs": [_job(each) for _, each in sorted(board.jobs.items())],
        "broken": _broken(board.broken),
    }


def ready_of(readiness: Readiness) -> dict[str, Any]:
    """What `/readyz` says: what is in the way, which files are loaded or broken, and which tables can be reached."""
    contents = readiness.contents
    return {
        "ready": readiness.is_ready,
        "why": readiness.why,
        "folder_error": _plain(contents.fault),
        "loaded": sorted(contents.jobs),
        "broken": _broken(contents.broken),
        "tables": [
            {
                "table": printable(reach.table.label),
                "region": reach.table.region,
                "profile": reach.table.profile,
                "role_arn": reach.table.role_arn,
                "ok": reach.is_reached,
                "why": _plain(reach.why),
            }
            for reach in readiness.reaches
        ],
    }


def report_path(job: str) -> str:
    """Where a job's HTML report is served, relative to the page."""
    return f"runs/{quote(job, safe='')}/report"


def _time(second: float | None) -> str | None:
    """A UNIX second as a text."""
    return None if second is None else time_of(second).isoformat(timespec="seconds")


def _job(each: JobOnBoard) -> dict[str, Any]:
    schedule, known = each.job.schedule, each.known
    last_run = {
        "started_at": _time(known.started_at),
        "ended_at": _time(known.ended_at),
        "outcome": known.outcome,
        "exit_code": known.exit_code,
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
        "running_since": _time(each.running_since),
        "waiting": each.is_waiting,
        "next_run": _time(each.next_at),
        "last_run": None if known.started_at is None else last_run,
        "last_success": _time(known.succeeded_at),
        "runs": dict(known.runs),
        "missed": {"count": known.missed, "last": _time(known.missed_at)},
        "reports": [_report(each, report) for report in each.kept],
    }


def _report(each: JobOnBoard, report: Kept) -> dict[str, Any]:
    return {
        "table": report.table,
        "region": report.region,
        "ended_at": _time(report.ended_at),
        "of_last_run": each.is_of_last_run(report),
        "outcome": report.outcome,
        "counts": structs.asdict(report.counts),
        "deletion": {name: getattr(report.deletion, name) for name in ("enabled", *_DELETION)},
        "url": f"/{report_path(each.job.name)}",
    }


_DELETION = ("planned", "protected", "deleted", "changed", "already_gone", "failed", "waiting")


def _broken(broken: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": printable(name), "error": printable(error)} for name, error in sorted(broken.items())]


def _plain(text: str | None) -> str | None:
    """A path, or a sentence with one, that may hold bytes of no encoding."""
    return None if text is None else printable(text)

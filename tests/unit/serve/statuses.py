"""Jobs from schedule files, and statuses of them, for the daemon's tests."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from janitor.report.formats.html import HtmlFormat
from janitor.report.formats.json import JsonFormat
from janitor.report.model import Report
from janitor.serve.job_memory import JobRecord
from janitor.serve.jobs import ScheduledJob, make_job
from janitor.serve.last_report import LastReport
from janitor.serve.status import DaemonStatus, JobStatus
from janitor.settings.schedule import load_schedule

NOW = dt.datetime(2027, 5, 4, 12, 0, tzinfo=dt.UTC).timestamp()
HOUR = 3_600.0
TABLE = '[table]\ntable = "tokens"\n'
NIGHTLY = '[when]\ncron = "0 3 * * *"\n'


def job(folder: Path, text: str, name: str = "nightly", environment: Mapping[str, str] | None = None) -> ScheduledJob:
    """The job of a schedule file with this text."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return make_job(name, load_schedule(path), f"digest of {text}", environment or {})


def job_status(one: ScheduledJob, last_reports: tuple[LastReport, ...] = (), **record: Any) -> JobStatus:
    """A job that waits for its next time in an hour, and what is known of it."""
    return JobStatus(
        job=one,
        record=JobRecord(**record),
        last_reports=last_reports,
        running_since=None,
        is_waiting=False,
        next_at=NOW + HOUR if one.line else None,
    )


def daemon_status(
    *jobs: JobStatus, broken: Mapping[str, str] | None = None, folder_error: str | None = None
) -> DaemonStatus:
    """A daemon that started an hour ago."""
    return DaemonStatus(
        now=NOW,
        started_at=NOW - HOUR,
        version="1.2.3",
        folder="/etc/janitor",
        jobs={each.job.name: each for each in jobs},
        broken=broken or {},
        folder_error=folder_error,
    )


def keep(report: Report, folder: Path) -> None:
    """Leave a report in a folder as a run does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(JsonFormat().tail(report))
    (folder / "report.html").write_bytes(HtmlFormat().tail(report))

"""Jobs from schedule files, and boards of them, for the daemon's tests."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from janitor.report.formats.html import Html
from janitor.report.formats.json import Json
from janitor.report.model import Report
from janitor.serve.board import Board, JobOnBoard
from janitor.serve.jobs import ScheduledJob, job_of
from janitor.serve.kept import Kept
from janitor.serve.memory import Remembered
from janitor.settings.schedule import load_schedule

NOW = dt.datetime(2027, 5, 4, 12, 0, tzinfo=dt.UTC).timestamp()
HOUR = 3_600.0
TABLE = '[table]\ntable = "tokens"\n'
NIGHTLY = '[when]\ncron = "0 3 * * *"\n'


def job(folder: Path, text: str, name: str = "nightly", environment: Mapping[str, str] | None = None) -> ScheduledJob:
    """The job of a schedule file with this text."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return job_of(name, load_schedule(path), f"digest of {text}", environment or {})


def on_board(one: ScheduledJob, kept: tuple[Kept, ...] = (), **known: Any) -> JobOnBoard:
    """A job that waits for its next time in an hour, and what is known of it."""
    return JobOnBoard(
        job=one,
        known=Remembered(**known),
        kept=kept,
        running_since=None,
        is_waiting=False,
        next_at=NOW + HOUR if one.line else None,
    )


def board(*jobs: JobOnBoard, broken: Mapping[str, str] | None = None, fault: str | None = None) -> Board:
    """A daemon that started an hour ago."""
    return Board(
        now=NOW,
        started_at=NOW - HOUR,
        version="1.2.3",
        folder="/etc/janitor",
        jobs={each.job.name: each for each in jobs},
        broken=broken or {},
        fault=fault,
    )


def keep(report: Report, folder: Path) -> None:
    """Leave a report in a folder as a run does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(Json().tail(report))
    (folder / "report.html").write_bytes(Html().tail(report))

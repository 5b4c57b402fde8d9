"""The last report of a job, as its run left it on disk: what it says of each table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from janitor.logs import get_logger
from janitor.report.combine import series_of, split_by_table
from janitor.report.metrics import Metric, metrics_of
from janitor.report.model import Counts, Deletion, Outcome, Report

log = get_logger("janitor.serve")

PAGE = "report.html"
_REPORT = "report.json"
# Findings are capped at 10,000 a report unless the operator wants more; a report beyond this would burst the daemon.
_MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept in mind of a table's part of a report: no finding of it.

    Attributes:
        table, region: whose it is.
        page: the report as HTML, that of all tables of the job; it may be gone.
        started_at, ended_at: of the run of this table, in UNIX seconds.
        outcome, counts, deletion, errors: as the report has them.
        series: what its metrics call it.
        metrics: its figures.
    """

    table: str
    region: str
    page: Path
    started_at: float
    ended_at: float
    outcome: Outcome
    counts: Counts
    deletion: Deletion
    errors: tuple[str, ...]
    series: str
    metrics: Sequence[Metric]

    def is_of(self, started_at: float) -> bool:
        """Whether it is of the run that started then, and not of an earlier one. A report's times are whole seconds."""
        return self.ended_at >= int(started_at)


def kept_in(folder: Path) -> tuple[Kept, ...]:
    """What the report in this folder says, a table each; nothing where there is no whole one."""
    return tuple(_kept(folder))


def has_one_of(folder: Path, started_at: float) -> bool:
    """Whether the run that started then left a report there, be it one that cannot be read: too long, for example."""
    return _written_at(folder / _REPORT) >= int(started_at)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return -1


def _kept(folder: Path) -> Iterator[Kept]:
    whole = _report(folder / _REPORT)
    if whole is None:
        return
    for table, series, report in zip(whole.tables, series_of(whole), split_by_table(whole), strict=True):
        yield Kept(
            table=table.label,
            region=table.region or "-",
            page=folder / PAGE,
            started_at=report.run.started_at.timestamp(),
            ended_at=report.run.finished_at.timestamp(),
            outcome=report.run.outcome,
            counts=report.counts,
            deletion=report.deletion,
            errors=tuple(error.message for error in report.errors),
            series=series,
            metrics=metrics_of(report),
        )


def _report(path: Path) -> Report | None:
    try:
        if path.stat().st_size > _MOST_BYTES:
            log.warning("report.too_long", path=str(path), most_bytes=_MOST_BYTES)
            return None
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        # One of an older janitor, after an update; the next run writes another. Its message would quote the report.
        log.warning("report.not_read", path=str(path), error=type(error).__name__)
        return None

"""The last report of a job, read from the folder where its run left it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from janitor.logs import get_logger
from janitor.report.combine import name_series, split_by_table
from janitor.report.metrics import Metric, build_metrics
from janitor.report.model import Counts, Deletion, Outcome, Report

log = get_logger("janitor.serve")

PAGE = "report.html"
_REPORT = "report.json"
# A report has at most 10,000 findings by default. A larger file would take too much memory.
_MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """The part of a job's last report about one table, without its findings.

    Attributes:
        table, region: the table.
        page: the HTML report on all tables of the job; it may have been removed.
        started_at, ended_at: when the run of this table started and ended, in UNIX seconds.
        outcome, counts, deletion, errors: from the report.
        series: the table's name in metrics.
        metrics: its metrics.
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
        """Whether it is of the run that started then, not of an earlier one. A report's times are whole seconds."""
        return self.ended_at >= int(started_at)


def load_last_reports(folder: Path) -> tuple[LastReport, ...]:
    """Load the report in this folder, one part per table; nothing if there is no complete report."""
    return tuple(_split_report(folder))


def has_report_of_run(folder: Path, started_at: float) -> bool:
    """Whether the run that started then left a report there, even one that cannot be read, say for its size."""
    return _read_modification_time(folder / _REPORT) >= int(started_at)


def _read_modification_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return -1


def _split_report(folder: Path) -> Iterator[LastReport]:
    whole = _read_report(folder / _REPORT)
    if whole is None:
        return
    for table, series, report in zip(whole.tables, name_series(whole), split_by_table(whole), strict=True):
        yield LastReport(
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
            metrics=build_metrics(report),
        )


def _read_report(path: Path) -> Report | None:
    try:
        if path.stat().st_size > _MAX_BYTES:
            log.warning("report.too_long", path=str(path), most_bytes=_MAX_BYTES)
            return None
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        # Perhaps of another version; the next run replaces it. The message is not logged: it would quote the report.
        log.warning("report.not_read", path=str(path), error=type(error).__name__)
        return None

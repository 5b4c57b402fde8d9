"""The status of the daemon at one moment: plain values for the page, the API and the metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from janitor.report.model import Outcome
from janitor.serve.job_memory import JobRecord
from janitor.serve.jobs import ScheduledJob
from janitor.serve.last_report import LastReport
from janitor.serve.schedule_folder import FolderContents
from janitor.serve.table_probes import TableStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """The status of a job; times are UNIX seconds, None if there is none.

    Attributes:
        job: the job of the schedule file.
        record: what is remembered of its runs.
        last_reports: its last report, one per table.
        running_since: when the present run began.
        is_waiting: whether it is due and waits for other runs on its tables.
        next_at: when it fires next.
    """

    job: ScheduledJob
    record: JobRecord
    last_reports: Sequence[LastReport]
    running_since: float | None
    is_waiting: bool
    next_at: float | None

    def is_of_last_run(self, report: LastReport) -> bool:
        """Whether a report is of the last run; if that wrote none, the report is of an earlier one."""
        return self.record.started_at is None or report.is_of(self.record.started_at)

    @property
    def has_failed_without_report(self) -> bool:
        """Whether the last run did not end well and left no report."""
        has_failed = self.record.outcome not in (None, Outcome.COMPLETE, Outcome.SKIPPED)
        return has_failed and not any(map(self.is_of_last_run, self.last_reports))

    @property
    def has_failed_beyond_report(self) -> bool:
        """Whether the last run failed though its report has no failure: another place of it could not be written."""
        reports_success = all(each.outcome is Outcome.COMPLETE and not each.errors for each in self.last_reports)
        return self.record.outcome == Outcome.FAILED and reports_success


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """The status of the daemon and its jobs.

    Attributes:
        now: the present, in UNIX seconds.
        started_at: when the daemon started.
        version: the program's version.
        folder: the folder of schedule files.
        jobs: the jobs, by name.
        broken: why each broken file is not valid, by its name without the suffix.
        folder_error: why the folder itself cannot be read; None if it can.
    """

    now: float
    started_at: float
    version: str
    folder: str
    jobs: Mapping[str, JobStatus]
    broken: Mapping[str, str]
    folder_error: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether there are schedule files, all of them are valid, and all tables can be reached."""

    contents: FolderContents
    tables: Sequence[TableStatus]

    @property
    def is_ready(self) -> bool:
        """Whether every job can do its work."""
        return self.why is None

    @property
    def why(self) -> str | None:
        """What is wrong, in a sentence; None if nothing is."""
        if self.contents.error is not None:
            return "the folder cannot be read"
        if self.contents.broken:
            return "a schedule file is broken"
        if not self.contents.jobs:
            return "no schedule file is loaded"
        return None if all(table.is_reachable for table in self.tables) else "a table cannot be reached"


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where the pages get their data, computed anew for each request.

    Attributes:
        status: the present status.
        is_alive: whether jobs are being fired.
        readiness: whether every job can do its work.
    """

    status: Callable[[], DaemonStatus]
    is_alive: Callable[[], bool]
    readiness: Callable[[], Readiness]

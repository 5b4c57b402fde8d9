"""What the daemon remembers of each job over restarts: one small file, always written as a whole."""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from janitor.logs import get_logger
from janitor.tokens.expiration import LAST_SECOND
from janitor.whole_file import WholeFile

log = get_logger("janitor.serve")

SCHEMA: Literal["janitor.daemon/v1"] = "janitor.daemon/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """What is remembered of a job; times are UNIX seconds, None if there was none.

    Attributes:
        line: the cron line and time zone that it last had.
        handled_at: up to when its due runs are dealt with.
        begun_at, pid: of the present run.
        started_at, ended_at: of the last run that ended; the end of a lost run is not known.
        exit_code: of that run; minus the signal number if a signal killed it.
        outcome: how that run ended.
        was_overdue: whether that run was stopped because it was long past its deadline.
        errors: the last lines of that run that say what went wrong.
        succeeded_at: when the last successful run ended.
        missed_at: when it was last due and not run.
        missed: how often that happened.
        runs: the number of runs for each outcome.
        gone_at: since when it has no file.
    """

    line: str | None = None
    handled_at: float | None = None
    begun_at: float | None = None
    pid: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    outcome: str | None = None
    was_overdue: bool = False
    errors: tuple[str, ...] = ()
    succeeded_at: float | None = None
    missed_at: float | None = None
    missed: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    gone_at: float | None = None


@dataclass(frozen=True, slots=True)
class _File:
    schema: Literal["janitor.daemon/v1"]
    jobs: dict[str, JobRecord]


class JobMemory:
    """The file, and its content in memory. Threads share it."""

    def __init__(self, path: Path) -> None:
        """Read the file. If it is damaged, it is renamed, and nothing is remembered.

        Args:
            path: the file, in a folder that exists.
        """
        self._path = path
        self._lock = threading.Lock()
        self._jobs: dict[str, JobRecord] = self._load()

    def get(self, name: str) -> JobRecord:
        """Return what is remembered of a job; an empty record for an unknown job."""
        with self._lock:
            return self._jobs.get(name, JobRecord())

    def all(self) -> Mapping[str, JobRecord]:
        """Return what is remembered of each job, by name."""
        with self._lock:
            return dict(self._jobs)

    def update(self, name: str, **changes: Any) -> None:
        """Change fields of a job's record; they are on disk when this returns."""
        with self._lock:
            self._jobs[name] = replace(self._jobs.get(name, JobRecord()), **changes)
            self._save()

    def record_end(
        self,
        name: str,
        *,
        at: float | None,
        exit_code: int | None,
        outcome: str,
        is_success: bool,
        was_overdue: bool = False,
        errors: tuple[str, ...] = (),
    ) -> None:
        """Remember how the present run ended, and count it.

        Args:
            name: the job's name.
            at: when it ended; None if not known.
            exit_code: of the process; None if not known.
            outcome: how it ended.
            is_success: whether it did all it had to do.
            was_overdue: whether it was stopped because it was long past its deadline.
            errors: its last lines that say what went wrong.
        """
        with self._lock:
            before = self._jobs.get(name, JobRecord())
            runs = {**before.runs, outcome: before.runs.get(outcome, 0) + 1}
            succeeded_at = at if is_success else before.succeeded_at
            self._jobs[name] = replace(
                before,
                begun_at=None,
                pid=None,
                started_at=before.begun_at,
                ended_at=at,
                exit_code=exit_code,
                outcome=outcome,
                was_overdue=was_overdue,
                errors=errors,
                runs=runs,
                succeeded_at=succeeded_at,
            )
            self._save()

    def record_missed(self, name: str, at: float) -> None:
        """Count a time at which a job was due and did not run."""
        with self._lock:
            before = self._jobs.get(name, JobRecord())
            self._jobs[name] = replace(before, missed=before.missed + 1, missed_at=at)
            self._save()

    def forget(self, name: str) -> None:
        """Forget a job."""
        with self._lock:
            if self._jobs.pop(name, None) is not None:
                self._save()

    def _load(self) -> dict[str, JobRecord]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.error("memory.not_read", path=str(self._path), error=error.strerror)  # noqa: TRY400  # no traceback needed
            return {}
        try:
            jobs = msgspec.json.decode(content, type=_File).jobs
            _check(jobs)
        except (ValueError, RecursionError) as error:
            renamed = self._path.with_suffix(".damaged")
            log.error("memory.damaged", path=str(self._path), error=str(error), kept_as=str(renamed))  # noqa: TRY400
            with contextlib.suppress(OSError):
                self._path.replace(renamed)
            return {}
        return jobs

    def _save(self) -> None:
        # A full disk must not stop the runs: what is not on disk is remembered while the daemon lives.
        try:
            self._write(msgspec.json.encode(_File(SCHEMA, self._jobs)))
        except OSError as error:
            log.error("memory.not_written", path=str(self._path), error=error.strerror)  # noqa: TRY400

    def _write(self, content: bytes) -> None:
        with WholeFile(self._path) as file:
            file.stream.write(content)


def _check(jobs: Mapping[str, JobRecord]) -> None:
    """Check that every time is within the years that a calendar has.

    Raises:
        ValueError: one is not.
    """
    for record in jobs.values():
        for name, value in asdict(record).items():
            if name.endswith("_at") and value is not None and not 0 <= value <= LAST_SECOND:
                raise ValueError(f"{name} is no time: {value}")

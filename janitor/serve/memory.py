"""What the daemon remembers of each job over its own restarts: one small file, written whole or not at all."""

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
class Remembered:
    """What is remembered of a job; times are UNIX seconds, None where there was none.

    Attributes:
        line: the cron line and zone that it was last known by.
        handled_at: up to when what was due has been done.
        begun_at, pid: of the run that is at work.
        started_at, ended_at: of the last run that came to an end; nobody knows the end of one that was lost.
        exit_code: of that run; below zero the number of the signal that killed it.
        outcome: how that run ended.
        was_overdue: whether it was ended because it had outlived its deadline.
        succeeded_at: when the last run ended that did all it set out to do.
        missed_at: when it was last due in vain.
        missed: how often it was.
        runs: how many of its runs ended how.
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
    succeeded_at: float | None = None
    missed_at: float | None = None
    missed: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    gone_at: float | None = None


@dataclass(frozen=True, slots=True)
class _File:
    schema: Literal["janitor.daemon/v1"]
    jobs: dict[str, Remembered]


class Memory:
    """The file. Threads share it."""

    def __init__(self, path: Path) -> None:
        """Read the file; what cannot be read is put aside, and nothing is remembered then.

        Args:
            path: the file, in a folder that exists.
        """
        self._path = path
        self._lock = threading.Lock()
        self._jobs: dict[str, Remembered] = self._load()

    def of(self, name: str) -> Remembered:
        """What is remembered of a job; of one that was never seen, nothing."""
        with self._lock:
            return self._jobs.get(name, Remembered())

    def all(self) -> Mapping[str, Remembered]:
        """What is remembered of every job that was ever seen."""
        with self._lock:
            return dict(self._jobs)

    def update(self, name: str, **changes: Any) -> None:
        """Remember these of a job, on disk before this returns."""
        with self._lock:
            self._jobs[name] = replace(self._jobs.get(name, Remembered()), **changes)
            self._save()

    def end(
        self,
        name: str,
        *,
        at: float | None,
        exit_code: int | None,
        outcome: str,
        is_success: bool,
        was_overdue: bool = False,
    ) -> None:
        """Remember how the run ended that was at work, and count it.

        Args:
            name: the job's.
            at: when, None where nobody knows.
            exit_code: the process's, None where nobody knows.
            outcome: in a word.
            is_success: whether it did all it set out to do.
            was_overdue: whether it was ended because it had outlived its deadline.
        """
        with self._lock:
            before = self._jobs.get(name, Remembered())
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
                runs=runs,
                succeeded_at=succeeded_at,
            )
            self._save()

    def miss(self, name: str, at: float) -> None:
        """Count a time at which a job was due, and did not run."""
        with self._lock:
            before = self._jobs.get(name, Remembered())
            self._jobs[name] = replace(before, missed=before.missed + 1, missed_at=at)
            self._save()

    def forget(self, name: str) -> None:
        """Remember nothing of a job any more."""
        with self._lock:
            if self._jobs.pop(name, None) is not None:
                self._save()

    def _load(self) -> dict[str, Remembered]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.error("memory.not_read", path=str(self._path), error=error.strerror)  # noqa: TRY400  # a sentence
            return {}
        try:
            jobs = msgspec.json.decode(content, type=_File).jobs
            _check(jobs)
        except (ValueError, RecursionError) as error:
            aside = self._path.with_suffix(".damaged")
            log.error("memory.damaged", path=str(self._path), error=str(error), kept_as=str(aside))  # noqa: TRY400
            with contextlib.suppress(OSError):
                self._path.replace(aside)
            return {}
        return jobs

    def _save(self) -> None:
        # A full disk must not keep runs from running: what is not on disk is remembered as long as the daemon lives.
        try:
            self._write(msgspec.json.encode(_File(SCHEMA, self._jobs)))
        except OSError as error:
            log.error("memory.not_written", path=str(self._path), error=error.strerror)  # noqa: TRY400

    def _write(self, content: bytes) -> None:
        with WholeFile(self._path) as file:
            file.stream.write(content)


def _check(jobs: Mapping[str, Remembered]) -> None:
    """See that every time is one that a calendar has.

    Raises:
        ValueError: one is not.
    """
    for known in jobs.values():
        for name, value in asdict(known).items():
            if name.endswith("_at") and value is not None and not 0 <= value <= LAST_SECOND:
                raise ValueError(f"{name} is no time: {value}")

"""Run the jobs, each run in a process of its own: a crash or a lack of memory ends the run, not the daemon."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from janitor.logs import get_logger
from janitor.report.model import Outcome
from janitor.serve.job_memory import JobMemory
from janitor.serve.jobs import ScheduledJob
from janitor.serve.last_report import LastReport, has_report_of_run, load_last_reports
from janitor.serve.run_end import RunEnd, classify_end
from janitor.serve.run_process import RunProcess, stop_orphans, stop_processes
from janitor.serve.table_queue import TableQueue

log = get_logger("janitor.serve")

# A run ends by itself at its deadline. One that is this much late is frozen, and is stopped from here.
OVERRUN_SECONDS = 60.0
# How long it may take to end when it is asked to, and then to vanish when it is killed.
_STOP_SECONDS = 8.0
_GONE_SECONDS = 30.0
_RECORD_SECONDS = 0.5
_POLL_SECONDS = 0.05

_LOST = RunEnd("lost", is_success=False)

FindJob = Callable[[str], ScheduledJob | None]
MakeLockKeys = Callable[[ScheduledJob], frozenset[str]]


class JobRunner:
    """Runs jobs, and knows which are running. Threads share it."""

    def __init__(
        self,
        folder: Path,
        memory: JobMemory,
        find_job: FindJob,
        lock_keys: MakeLockKeys,
        options: Sequence[str],
        *,
        max_runs: int,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            folder: where each job's last report is kept, in a folder of the job's name.
            memory: what is remembered of jobs.
            find_job: finds the present job of a name; None if there is none any more.
            lock_keys: returns the keys of a job that no two runs may hold at once; must not block.
            options: further command line options of every run.
            max_runs: how many runs may be going at once, whatever their tables.
        """
        self._folder = folder
        self._memory = memory
        self._find_job = find_job
        self._lock_keys = lock_keys
        self._options = tuple(options)
        self._queue = TableQueue(max_runs)
        self._lock = threading.Lock()
        self._processes: dict[str, RunProcess] = {}
        self._overdue: set[RunProcess] = set()
        self._killed: set[RunProcess] = set()
        self._waiting: set[str] = set()
        # With the digest of the schedule file that named their tables.
        self._last_reports: dict[str, tuple[str, tuple[LastReport, ...]]] = {}
        self._is_stopping = False

    def end_orphans(self) -> None:
        """Stop the runs that outlived a daemon which was killed, and remember them as lost: nobody saw how they ended.

        None of them runs again: a run counts as dealt with when it starts, so that a job that crashes the machine does
        not crash it for ever.
        """
        records = self._memory.all().items()
        stop_orphans({name: (self._folder / name, record.pid) for name, record in records if record.pid is not None})
        for name in [name for name, record in records if record.begun_at is not None]:
            log.error("run.lost", job=name, reason="the daemon was killed while it was running")
            self._memory.record_end(name, at=None, exit_code=None, outcome=_LOST.outcome, is_success=False)

    def run(self, name: str) -> None:
        """Wait until the tables of a job are free, run it once, and wait for its end."""
        with self._lock:
            self._waiting.add(name)
        try:
            while (job := self._find_job(name)) is not None:
                keys = self._lock_keys(job)
                with self._queue.hold(keys) as is_held:
                    if not is_held:
                        return
                    # Meanwhile its file may have changed, and with it the tables; or more may be known of them.
                    if self._find_job(name) == job and self._lock_keys(job) <= keys:
                        self._run_now(job)
                        return
        finally:
            with self._lock:
                self._waiting.discard(name)

    def stop(self, seconds: float, wait_for_kill: Callable[[float], bool]) -> None:
        """Start no more runs, ask the present ones to end, and kill those that do not.

        Args:
            seconds: how long they may take.
            wait_for_kill: waits for at most that many seconds; returns whether to kill them at once.
        """
        with self._lock:
            self._is_stopping = True
            processes = list(self._processes.values())
        self._queue.close()
        stop_processes(processes, seconds, wait_for_kill)
        # The threads that wait for them remember how they ended.
        deadline = time.monotonic() + _RECORD_SECONDS
        while self.running() and time.monotonic() < deadline:
            wait_for_kill(_POLL_SECONDS)

    def stop_overdue(self, now: float) -> None:
        """Stop each run that is a minute past its deadline: ask it to end, then kill it if it does not.

        To be called every few seconds.

        Args:
            now: the monotonic clock, in seconds.
        """
        with self._lock:
            late = {process: now - process.due - OVERRUN_SECONDS for process in self._processes.values()}
            to_stop = [process for process, seconds in late.items() if seconds >= 0 and process not in self._overdue]
            to_kill = [
                process for process, seconds in late.items() if seconds >= _STOP_SECONDS and process not in self._killed
            ]
            self._overdue.update(to_stop)
            self._killed.update(to_kill)
        for process in to_stop:
            reason = f"it is past its deadline by {OVERRUN_SECONDS:.0f} seconds"
            log.error("job.overdue", job=process.name, pid=process.pid, reason=reason)
            process.popen.terminate()
        for process in to_kill:
            log.error("job.killed", job=process.name, pid=process.pid, reason="it did not end in time")
            process.popen.kill()

    def is_stuck(self, now: float) -> bool:
        """Whether a run is still there that should have been killed long ago: say one that waits for a disk for ever.

        It holds its tables, so that other runs wait. `now` is the monotonic clock, in seconds.
        """
        limit = OVERRUN_SECONDS + _STOP_SECONDS + _GONE_SECONDS
        with self._lock:
            return any(now - process.due > limit for process in self._processes.values())

    def running(self) -> Mapping[str, float]:
        """Return the running jobs, and since when each runs, in UNIX seconds."""
        with self._lock:
            return {name: process.started_at for name, process in self._processes.items()}

    def waiting(self) -> frozenset[str]:
        """Return the jobs that are due and wait for their tables."""
        with self._lock:
            return frozenset(self._waiting)

    def last_reports(self, job: ScheduledJob) -> tuple[LastReport, ...]:
        """Return the job's last report, one part per table; read once after each run."""
        with self._lock:
            digest, reports = self._last_reports.get(job.name, ("", ()))
        return reports if digest == job.digest else self._load_reports(job)

    def forget(self, name: str) -> None:
        """Remove all that is stored of a job that has no file any more, unless it is running."""
        if name in self.running():
            return
        folder = self._folder / name
        # The names come from a file: none of them leads to another folder.
        if folder.parent == self._folder and name not in ("", ".", ".."):
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warning("job.not_removed", job=name, path=str(folder), error=error.strerror)
        with self._lock:
            self._last_reports.pop(name, None)
        self._memory.forget(name)
        log.info("job.forgotten", job=name, reason="it has had no file for 30 days")

    def _run_now(self, job: ScheduledJob) -> None:
        process = self._start(job)
        if process is None:
            return
        try:
            self._wait_for_end(job, process)
        finally:
            with self._lock:
                del self._processes[job.name]
                self._overdue.discard(process)
                self._killed.discard(process)

    def _wait_for_end(self, job: ScheduledJob, process: RunProcess) -> None:
        """Wait for the end of a run, and remember how it ended."""
        self._memory.update(job.name, pid=process.pid)
        log.info("job.started", job=job.name, pid=process.pid, deletes=job.deletes)
        code = process.wait()
        ended_at = time.time()
        reports = self._load_reports(job)
        end = classify_end(
            code,
            [report.outcome for report in reports if report.is_of(process.started_at)],
            has_report=has_report_of_run(self._folder / job.name, process.started_at),
            was_asked_to_end=self._is_stopping,
            was_overdue=process in self._overdue,
        )
        self._memory.record_end(
            job.name,
            at=ended_at,
            exit_code=code,
            outcome=end.outcome,
            is_success=end.is_success,
            was_overdue=process in self._overdue,
            errors=process.read_errors(),
        )
        seconds = round(ended_at - process.started_at, 1)
        write_log = log.info if end.is_success or end.outcome == Outcome.SKIPPED else log.error
        write_log("job.ended", job=job.name, outcome=end.outcome, exit_code=code, seconds=seconds)

    def _load_reports(self, job: ScheduledJob) -> tuple[LastReport, ...]:
        reports = load_last_reports(self._folder / job.name)
        with self._lock:
            self._last_reports[job.name] = (job.digest, reports)
        return reports

    def _start(self, job: ScheduledJob) -> RunProcess | None:
        now = time.time()
        with self._lock:
            self._waiting.discard(job.name)
            if self._is_stopping:
                return None
            # Before it starts: if it crashes the daemon, it is not due again.
            self._memory.update(job.name, handled_at=now, begun_at=now, pid=None)
            try:
                process = RunProcess.start(job, self._folder / job.name, self._options, now)
            except OSError as error:
                log.error("job.not_started", job=job.name, error=str(error))  # noqa: TRY400  # no traceback needed
                self._memory.record_end(
                    job.name, at=now, exit_code=None, outcome="failed", is_success=False, errors=(str(error),)
                )
                return None
            self._processes[job.name] = process
            return process

"""The runs: each a process of its own, so that a crash or a lack of memory ends the run and not the daemon."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from janitor.logs import get_logger
from janitor.report.model import Outcome
from janitor.serve.child import Child, end_all, end_left_behind
from janitor.serve.ending import Ending, ending_of
from janitor.serve.jobs import ScheduledJob
from janitor.serve.kept import Kept, has_one_of, kept_in
from janitor.serve.memory import Memory
from janitor.serve.turns import Turns

log = get_logger("janitor.serve")

# A run ends itself at its deadline. One that outlives it by so much is frozen, and is ended from here.
OVERRUN_SECONDS = 60.0
# It has so long to end when it is asked to, and then so long to be gone when it is killed.
_END_SECONDS = 8.0
_GONE_SECONDS = 30.0
_RECORD_SECONDS = 0.5
_POLL_SECONDS = 0.05

_LOST = Ending("lost", is_success=False)

Find = Callable[[str], ScheduledJob | None]
Keys = Callable[[ScheduledJob], frozenset[str]]


class Runs:
    """Carries jobs out, and knows which is at work. Threads share it."""

    def __init__(
        self, folder: Path, memory: Memory, find: Find, keys: Keys, options: Sequence[str], *, most_at_once: int
    ) -> None:
        """Nothing is at work.

        Args:
            folder: where each job's reports are kept, in a folder of its name.
            memory: what is remembered of jobs.
            find: the job of a name as it is at present, None where there is none any more.
            keys: what no two runs are at work on at once, for a job; soon back.
            options: what else every run is told.
            most_at_once: how many runs may be at work at once, whatever their tables.
        """
        self._folder = folder
        self._memory = memory
        self._find = find
        self._keys = keys
        self._options = tuple(options)
        self._turns = Turns(most_at_once)
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}
        self._overdue: set[Child] = set()
        self._killed: set[Child] = set()
        self._waiting: set[str] = set()
        # With the digest of the file that said which tables they are of.
        self._kept: dict[str, tuple[str, tuple[Kept, ...]]] = {}
        self._is_stopping = False

    def settle(self) -> None:
        """End what a daemon that was killed left at work, and remember those runs as lost: nobody saw how they ended.

        None of them is done again: its time was handled when it began, so that a job that takes the machine down does
        not do so for ever.
        """
        every = self._memory.all().items()
        end_left_behind({name: (self._folder / name, known.pid) for name, known in every if known.pid is not None})
        for name in [name for name, known in every if known.begun_at is not None]:
            log.error("run.lost", job=name, reason="the daemon was killed while it was at work")
            self._memory.end(name, at=None, exit_code=None, outcome=_LOST.outcome, is_success=False)

    def run(self, name: str) -> None:
        """Wait for the turn of a job, do one run of it and wait for its end."""
        with self._lock:
            self._waiting.add(name)
        try:
            while (job := self._find(name)) is not None:
                keys = self._keys(job)
                with self._turns.turn(keys) as has_come:
                    if not has_come:
                        return
                    # Its file may have changed meanwhile, and with it the tables to wait for; or more is known of them.
                    if self._find(name) == job and self._keys(job) <= keys:
                        self._carry_out(job)
                        return
        finally:
            with self._lock:
                self._waiting.discard(name)

    def stop(self, seconds: float, is_hurried: Callable[[float], bool]) -> None:
        """Start nothing any more, ask what is at work to end, and end by force what does not.

        Args:
            seconds: how long it may take.
            is_hurried: waits for so many seconds at most, and tells whether everything is to end at once.
        """
        with self._lock:
            self._is_stopping = True
            children = list(self._children.values())
        self._turns.close()
        end_all(children, seconds, is_hurried)
        # How they ended is remembered by the threads that wait for them.
        deadline = time.monotonic() + _RECORD_SECONDS
        while self.at_work() and time.monotonic() < deadline:
            is_hurried(_POLL_SECONDS)

    def end_overdue(self, now: float) -> None:
        """Ask each run to end that has outlived its deadline by a minute, and kill it if it does not.

        To be called every few seconds.

        Args:
            now: seconds of the clock that nobody sets.
        """
        with self._lock:
            late = {child: now - child.due - OVERRUN_SECONDS for child in self._children.values()}
            asked = [child for child, seconds in late.items() if seconds >= 0 and child not in self._overdue]
            killed = [child for child, seconds in late.items() if seconds >= _END_SECONDS and child not in self._killed]
            self._overdue.update(asked)
            self._killed.update(killed)
        for child in asked:
            reason = f"it has outlived its deadline by {OVERRUN_SECONDS:.0f} seconds"
            log.error("job.overdue", job=child.name, pid=child.pid, reason=reason)
            child.process.terminate()
        for child in killed:
            log.error("job.killed", job=child.name, pid=child.pid, reason="it did not end in time")
            child.process.kill()

    def is_stuck(self, now: float) -> bool:
        """Whether a run is still there that was to be killed long ago: one that waits for a disk for ever, say.

        It keeps its turn, and others from theirs. `now` is as for `end_overdue`.
        """
        longest = OVERRUN_SECONDS + _END_SECONDS + _GONE_SECONDS
        with self._lock:
            return any(now - child.due > longest for child in self._children.values())

    def at_work(self) -> Mapping[str, float]:
        """Which jobs are at work, and since when in UNIX seconds."""
        with self._lock:
            return {name: child.started_at for name, child in self._children.items()}

    def waiting(self) -> frozenset[str]:
        """Which jobs are due, and wait for their turn."""
        with self._lock:
            return frozenset(self._waiting)

    def kept(self, job: ScheduledJob) -> tuple[Kept, ...]:
        """The job's last reports, read once after each run."""
        with self._lock:
            digest, known = self._kept.get(job.name, ("", ()))
        return known if digest == job.digest else self._read_kept(job)

    def forget(self, name: str) -> None:
        """Remove what is kept of a job that has no file any more, on disk and in memory. One at work stays."""
        if name in self.at_work():
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
            self._kept.pop(name, None)
        self._memory.forget(name)
        log.info("job.forgotten", job=name, reason="it has had no file for 30 days")

    def _carry_out(self, job: ScheduledJob) -> None:
        child = self._start(job)
        if child is None:
            return
        try:
            self._follow(job, child)
        finally:
            with self._lock:
                del self._children[job.name]
                self._overdue.discard(child)
                self._killed.discard(child)

    def _follow(self, job: ScheduledJob, child: Child) -> None:
        """Wait for the end of a run, and remember it."""
        self._memory.update(job.name, pid=child.pid)
        log.info("job.started", job=job.name, pid=child.pid, deletes=job.deletes)
        code = child.wait()
        ended_at = time.time()
        kept = self._read_kept(job)
        ending = ending_of(
            code,
            [report.outcome for report in kept if report.is_of(child.started_at)],
            has_report=has_one_of(self._folder / job.name, child.started_at),
            was_asked_to_end=self._is_stopping,
            was_overdue=child in self._overdue,
        )
        self._memory.end(
            job.name,
            at=ended_at,
            exit_code=code,
            outcome=ending.outcome,
            is_success=ending.is_success,
            was_overdue=child in self._overdue,
        )
        seconds = round(ended_at - child.started_at, 1)
        say = log.info if ending.is_success or ending.outcome == Outcome.SKIPPED else log.error
        say("job.ended", job=job.name, outcome=ending.outcome, exit_code=code, seconds=seconds)

    def _read_kept(self, job: ScheduledJob) -> tuple[Kept, ...]:
        kept = kept_in(self._folder / job.name)
        with self._lock:
            self._kept[job.name] = (job.digest, kept)
        return kept

    def _start(self, job: ScheduledJob) -> Child | None:
        now = time.time()
        with self._lock:
            self._waiting.discard(job.name)
            if self._is_stopping:
                return None
            # Before it starts: should it take the daemon down, it is not due again.
            self._memory.update(job.name, handled_at=now, begun_at=now, pid=None)
            try:
                child = Child.start(job, self._folder / job.name, self._options, now)
            except OSError as error:
                log.error("job.not_started", job=job.name, error=str(error))  # noqa: TRY400  # a sentence
                self._memory.end(job.name, at=now, exit_code=None, outcome="failed", is_success=False)
                return None
            self._children[job.name] = child
            return child

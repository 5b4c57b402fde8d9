"""Remembers why runs are refused or fail, so that the same reason is published at most once a day, and its end once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

import msgspec

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.report.model import Outcome, Report
from janitor.store.record_times import BrokenRecords, is_plausible, second_in
from janitor.store.records import Store
from janitor.store.run_memory import RunMemory

log = get_logger("janitor.notices")

# A day, less half an hour: a nightly run may end a little earlier than the one before.
REPEAT_AFTER_SECONDS = 86_400 - 1_800
_SCOPE = "runs"
_WHAT = "a record of how the last run ended"


class RunProblem(NamedTuple):
    """Why a run was refused or failed.

    Attributes:
        reason: the same for every run that ends so for the same reasons, whatever their numbers are.
        sentence: the first reason, for people.
        notified_at: the UNIX second at which it was last published; 0 for never. Stored as `told_at`.
    """

    reason: str
    sentence: str
    notified_at: int = 0


_DECODE = msgspec.json.Decoder(type=dict[str, str | int]).decode


def find_run_problem(report: Report) -> RunProblem | None:
    """Find why this run was refused or failed; None if it is well."""
    if report.run.outcome is Outcome.COMPLETE and not report.errors and not report.deletion.failed:
        return None
    reasons = {
        f"{table.label}:{table.outcome.value}:{error.where}:{error.code}"
        for table in report.tables
        for error in table.errors
    }
    reasons |= {f":{report.run.outcome.value}:{error.where}:{error.code}" for error in report.errors}
    first = report.errors[0].message if report.errors else f"the run ended {report.run.outcome.value}"
    return RunProblem(" ".join(sorted(reasons)) or report.run.outcome.value, first)


class ProblemMemory:
    """Keeps in the store how the last run of the same kind ended. If the store fails, every problem is published.

    Attributes:
        name: of the record; different for every job, table and topic.
        broken: records of the store that no run can have left.
        location: the store as the user calls it.
    """

    def __init__(self, store: Store, clock: Callable[[], float], *, job: str, table: str, topic: str) -> None:
        """Prepare; nothing is asked of the store.

        Args:
            store: where it is remembered.
            clock: the present UNIX second.
            job: what is run: a schedule file's name, or the command.
            table: the table or tables, as the user names them.
            topic: who is notified.
        """
        self._store, self._clock = store, clock
        self.broken = BrokenRecords()
        self.location = store.location
        self.name = f"trouble/{job}/{sha256(f'{table}/{topic}'.encode()).hexdigest()[:32]}"

    def last(self) -> RunProblem | None:
        """Why the last run was refused or failed; None if it was well, or that is not known."""
        content = None
        with _log_store_errors():
            content = self._memory().note(self.name)
        if not content:
            return None
        try:
            known = _DECODE(content)
            problem = RunProblem(str(known["reason"]), str(known["sentence"]), int(known["told_at"]))
        except (ValueError, KeyError, RecursionError):
            self.broken.add(self.name, _WHAT, None)
            return None
        if not is_plausible(problem.notified_at, int(self._clock())):
            self.broken.add(self.name, _WHAT, second_in(problem.notified_at))
            return None
        return problem

    def was_published_recently(self, problem: RunProblem, last: RunProblem | None) -> bool:
        """Whether the same problem was published less than a day ago."""
        return (
            last is not None
            and last.reason == problem.reason
            and 0 <= self._clock() - last.notified_at < REPEAT_AFTER_SECONDS
        )

    def remember(self, problem: RunProblem | None, last: RunProblem | None, *, was_published: bool) -> None:
        """Remember how this run ended, and whether that was published."""
        if problem is None:
            # The problem is kept until its end was published, if it was published itself.
            if last is not None and (was_published or not last.notified_at):
                self._keep(b"")
            return
        notified_before_at = last.notified_at if last is not None and last.reason == problem.reason else 0
        notified_at = int(self._clock()) if was_published else notified_before_at
        record = {"reason": problem.reason, "sentence": problem.sentence, "told_at": notified_at}
        self._keep(msgspec.json.encode(record))

    def _keep(self, content: bytes) -> None:
        with _log_store_errors():
            self._memory().keep_note(self.name, content, int(self._clock()))

    def _memory(self) -> RunMemory:
        return RunMemory(self._store, _SCOPE, int(self._clock()), broken=self.broken)


@contextmanager
def _log_store_errors() -> Iterator[None]:
    """Log an error of the store inside the block, and go on after it."""
    try:
        yield
    except StoreError as error:
        log.warning("trouble.not_known", code=error.code, error=str(error))

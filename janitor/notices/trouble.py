"""Runs that are refused or fail for the same reason, night after night: told once, then daily, and then their end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

import msgspec

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.report.model import Outcome, Report
from janitor.store.memory import RunMemory
from janitor.store.moments import BrokenRecords, can_be_written, moment_in
from janitor.store.records import Store

log = get_logger("janitor.notices")

# A day, but for what a nightly run may begin or end earlier than the one before.
TOLD_AGAIN_SECONDS = 86_400 - 1_800
_SCOPE = "runs"
_WHAT = "a record of how the last run ended"


class Trouble(NamedTuple):
    """Why a run was refused or failed.

    Attributes:
        reason: the same for every run that ends so for the same reasons, whatever their numbers are.
        sentence: the first of them, for people.
        told_at: the UNIX second at which that was told last; 0 for never.
    """

    reason: str
    sentence: str
    told_at: int = 0


_DECODE = msgspec.json.Decoder(type=dict[str, str | int]).decode


def trouble_of(report: Report) -> Trouble | None:
    """Why this run was refused or failed; None of one that is well."""
    if report.run.outcome is Outcome.COMPLETE and not report.errors and not report.deletion.failed:
        return None
    reasons = {
        f"{table.label}:{table.outcome.value}:{error.where}:{error.code}"
        for table in report.tables
        for error in table.errors
    }
    reasons |= {f":{report.run.outcome.value}:{error.where}:{error.code}" for error in report.errors}
    first = report.errors[0].message if report.errors else f"the run ended {report.run.outcome.value}"
    return Trouble(" ".join(sorted(reasons)) or report.run.outcome.value, first)


class TroubleMemory:
    """What the last run of the same kind ended with, in the store. Where that fails, everything is worth telling.

    Attributes:
        name: tells it from those of other jobs, tables and topics.
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
            topic: who is told.
        """
        self._store, self._clock = store, clock
        self.broken = BrokenRecords()
        self.location = store.location
        self.name = f"trouble/{job}/{sha256(f'{table}/{topic}'.encode()).hexdigest()[:32]}"

    def last(self) -> Trouble | None:
        """What the last run ended with; None where it was well, or nobody knows."""
        content = None
        with _failing():
            content = self._memory().note(self.name)
        if not content:
            return None
        try:
            known = _DECODE(content)
            trouble = Trouble(str(known["reason"]), str(known["sentence"]), int(known["told_at"]))
        except (ValueError, KeyError, RecursionError):
            self.broken.add(self.name, _WHAT, None)
            return None
        if not can_be_written(trouble.told_at, int(self._clock())):
            self.broken.add(self.name, _WHAT, moment_in(trouble.told_at))
            return None
        return trouble

    def is_known(self, trouble: Trouble, last: Trouble | None) -> bool:
        """Whether it was told already, and less than a day ago."""
        return (
            last is not None
            and last.reason == trouble.reason
            and 0 <= self._clock() - last.told_at < TOLD_AGAIN_SECONDS
        )

    def settle(self, trouble: Trouble | None, last: Trouble | None, *, was_told: bool) -> None:
        """Remember how this run ended, and whether that was told."""
        if trouble is None:
            # Whoever heard of the trouble is to hear of its end.
            if last is not None and (was_told or not last.told_at):
                self._keep(b"")
            return
        before = last.told_at if last is not None and last.reason == trouble.reason else 0
        told_at = int(self._clock()) if was_told else before
        self._keep(msgspec.json.encode(trouble._replace(told_at=told_at)._asdict()))

    def _keep(self, content: bytes) -> None:
        with _failing():
            self._memory().keep_note(self.name, content, int(self._clock()))

    def _memory(self) -> RunMemory:
        return RunMemory(self._store, _SCOPE, int(self._clock()), broken=self.broken)


@contextmanager
def _failing() -> Iterator[None]:
    """A block that an error of the store ends, which is logged and no more."""
    try:
        yield
    except StoreError as error:
        log.warning("trouble.not_known", code=error.code, error=str(error))

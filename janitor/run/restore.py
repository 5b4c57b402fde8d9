"""Rows of an archive back into their table: chosen, and each only where no row stands."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from janitor.errors import JanitorError
from janitor.run.plan import PlannedRow, RowOutcome
from janitor.run.plan_reader import PlanReader
from janitor.run.stopping import LAST_SECONDS, Stop
from janitor.run.workers import WAKE_SECONDS, Workers
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.row import Row, row_of, text_of

log = structlog.get_logger("janitor.restore")

_WORKERS = 16
_MOST_PENDING = 64

RESTORED, STANDS, CHANGED, FAILED = "restored", "row-stands", "was-not-deleted", "failed"

# Puts a row back, and says whether it did: False where a row with its key stands.
Put = Callable[[PlannedRow, Row], bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: those with one of these fingerprints (or starts of them), those of these owners, or all."""

    fingerprints: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    all: bool = False

    def takes(self, planned: PlannedRow, row: Row) -> bool:
        """Whether the row is one of them."""
        is_named = self.fingerprints and planned.fingerprint.startswith(self.fingerprints)
        return self.all or bool(is_named) or text_of(row.username) in self.users


class Restored(NamedTuple):
    """What became of a row that was chosen; `error` is why it failed, if it did."""

    planned: PlannedRow
    row: Row
    outcome: str
    error: JanitorError | None = None


def restore(readers: Iterable[PlanReader], choice: Choice, put: Put, stop: Stop) -> Iterator[Restored]:
    """Put the chosen rows back, several at once, in any order.

    A row that the archive says was `changed` is skipped: janitor never deleted it. One whose outcome is unknown, or
    `failed`, or `already_gone` is put back if no row stands: the delete may have been this run's.

    Args:
        readers: the archives; of those that hold the same row, the first decides.
        choice: which rows.
        put: puts one back; threads share it.
        stop: a request starts no more, and fails what has no answer a few seconds later.

    Raises:
        ConfigurationError: an archive is damaged; the rows before that are settled.
    """
    workers: Workers[_Chosen, Restored] = Workers(lambda chosen: _put_back(chosen, put), _WORKERS, "restore")
    try:
        for chosen in _chosen(readers, choice):
            if stop.is_requested():
                break
            if chosen.was_changed:
                yield Restored(chosen.planned, chosen.row, CHANGED)
                continue
            workers.submit(chosen)
            yield from _done(workers, _MOST_PENDING, stop)
        yield from _done(workers, 0, stop)
    finally:
        workers.end()


class _Chosen(NamedTuple):
    planned: PlannedRow
    row: Row
    was_changed: bool


def _chosen(readers: Iterable[PlanReader], choice: Choice) -> Iterator[_Chosen]:
    seen: set[str | None] = set()
    for reader in readers:
        # Outcomes stand behind their rows, so the file is read twice; only the few that changed are remembered.
        changed = {
            entry.row
            for entry in reader.entries()
            if isinstance(entry, RowOutcome) and entry.outcome == DeletionOutcome.CHANGED
        }
        for planned in reader.rows():
            row = row_of(planned.item)
            if choice.takes(planned, row) and row.key.S not in seen:
                seen.add(row.key.S)
                yield _Chosen(planned, row, planned.row in changed)


def _put_back(chosen: _Chosen, put: Put) -> Restored:
    try:
        was_put = put(chosen.planned, chosen.row)
    except JanitorError as error:
        log.error("restore.failed", code=error.code, error=str(error))  # noqa: TRY400
        return Restored(chosen.planned, chosen.row, FAILED, error)
    return Restored(chosen.planned, chosen.row, RESTORED if was_put else STANDS)


def _done(workers: Workers[_Chosen, Restored], most: int, stop: Stop) -> Iterator[Restored]:
    while len(workers.pending) > most:
        done = workers.done(WAKE_SECONDS)
        if done is not None:
            yield done[1]
        elif stop.is_over(LAST_SECONDS):
            for chosen in workers.give_up():
                error = JanitorError(
                    "some puts were not answered before the run had to end", "run it again", "no-answer"
                )
                yield Restored(chosen.planned, chosen.row, FAILED, error)

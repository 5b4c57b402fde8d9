"""What a run sees, held against what earlier runs announced: which notices are due, and which rows may go yet.

A store that fails ends that, not the run: nothing more is asked of it, and nothing is announced that may have been.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from janitor.errors import LedgerError
from janitor.ledger.chunks import Seen
from janitor.ledger.interface import LastRun, Ledger
from janitor.ledger.snapshot import Changes, Snapshot
from janitor.logs import get_logger
from janitor.notify.notice import Event, Notice
from janitor.run.findings import Told
from janitor.run.sights import Sight, bounded, sight_of
from janitor.run.spool import Spool
from janitor.tokens.classify import State
from janitor.tokens.crossing import EXPIRY, Crossing, present_threshold
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.row import Row

log = get_logger("janitor.notices")

_ALREADY_GONE = DeletionOutcome.ALREADY_GONE
# Rows that are gone by now, or have another date: what was seen of them is not to be announced.
_NOT_AS_SEEN = frozenset({DeletionOutcome.DELETED, DeletionOutcome.CHANGED, _ALREADY_GONE})
_LOADS = 2
_ANNOUNCED = frozenset({State.EXPIRING, State.EXPIRED, State.STALE})
# A mark is forgotten after 400 days. One that is so many days old, or a multiple of them, is renewed: then a token that
# stays is not announced anew, and not every run writes down again what it knows.
_RENEWED_EVERY_DAYS = 50

FingerprintOf = Callable[[Row], str]


class Watch:
    """Sees every finding of a run once.

    Attributes:
        due: notices that were not announced yet.
        error: why the store failed, None as long as it works.
        warning: why nobody can tell what changed since the last run.
    """

    def __init__(
        self,
        ledger: Ledger,
        scope: str,
        *,
        now: int,
        thresholds: Sequence[int],
        fingerprint_of: FingerprintOf,
        folder: Path,
    ) -> None:
        """Prepare; the store is not opened yet.

        Args:
            ledger: what earlier runs left.
            scope: names the table in it.
            now: the UNIX second at which rows are judged.
            thresholds: in seconds before expiry.
            fingerprint_of: how rows are named.
            folder: for temporary files.
        """
        self.due = Spool()
        self.error: LedgerError | None = None
        self.warning: LedgerError | None = None
        self.location = ledger.location
        self._ledger = ledger
        self._snapshot: Snapshot | None = None
        self._folder = folder
        self._scope = scope
        self._now = now
        self._thresholds = tuple(thresholds)
        self._fingerprint_of = fingerprint_of

    @property
    def is_broken(self) -> bool:
        """Whether the store has failed."""
        return self.error is not None

    def open(self) -> None:
        """Open the store, and read what the last run found."""
        self.open_store()
        self.load()

    def open_store(self) -> None:
        """Open the store alone, for what was announced."""
        with self.failing():
            self._ledger.open(self._scope, self._now)

    def load(self) -> None:
        """Read what the last run found; from then on findings are taken."""
        if self.error is None:
            with self.failing():
                self._snapshot = Snapshot(self._folder)
                self._load(self._snapshot)

    def _load(self, snapshot: Snapshot) -> None:
        """Read what the last run found; without it the notices are none the worse, and this run leaves a new one."""
        for _ in range(_LOADS):
            try:
                snapshot.load(self._ledger.snapshot())
            except LedgerError as error:
                # Damaged, or replaced by another run while it was read.
                log.warning("state.not_loaded", code=error.code, error=str(error))
                self.warning = error
            else:
                self.warning = None
                return

    def see(self, rows: Sequence[Told]) -> None:
        """Take findings, none of them active."""
        if self.error is None and self._snapshot is not None:
            self.take(self.sights_of(rows))

    def sights_of(self, rows: Sequence[Told]) -> list[Sight]:
        """What is seen of findings, without taking them."""
        return [sight_of(told, self._fingerprint_of(told.row)) for told in rows]

    def take(self, sights: Sequence[Sight]) -> None:
        """Take what was seen of findings, by this run or by a shard of it."""
        if self.error is not None or self._snapshot is None:
            return
        with self.failing():
            # One that somebody else removed meanwhile is not here any more.
            here = [sight for sight in sights if sight.outcome is not _ALREADY_GONE]
            self._snapshot.add([sight.seen for sight in here])
            self._look_for_due(here)

    def announced_by(self, latest: int, expiries: Mapping[str, int]) -> set[str]:
        """Of rows, expiries by fingerprint, those whose expiry was announced at the UNIX second `latest` or before.

        None of them where the store does not work.
        """
        crossings = [Crossing(fingerprint, bounded(expiry), EXPIRY) for fingerprint, expiry in expiries.items()]
        if self.error is None:
            with self.failing():
                found = self._ledger.announced(crossings)
                return {crossing.fingerprint for crossing, at in found.items() if at <= latest}
        return set()

    def mark(self, notices: Iterable[Notice], at: int) -> bool:
        """Remember that these were announced at the UNIX second `at`; a deletion is nothing to remember.

        Returns:
            whether that is remembered now.
        """
        crossings = [notice.crossing for notice in notices if notice.event is not Event.DELETED]
        with self.failing():
            self._ledger.mark(crossings, at)
            return True
        return False

    def last_run(self) -> LastRun | None:
        """The run that left what this one is held against; None where there is none, or the store does not work."""
        if self.error is None and self._snapshot is not None and self._snapshot.has_previous:
            with self.failing():
                return self._ledger.last_run()
        return None

    def missing(self, most: int) -> list[Seen]:
        """What the last run found, and this one neither found nor deleted, at most so many."""
        if self._snapshot is None:
            return []
        with self.failing():
            return list(islice(self._snapshot.missing(), most))
        return []

    def found(self, entries: Sequence[Seen]) -> None:
        """Take active tokens that were missing, and have been looked up."""
        if self._snapshot is not None and entries:
            with self.failing():
                self._snapshot.add(entries)

    def changes(self, most: int) -> Changes | None:
        """What changed since the last run, of each kind the first so many; None where the store does not work."""
        if self.error is None and self._snapshot is not None:
            with self.failing():
                return self._snapshot.changes(self._now, most)
        return None

    def remember(self, run: LastRun) -> None:
        """Leave what this run found to the next one, and drop what is past its time."""
        if self.error is None and self._snapshot is not None:
            with self.failing():
                self._ledger.replace_snapshot(self._snapshot.chunks(), run)
                self._ledger.forget(self._now)

    def close(self) -> None:
        """Let go of the store and of the temporary files. Never raises."""
        self.due.close()
        if self._snapshot is not None:
            self._snapshot.close()
        self._ledger.close()

    def _look_for_due(self, sights: Sequence[Sight]) -> None:
        by_crossing = {crossing: sight for sight in sights if (crossing := self._crossing(sight)) is not None}
        announced = self._ledger.announced([*by_crossing])
        renewed = [crossing for crossing, at in announced.items() if _is_to_be_renewed(self._now - at)]
        if renewed:
            self._ledger.mark(renewed, self._now)
        self.due.add(
            sight.notice(crossing.threshold, _event(crossing), self._now)
            for crossing, sight in by_crossing.items()
            if crossing not in announced
        )
        self._see_deleted(sights)

    def _see_deleted(self, sights: Sequence[Sight]) -> None:
        deleted = [sight for sight in sights if sight.outcome is DeletionOutcome.DELETED]
        if self._snapshot is not None:
            self._snapshot.vanish([sight.fingerprint for sight in deleted])
        self.due.add(sight.deletion(self._now) for sight in deleted)

    def _crossing(self, sight: Sight) -> Crossing | None:
        if sight.expiry is None or sight.state not in _ANNOUNCED or sight.outcome in _NOT_AS_SEEN:
            return None
        threshold = present_threshold(sight.expiry - self._now, self._thresholds)
        return None if threshold is None else Crossing(sight.fingerprint, sight.expiry, threshold)

    def failing(self) -> "_Failing":
        """A block that an error of the store ends, which is noted then, and no more is asked of the store."""
        return _Failing(self)


class _Failing:
    """Notes an error of the store, and swallows it: the run goes on without."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> bool:
        if not isinstance(error, LedgerError):
            return False
        log.error("state.failed", code=error.code, error=str(error))
        self._watch.error = error
        return True


def _is_to_be_renewed(seconds: int) -> bool:
    days = seconds // 86_400
    return days > 0 and days % _RENEWED_EVERY_DAYS == 0


def _event(crossing: Crossing) -> Event:
    return Event.EXPIRED if crossing.threshold == EXPIRY else Event.EXPIRING

"""What a run sees, held against what earlier runs announced: which notices are due, and which rows may go yet.

A store that fails ends that, not the run: nothing more is asked of it, and nothing is announced that may have been.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.notices.audience import Audience, Heard, Kind, heard_so_far, is_due, is_long_expired, moment_of
from janitor.notices.notice import Event, Notice
from janitor.notices.seen_token import SeenToken, bounded, seen_token_of
from janitor.notices.spool import Spool
from janitor.readers.interface import FoundRow
from janitor.store.chunks import RememberedToken
from janitor.store.memory import LastRun, RunMemory
from janitor.store.moments import REMEMBER_SECONDS, can_be_written, moment_in
from janitor.store.records import Store
from janitor.store.snapshot import Snapshot, TokenChanges
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
# A mark is forgotten after 400 days. One that was not written for so long is renewed: then a token that stays is not
# announced anew, and not every run writes down again what it knows.
_RENEWED_AFTER_SECONDS = 50 * 86_400
_AT_ONCE = 1_000
# Of settings that fingerprints depend on, the last few are remembered.
_MOST_KEYS = 10
# Marks that a store is asked to have room for; the others go out in its trust, and the first that fails ends them.
_MOST_PROVEN = 10_000

FingerprintOf = Callable[[Row], str]

_HEARD = "a record of how far a topic has been told"
_DECODE_HEARD = msgspec.json.Decoder(dict[str, Heard]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTerms:
    """What a run holds its findings against, and by which settings.

    Attributes:
        scope: names the table in the store, `account/region/table`.
        now: the UNIX second at which rows are judged.
        thresholds: in seconds before expiry.
        grace: in seconds after it.
        naming: names the settings that fingerprints depend on, by which is remembered how far somebody was told. Which
            thresholds and which grace were told of, the marks say; so of two jobs that differ in them neither silences
            the other.
        profile: names all settings that what a run finds depends on.
        audiences: who is to hear of a token; none where nobody is.
        needs_notice: whose notice a token must have had before it may be deleted; None where none is needed.
        is_rehearsal: whether what is planned would be deleted by a real run.
    """

    scope: str
    now: int
    thresholds: Sequence[int]
    grace: int
    naming: str
    profile: str
    audiences: Sequence[Audience] = ()
    needs_notice: Audience | None = None
    is_rehearsal: bool = False


class NoticeMemory:
    """Sees every finding of a run once.

    Attributes:
        due: notices that are to be told.
        long_expired: how many tokens are only counted, because they were dead for longer than the grace when somebody
            is told of the table for the first time.
        left: how many notices another run keeps from being told.
        error: why the store failed, None as long as it works.
        warning: why nobody can tell what changed since the last run.
        broken: records of the store that no run can have left.
    """

    def __init__(
        self,
        store: Store,
        terms: NoticeTerms,
        *,
        fingerprint_of: FingerprintOf,
        folder: Path,
    ) -> None:
        """Prepare; nothing is asked of the store.

        Args:
            store: what earlier runs left.
            terms: by which settings.
            fingerprint_of: how rows are named.
            folder: for temporary files.
        """
        self.due = Spool()
        self.long_expired = 0
        self.left = 0
        self.error: StoreError | None = None
        self.warning: StoreError | None = None
        self.location = store.location
        self._memory = RunMemory(store, terms.scope, terms.now)
        self.broken = self._memory.broken
        self._snapshot: Snapshot | None = None
        self._folder = folder
        self._terms = terms
        self._heard: dict[Audience, dict[str, Heard]] = {}
        self._loaded: LastRun | None = None
        self.fingerprint_of = fingerprint_of

    @property
    def is_broken(self) -> bool:
        """Whether the store has failed."""
        return self.error is not None

    def open(self) -> None:
        """Open the store, and read what was announced and what the last run found."""
        with self.failing():
            self._memory.open()
            self._heard = {audience: self._read_heard(audience) for audience in self._terms.audiences}
            self._snapshot = Snapshot(self._folder)
            self._load(self._snapshot)

    def _load(self, snapshot: Snapshot) -> None:
        """Read what the last run found; without it the notices are none the worse, and this run leaves a new one."""
        for _ in range(_LOADS):
            try:
                self._loaded = self._memory.last_run(self._terms.profile)
                snapshot.load(self._memory.snapshot(self._terms.profile))
            except StoreError as error:
                # Damaged, or replaced by another run while it was read.
                log.warning("state.not_loaded", code=error.code, error=str(error))
                self.warning = error
            else:
                self.warning = None
                return

    def see(self, rows: Sequence[FoundRow]) -> None:
        """Take findings, none of them active."""
        if self.error is not None or self._snapshot is None:
            return
        sights = [seen_token_of(told, self.fingerprint_of(told.row)) for told in rows]
        with self.failing():
            # One that somebody else removed meanwhile is not here any more.
            here = [sight for sight in sights if sight.outcome is not _ALREADY_GONE]
            self._snapshot.add([sight.seen for sight in here])
            self._look_for_due(here)

    def announced_by(self, latest: int, expiries: Mapping[str, int]) -> set[str]:
        """Of rows, expiries by fingerprint, those whose expiry was told at the UNIX second `latest` or before.

        Told to whoever must have heard of it before a token may be deleted. None of them where the store does not work.
        """
        audience = self._terms.needs_notice
        if audience is None or self.error is not None:
            return set()
        crossings = [Crossing(fingerprint, bounded(expiry), EXPIRY) for fingerprint, expiry in expiries.items()]
        wanted = {audience.mark(crossing): crossing for crossing in crossings}
        with self.failing():
            marked = self._memory.marked([*wanted])
            # One that is earlier is of a threshold before it.
            return {
                wanted[name].fingerprint
                for name, mark in marked.items()
                if moment_of(wanted[name]) <= mark.at <= latest
            }
        return set()

    def prove(self) -> bool:
        """Prove that all that is due can be remembered once it was told; whether the store works."""
        with self.failing():
            names = (name for audience in self._terms.audiences for name in self._names_due(audience))
            self._memory.prove(list(islice(names, _MOST_PROVEN)))
        return self.error is None

    def drop_told(self) -> bool:
        """Take out what another run has told meanwhile; whether the store works."""
        with self.failing():
            for audience in self._terms.audiences:
                for notices in _in_portions(self.due.of(audience.kind), _AT_ONCE):
                    marked = self._memory.marked([audience.mark(notice.crossing) for notice in notices])
                    told_at = {name: mark.at for name, mark in marked.items()}
                    told = (
                        notice
                        for notice in notices
                        if notice.event is not Event.DELETED
                        and told_at.get(audience.mark(notice.crossing), -1) >= moment_of(notice.crossing)
                    )
                    self.due.drop(audience.kind, told)
        return self.error is None

    def leave_to_another(self) -> None:
        """Keep only what no other run can tell: what this one deleted."""
        with self.failing():
            self.left = self.due.leave()
            self.long_expired = 0

    def is_overtaken(self) -> bool:
        """Whether another run has left something since this one looked what the last run left."""
        with self.failing():
            return self._memory.last_run(self._terms.profile) != self._loaded
        return False

    def mark(self, kind: Kind, notices: Sequence[Notice], at: int) -> bool:
        """Remember that these were told in this kind of message at the UNIX second `at`; of a deletion nothing is.

        Returns:
            whether that is remembered now.
        """
        with self.failing():
            for audience in self._terms.audiences:
                if audience.kind is kind:
                    crossings = [notice.crossing for notice in notices if notice.event is not Event.DELETED]
                    moments = {audience.mark(crossing): moment_of(crossing) for crossing in crossings}
                    self._memory.mark(moments, max(at, self._terms.now))
            self.due.tell(kind, notices)
            return True
        return False

    def last_run(self) -> LastRun | None:
        """The run that left what this one is held against; None where there is none, or the store does not work."""
        is_held_against = self.error is None and self._snapshot is not None and self._snapshot.has_previous
        return self._loaded if is_held_against else None

    def missing(self, most: int) -> list[RememberedToken]:
        """What the last run found, and this one neither found nor deleted, at most so many."""
        if self._snapshot is None:
            return []
        with self.failing():
            return list(islice(self._snapshot.missing(), most))
        return []

    def found(self, entries: Sequence[RememberedToken]) -> None:
        """Take active tokens that were missing, and have been looked up."""
        if self._snapshot is not None and entries:
            with self.failing():
                self._snapshot.add(entries)

    def changes(self, most: int) -> TokenChanges | None:
        """What changed since the last run, of each kind the first so many; None where the store does not work."""
        if self.error is None and self._snapshot is not None:
            with self.failing():
                return self._snapshot.changes(self._terms.now, most)
        return None

    def remember(self, run: LastRun) -> None:
        """Leave what this run found to the next one, and drop what is past its time."""
        if self.error is None and self._snapshot is not None:
            with self.failing():
                self._memory.replace_snapshot(self._terms.profile, self._snapshot.chunks(), run)
                self._memory.forget()

    def hear(self, *, is_complete: bool, wants_nothing: Collection[Audience]) -> None:
        """Remember how far each audience has been told of the table.

        Args:
            is_complete: whether this run saw the whole table, and could tell of it.
            wants_nothing: audiences that are told nothing by this run, and are to hear of no dead tokens later.
        """
        if self.error is None:
            with self.failing():
                for audience in dict.fromkeys([*self._terms.audiences, *wants_nothing]):
                    if audience not in self._heard:
                        self._heard[audience] = self._read_heard(audience)
                    heard = self._heard_by(audience)
                    if audience in wants_nothing:
                        heard = heard._replace(is_counted=True)
                    elif is_complete and self.due.is_told(audience.kind):
                        heard = heard._replace(at=self._terms.now, is_counted=True)
                    self._keep_heard(audience, heard)

    def _keep_heard(self, audience: Audience, heard: Heard) -> None:
        known = {**self._heard[audience], self._terms.naming: heard}
        latest = sorted(known.items(), key=lambda each: each[1].at or 0)[-_MOST_KEYS:]
        self._memory.keep_note(_heard_name(audience), msgspec.json.encode(dict(latest)), self._terms.now)

    def _read_heard(self, audience: Audience) -> dict[str, Heard]:
        """How far the audience has been told, by the name of the settings; without what no run can have left."""
        name = _heard_name(audience)
        content = self._memory.note(name)
        try:
            known = {} if content is None else _DECODE_HEARD(content)
        except (ValueError, RecursionError):
            self.broken.add(name, _HEARD, None)
            return {}
        now = max(self._terms.now, int(time.time()))
        for key, heard in [*known.items()]:
            impossible = [each for each in heard.moments if not can_be_written(each, now)]
            if impossible:
                self.broken.add(f"{name}/{key}", _HEARD, moment_in(impossible[0]))
                del known[key]
        return known

    def _heard_by(self, audience: Audience) -> Heard:
        return heard_so_far(self._heard.get(audience, {}), self._terms.naming, self._terms.now, self._terms.grace)

    def _names_due(self, audience: Audience) -> Iterator[str]:
        return (
            audience.mark(notice.crossing) for notice in self.due.of(audience.kind) if notice.event is not Event.DELETED
        )

    def close(self) -> None:
        """Let go of the temporary files. Never raises."""
        self.due.close()
        if self._snapshot is not None:
            self._snapshot.close()

    def _look_for_due(self, sights: Sequence[SeenToken]) -> None:
        by_crossing = {crossing: sight for sight in sights if (crossing := self._crossing(sight)) is not None}
        passed_over: set[Crossing] = set()
        for audience in self._terms.audiences:
            passed_over |= self._add_due(audience, by_crossing)
        self.long_expired += len(passed_over)
        self._see_deleted(sights)

    def _add_due(self, audience: Audience, by_crossing: Mapping[Crossing, SeenToken]) -> set[Crossing]:
        """Take note of what the audience is to hear; those that it hears of for the first time, and only as a count."""
        heard = self._heard_by(audience)
        marked = self._memory.marked([audience.mark(crossing) for crossing in by_crossing])
        told_at = {name: mark.at for name, mark in marked.items()}
        kept_until = self._terms.now + REMEMBER_SECONDS
        renewed = [name for name, mark in marked.items() if kept_until - mark.until > _RENEWED_AFTER_SECONDS]
        if renewed:
            self._memory.mark(dict.fromkeys(renewed, 0), self._terms.now)
        needs_notice = audience == self._terms.needs_notice
        due = {
            crossing
            for crossing in by_crossing
            if is_due(crossing, told_at.get(audience.mark(crossing)), heard, needs_notice=needs_notice)
        }
        self.due.add(
            [audience.kind],
            (
                by_crossing[crossing].notice(crossing.threshold, _event(crossing), self._terms.now)
                for crossing in by_crossing
                if crossing in due
            ),
        )
        if heard.is_counted:
            return set()
        return {
            crossing
            for crossing in by_crossing
            if crossing not in due and audience.mark(crossing) not in told_at and is_long_expired(crossing, heard)
        }

    def _see_deleted(self, sights: Sequence[SeenToken]) -> None:
        deleted = [sight for sight in sights if sight.outcome is DeletionOutcome.DELETED]
        if self._snapshot is not None:
            self._snapshot.vanish([sight.fingerprint for sight in deleted])
        if self._terms.is_rehearsal:
            deleted += [sight for sight in sights if sight.outcome is DeletionOutcome.PLANNED]
        kinds = [audience.kind for audience in self._terms.audiences]
        self.due.add(kinds, [sight.deletion(self._terms.now) for sight in deleted])

    def rehearse_deletions(self, *, is_refused: bool) -> None:
        """Let what is due be what a real run would tell, which deletes what is planned unless it is refused."""
        with self.failing():
            if is_refused:
                self.due.drop_deletions()
            else:
                self.due.drop_deleted()

    def _crossing(self, sight: SeenToken) -> Crossing | None:
        if sight.expiry is None or sight.state not in _ANNOUNCED or sight.outcome in _NOT_AS_SEEN:
            return None
        threshold = present_threshold(sight.expiry - self._terms.now, self._terms.thresholds)
        return None if threshold is None else Crossing(sight.fingerprint, sight.expiry, threshold)

    def failing(self) -> "_Failing":
        """A block that an error of the store ends, which is noted then, and no more is asked of the store."""
        return _Failing(self)


class _Failing:
    """Notes an error of the store, and swallows it: the run goes on without."""

    def __init__(self, watch: NoticeMemory) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> bool:
        if not isinstance(error, StoreError):
            return False
        log.error("state.failed", code=error.code, error=str(error))
        self._watch.error = error
        return True


def _heard_name(audience: Audience) -> str:
    return f"heard/{audience.kind.value}/{audience.topic}"


def _in_portions(notices: Iterable[Notice], size: int) -> Iterator[Sequence[Notice]]:
    rest = iter(notices)
    while portion := list(islice(rest, size)):
        yield portion


def _event(crossing: Crossing) -> Event:
    return Event.EXPIRED if crossing.threshold == EXPIRY else Event.EXPIRING

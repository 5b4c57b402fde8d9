"""Compares a run's findings with what earlier runs announced: which notices are due, which rows may be deleted already.

A store that fails does not end the run. From then on the store is not used, and nothing is announced, because it may
have been announced before.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.notices.audience import (
    Audience,
    AudienceProgress,
    MessageKind,
    current_progress,
    is_due,
    is_long_expired,
    second_of_crossing,
)
from janitor.notices.notice import Event, Notice
from janitor.notices.notice_spool import NoticeSpool
from janitor.notices.seen_token import SeenToken, clamp_expiry, make_seen_token
from janitor.readers.interface import JudgedRow
from janitor.store.chunks import RememberedToken
from janitor.store.record_times import REMEMBER_SECONDS, is_plausible, second_in
from janitor.store.records import Store
from janitor.store.run_memory import LastRun, RunMemory
from janitor.store.snapshot import Snapshot, TokenChanges
from janitor.tokens.classify import State
from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing, find_crossed_threshold
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.row import Row

log = get_logger("janitor.notices")

_ALREADY_GONE = DeletionOutcome.ALREADY_GONE
# Rows that are gone by now, or have another date: what the scan saw of them is no longer true, so it is not announced.
_NOT_AS_SEEN = frozenset({DeletionOutcome.DELETED, DeletionOutcome.CHANGED, _ALREADY_GONE})
_LOAD_ATTEMPTS = 2
_ANNOUNCED_STATES = frozenset({State.EXPIRING, State.EXPIRED, State.STALE})
# A mark is forgotten after 400 days. One that is this old is renewed: so a token that stays is not announced again, and
# not every run writes every mark again.
_RENEWED_AFTER_SECONDS = 50 * 86_400
_PORTION = 1_000
# How many settings that fingerprints depend on are remembered, the latest ones.
_MAX_SCHEMES = 10
# For how many marks the store has to prove that it has room. The others are not proven; the first mark that fails ends
# the messages.
_MAX_PROVEN = 10_000

FingerprintOf = Callable[[Row], str]

_PROGRESS = "a record of how far a topic has been informed"
_DECODE_PROGRESS = msgspec.json.Decoder(dict[str, AudienceProgress]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """The settings by which a run's findings are compared with what was announced.

    Attributes:
        scope: names the table in the store, `account/region/table`.
        now: the UNIX second at which rows are judged.
        thresholds: in seconds before expiry.
        grace: in seconds after it.
        fingerprint_scheme: names the settings that fingerprints depend on; how far an audience was notified is
            remembered for each scheme. Thresholds and grace are no part of it: the marks tell what was announced under
            which, so two jobs that differ in them do not silence each other.
        findings_scheme: names all settings that a run's findings depend on.
        audiences: who is notified about tokens; may be empty.
        needs_notice: the audience that must be notified about a token before it may be deleted; None if none must.
        is_dry_run: whether rows that are planned count as deleted, as they would be by a real run.
    """

    scope: str
    now: int
    thresholds: Sequence[int]
    grace: int
    fingerprint_scheme: str
    findings_scheme: str
    audiences: Sequence[Audience] = ()
    needs_notice: Audience | None = None
    is_dry_run: bool = False


class NoticeMemory:
    """Decides which notices of a run are due: takes every finding once, and knows what earlier runs sent.

    Attributes:
        due: notices that are to be sent.
        long_expired: how many tokens are only counted, because they had been dead for longer than the grace when an
            audience got its first notice about the table.
        left: how many notices were left to the next run, because another run is announcing.
        error: why the store failed; None as long as it works.
        warning: why it is not known what changed since the last run; None if it is.
        broken: records of the store that no run can have left.
    """

    def __init__(
        self,
        store: Store,
        rules: NoticeRules,
        *,
        compute_row_fingerprint: FingerprintOf,
        folder: Path,
        clock: Callable[[], float],
    ) -> None:
        """Prepare; the store is not used yet.

        Args:
            store: what earlier runs left.
            rules: how findings are compared with what was announced.
            compute_row_fingerprint: computes a row's fingerprint.
            folder: for temporary files.
            clock: the present time in UNIX seconds.
        """
        self.due = NoticeSpool()
        self.long_expired = 0
        self.left = 0
        self.error: StoreError | None = None
        self.warning: StoreError | None = None
        self.location = store.location
        self._memory = RunMemory(store, rules.scope, rules.now)
        self.broken = self._memory.broken
        self._planned_long_expired = 0
        self._snapshot: Snapshot | None = None
        self._folder = folder
        self._clock = clock
        self._rules = rules
        self._progress: dict[Audience, dict[str, AudienceProgress]] = {}
        self._loaded: LastRun | None = None
        self.compute_row_fingerprint = compute_row_fingerprint

    @property
    def has_failed(self) -> bool:
        """Whether the store has failed."""
        return self.error is not None

    def open(self) -> None:
        """Open the store, and read what was announced and what the last run found."""
        with self.catch_store_errors():
            self._memory.open()
            self._progress = {audience: self._read_progress(audience) for audience in self._rules.audiences}
            self._snapshot = Snapshot(self._folder)
            self._load(self._snapshot)

    def _load(self, snapshot: Snapshot) -> None:
        """Read what the last run found. Notices do not depend on it; if it fails, this run leaves a new snapshot."""
        for _ in range(_LOAD_ATTEMPTS):
            try:
                self._loaded = self._memory.last_run(self._rules.findings_scheme)
                snapshot.load(self._memory.snapshot(self._rules.findings_scheme))
            except StoreError as error:
                # Damaged, or replaced by another run while it was read.
                log.warning("state.not_loaded", code=error.code, error=str(error))
                self.warning = error
            else:
                self.warning = None
                return

    def add_findings(self, rows: Sequence[JudgedRow]) -> None:
        """Take findings; an active one is remembered, and needs no notice."""
        if self.error is not None or self._snapshot is None:
            return
        tokens = [make_seen_token(found, self.compute_row_fingerprint(found.row)) for found in rows]
        with self.catch_store_errors():
            # Without those that somebody else removed meanwhile.
            present = [token for token in tokens if token.outcome is not _ALREADY_GONE]
            self._snapshot.add([token.remembered for token in present])
            self._add_due_notices(present)

    def find_announced(self, latest: int, expiries: Mapping[str, int]) -> set[str]:
        """Find the rows whose expiry was announced at the UNIX second `latest` or before.

        That is, announced to the audience that must be notified before a token may be deleted. Empty if the store does
        not work.

        Args:
            latest: a UNIX second.
            expiries: the rows, expiries by fingerprint.
        """
        audience = self._rules.needs_notice
        if audience is None or self.error is not None:
            return set()
        crossings = [
            Crossing(fingerprint, clamp_expiry(expiry), EXPIRY_THRESHOLD) for fingerprint, expiry in expiries.items()
        ]
        crossing_by_mark = {audience.mark_name(crossing): crossing for crossing in crossings}
        with self.catch_store_errors():
            marked = self._memory.find_marks([*crossing_by_mark])
            # An earlier mark is that of a threshold before the expiry.
            return {
                crossing_by_mark[name].fingerprint
                for name, mark in marked.items()
                if second_of_crossing(crossing_by_mark[name]) <= mark.at <= latest
            }
        return set()

    def prove_room(self) -> None:
        """Prove that all that is due can be remembered once it was sent; an error of the store is kept."""
        with self.catch_store_errors():
            names = (name for audience in self._rules.audiences for name in self._names_due(audience))
            self._memory.prove(list(islice(names, _MAX_PROVEN)))

    def drop_already_sent(self) -> None:
        """Drop what another run has sent meanwhile."""
        with self.catch_store_errors():
            for audience in self._rules.audiences:
                for notices in _split(self.due.for_kind(audience.kind), _PORTION):
                    marked = self._memory.find_marks([audience.mark_name(notice.crossing) for notice in notices])
                    marked_at = {name: mark.at for name, mark in marked.items()}
                    already_sent = (
                        notice
                        for notice in notices
                        if notice.event is not Event.DELETED
                        and marked_at.get(audience.mark_name(notice.crossing), -1)
                        >= second_of_crossing(notice.crossing)
                    )
                    self.due.drop(audience.kind, already_sent)

    def leave_to_other_run(self) -> None:
        """Keep only notices of deletions: no other run can announce what this one deleted."""
        with self.catch_store_errors():
            self.left = self.due.drop_all_but_deletions()
            self.long_expired = 0

    def is_overtaken(self) -> bool:
        """Whether another run has left a snapshot since this one read the last one."""
        with self.catch_store_errors():
            return self._memory.last_run(self._rules.findings_scheme) != self._loaded
        return False

    def mark(self, kind: MessageKind, notices: Sequence[Notice], at: int) -> bool:
        """Remember that these were sent in this kind of message at the UNIX second `at`. Deletions need no mark.

        Returns:
            False if the store does not work.
        """
        with self.catch_store_errors():
            for audience in self._rules.audiences:
                if audience.kind is kind:
                    crossings = [notice.crossing for notice in notices if notice.event is not Event.DELETED]
                    moments = {audience.mark_name(crossing): second_of_crossing(crossing) for crossing in crossings}
                    self._memory.mark(moments, max(at, self._rules.now))
            self.due.mark_sent(kind, notices)
            return True
        return False

    def last_run(self) -> LastRun | None:
        """The run that this one is compared with; None if there is none, or the store does not work."""
        is_comparable = self.error is None and self._snapshot is not None and self._snapshot.has_previous
        return self._loaded if is_comparable else None

    def missing_tokens(self, most: int) -> list[RememberedToken]:
        """What the last run found, and this one neither found nor deleted, at most `most` of them."""
        if self._snapshot is None:
            return []
        with self.catch_store_errors():
            return list(islice(self._snapshot.missing(), most))
        return []

    def add_active_tokens(self, entries: Sequence[RememberedToken]) -> None:
        """Add tokens that were missing, and turned out to be active when they were looked up."""
        if self._snapshot is not None and entries:
            with self.catch_store_errors():
                self._snapshot.add(entries)

    def changes(self, most: int) -> TokenChanges | None:
        """What changed since the last run, at most `most` of each kind; None if the store does not work."""
        if self.error is None and self._snapshot is not None:
            with self.catch_store_errors():
                return self._snapshot.changes(self._rules.now, most)
        return None

    def remember(self, run: LastRun) -> None:
        """Leave what this run found to the next run, and remove records that are past their time."""
        if self.error is None and self._snapshot is not None:
            with self.catch_store_errors():
                self._memory.replace_snapshot(self._rules.findings_scheme, self._snapshot.chunks(), run)
                self._memory.forget()

    def record_progress(self, *, is_complete: bool, silenced: Collection[Audience]) -> None:
        """Remember how far each audience has been informed about the table.

        Args:
            is_complete: whether this run saw the whole table, and could announce what is due.
            silenced: audiences that get nothing from this run, and no notices of long-expired tokens later.
        """
        if self.error is None:
            with self.catch_store_errors():
                for audience in dict.fromkeys([*self._rules.audiences, *silenced]):
                    if audience not in self._progress:
                        self._progress[audience] = self._read_progress(audience)
                    progress = self._progress_of(audience)
                    if audience in silenced:
                        progress = progress._replace(is_counted=True)
                    elif is_complete and self.due.are_all_sent(audience.kind):
                        progress = progress._replace(at=self._rules.now, is_counted=True)
                    self._store_progress(audience, progress)

    def _store_progress(self, audience: Audience, progress: AudienceProgress) -> None:
        progresses = {**self._progress[audience], self._rules.fingerprint_scheme: progress}
        latest = sorted(progresses.items(), key=lambda each: each[1].at or 0)[-_MAX_SCHEMES:]
        self._memory.keep_note(_progress_name(audience), msgspec.json.encode(dict(latest)), self._rules.now)

    def _read_progress(self, audience: Audience) -> dict[str, AudienceProgress]:
        """Read how far the audience has been informed, by fingerprint scheme; without impossible records."""
        name = _progress_name(audience)
        content = self._memory.note(name)
        try:
            progresses = {} if content is None else _DECODE_PROGRESS(content)
        except (ValueError, RecursionError):
            self.broken.add(name, _PROGRESS, None)
            return {}
        now = max(self._rules.now, int(self._clock()))
        for key, progress in [*progresses.items()]:
            impossible = [each for each in progress.moments if not is_plausible(each, now)]
            if impossible:
                self.broken.add(f"{name}/{key}", _PROGRESS, second_in(impossible[0]))
                del progresses[key]
        return progresses

    def _progress_of(self, audience: Audience) -> AudienceProgress:
        return current_progress(
            self._progress.get(audience, {}), self._rules.fingerprint_scheme, self._rules.now, self._rules.grace
        )

    def _names_due(self, audience: Audience) -> Iterator[str]:
        return (
            audience.mark_name(notice.crossing)
            for notice in self.due.for_kind(audience.kind)
            if notice.event is not Event.DELETED
        )

    def close(self) -> None:
        """Remove the temporary files. Never raises."""
        self.due.close()
        if self._snapshot is not None:
            self._snapshot.close()

    def _add_due_notices(self, tokens: Sequence[SeenToken]) -> None:
        by_crossing = {crossing: token for token in tokens if (crossing := self._crossing(token)) is not None}
        only_counted: set[Crossing] = set()
        for audience in self._rules.audiences:
            only_counted |= self._add_due_for(audience, by_crossing)
        self.long_expired += len(only_counted)
        self._planned_long_expired += sum(
            by_crossing[crossing].outcome is DeletionOutcome.PLANNED for crossing in only_counted
        )
        self._add_deletion_notices(tokens)

    def _add_due_for(self, audience: Audience, by_crossing: Mapping[Crossing, SeenToken]) -> set[Crossing]:
        """Add the audience's due notices; return the crossings that it gets only as a count."""
        progress = self._progress_of(audience)
        marked = self._memory.find_marks([audience.mark_name(crossing) for crossing in by_crossing])
        marked_at = {name: mark.at for name, mark in marked.items()}
        kept_until = self._rules.now + REMEMBER_SECONDS
        to_renew = [name for name, mark in marked.items() if kept_until - mark.expires_at > _RENEWED_AFTER_SECONDS]
        if to_renew:
            self._memory.mark(dict.fromkeys(to_renew, 0), self._rules.now)
        needs_notice = audience == self._rules.needs_notice
        due = {
            crossing
            for crossing in by_crossing
            if is_due(crossing, marked_at.get(audience.mark_name(crossing)), progress, needs_notice=needs_notice)
        }
        self.due.add(
            [audience.kind],
            (
                by_crossing[crossing].make_notice(crossing.threshold, _event(crossing), self._rules.now)
                for crossing in by_crossing
                if crossing in due
            ),
        )
        if progress.is_counted:
            return set()
        return {
            crossing
            for crossing in by_crossing
            if crossing not in due
            and audience.mark_name(crossing) not in marked_at
            and is_long_expired(crossing, progress)
        }

    def _add_deletion_notices(self, tokens: Sequence[SeenToken]) -> None:
        deleted = [token for token in tokens if token.outcome is DeletionOutcome.DELETED]
        if self._snapshot is not None:
            self._snapshot.vanish([token.fingerprint for token in deleted])
        if self._rules.is_dry_run:
            deleted += [token for token in tokens if token.outcome is DeletionOutcome.PLANNED]
        kinds = [audience.kind for audience in self._rules.audiences]
        self.due.add(kinds, [token.make_deletion_notice(self._rules.now) for token in deleted])

    def assume_deletions(self, *, is_refused: bool) -> None:
        """Make what is due what a real run would send: it deletes what is planned, unless a guard refuses."""
        with self.catch_store_errors():
            if is_refused:
                self.due.drop_deletions()
            else:
                self.due.drop_superseded()
                self.long_expired -= self._planned_long_expired

    def _crossing(self, token: SeenToken) -> Crossing | None:
        if token.expiry is None or token.state not in _ANNOUNCED_STATES or token.outcome in _NOT_AS_SEEN:
            return None
        threshold = find_crossed_threshold(token.expiry - self._rules.now, self._rules.thresholds)
        return None if threshold is None else Crossing(token.fingerprint, token.expiry, threshold)

    def catch_store_errors(self) -> "_StoreErrorCatcher":
        """Return a block that ends at an error of the store; the error is kept, and the store is not used again."""
        return _StoreErrorCatcher(self)


class _StoreErrorCatcher:
    """Keeps an error of the store and suppresses it: the run goes on without the store."""

    def __init__(self, memory: NoticeMemory) -> None:
        self._memory = memory

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> bool:
        if not isinstance(error, StoreError):
            return False
        log.error("state.failed", code=error.code, error=str(error))
        self._memory.error = error
        return True


def _progress_name(audience: Audience) -> str:
    return f"heard/{audience.kind.value}/{audience.topic}"


def _split(notices: Iterable[Notice], size: int) -> Iterator[Sequence[Notice]]:
    rest = iter(notices)
    while portion := list(islice(rest, size)):
        yield portion


def _event(crossing: Crossing) -> Event:
    return Event.EXPIRED if crossing.threshold == EXPIRY_THRESHOLD else Event.EXPIRING

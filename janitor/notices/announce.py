"""The end of a run for those who are to hear of it: messages to owners, one digest, and what is remembered of both.

    due notices ─> our turn ─> provably remembered ─┬─ messages to owners ─> taken ─> marked for their owners
                                                    └─ digest parts ───────> taken ─> marked for the digest
    findings ──> snapshot for the next run

Each table has an announcer of its own, with its own store and its own due notices; the digest is of all tables. Who
announces holds a lease for it; another run leaves its notices to the next one. A notice is marked in its table's store,
and only after SNS took it: a crash in between repeats a few notices, and loses none. Where the store does not work
nothing is sent, because nobody can tell what was sent already.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from msgspec import structs

from janitor.background import answer_of
from janitor.dynamodb.owners import PagesOfOwner
from janitor.errors import JanitorError, SinkError, StopRequestedError, StoreError
from janitor.logs import get_logger
from janitor.notices.audience import Kind
from janitor.notices.changes import changes_since
from janitor.notices.channel import WHERE, Channel, Failures, Sameness, TopicLike, digest_remark, publish_part
from janitor.notices.content import DigestContent
from janitor.notices.digest_content import digest_content
from janitor.notices.dry_announcement import who_would_be_told
from janitor.notices.notice import Notice
from janitor.notices.notice_memory import NoticeMemory
from janitor.notices.parts import digest_parts
from janitor.notices.per_token import token_message
from janitor.notices.spool import Due
from janitor.readers.interface import FoundRow
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.bugs import NOT_ANNOUNCED, remarked
from janitor.report.model import NoticesPart, Outcome, Remark, Report, TableReport
from janitor.sinks.sns import Message
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.store.lease import Held
from janitor.store.lease_keeper import LeaseKeeper
from janitor.store.memory import LastRun
from janitor.store.moments import CHECK_STORE, BrokenRecords
from janitor.tokens.times import second_of, time_of
from janitor.tokens.words import counted

log = get_logger("janitor.notices")

_by_table = attrgetter("table")

_UNREACHABLE = "unreachable"
_GUARD = "guard"
_TURN = "the right to tell this topic of this table"


@dataclass(slots=True)
class SentNotices:
    """What became of the notices of a table so far."""

    errors: list[Remark] = field(default_factory=list)
    was_tried: bool = False
    has_lost_digest: bool = False


class Announcer:
    """Sees a table's findings, tells its owners, and remembers what was told. For one thread.

    Attributes:
        are_changes_told: whether another run has told, or tells, what changed since the last run.
        has_ended: whether the table's turn came to its end.
        is_complete: whether all of it was read.
        sent: what became of the notices.
    """

    def __init__(
        self,
        watch: NoticeMemory,
        channel: Channel,
        *,
        clock: Callable[[], float],
        stop: Stop,
        pages_of_owner: PagesOfOwner | None,
        run_id: str,
        remembers: bool,
        turn: LeaseKeeper | None = None,
    ) -> None:
        """Prepare; nothing is opened or sent.

        Args:
            watch: what findings are held against.
            channel: who is told, and when.
            clock: the present UNIX second.
            stop: who may ask for an early end.
            pages_of_owner: reads the rows of an owner; None where the table has no index for it.
            run_id: the run's id.
            remembers: whether the run sees the whole table as it is, as the next will.
            turn: the right to tell this topic of this table; None where nobody else does.
        """
        self.are_changes_told = False
        self.has_ended = self.is_complete = False
        self.sent = SentNotices()
        self._bugs: list[Remark] = []
        self._run_id = run_id
        self._remembers = remembers
        self._watch = watch
        self._channel = channel
        self._clock = clock
        self._stop = stop
        self._pages_of_owner = pages_of_owner
        self._turn = turn
        self._held = ExitStack()
        self._other: Held | None = None

    def open(self) -> None:
        """Open the store; one that cannot be is said at the end."""
        self._watch.open()

    def see(self, found: Sequence[FoundRow]) -> None:
        """Take findings, each once. Never raises: it is called in the middle of deletes."""
        if not self._bugs:
            with remarked(WHERE, NOT_ANNOUNCED, self._bugs):
                self._watch.see(found)

    def end(self, report: TableReport, *, is_complete: bool) -> TableReport:
        """Find out what has changed since the last run, at the end of the table's turn; nothing is announced yet.

        Args:
            report: of the table.
            is_complete: whether all of it was read.
        """
        self.has_ended, self.is_complete = True, is_complete
        if not self._bugs and is_complete and self._remembers and self._channel.refusal is None:
            with remarked(WHERE, NOT_ANNOUNCED, self._bugs):
                return self._with_changes(report)
        return report

    @property
    def can_announce(self) -> bool:
        """Whether the table was read, and what is due may be told: nothing speaks against it, and the store works."""
        return self.has_ended and not self._bugs and self._channel.refusal is None and not self._watch.is_broken

    def due(self, kind: Kind) -> Due:
        """What is due in this kind of message, most urgent first."""
        return self._watch.due.of(kind)

    @property
    def in_digest(self) -> Due:
        """What is due in the digest, most urgent first."""
        return self.due(Kind.DIGEST)

    @property
    def for_owners(self) -> Due:
        """What owners are to hear, most urgent first."""
        return self.due(Kind.OWNER)

    @property
    def long_expired(self) -> int:
        """How many tokens are only counted."""
        return self._watch.long_expired

    def failing(self) -> AbstractContextManager[object]:
        """A block that an error of the store ends, which is said at the end."""
        return self._watch.failing()

    def take_turn(self) -> None:
        """Take the right to announce, and see that what is told can be remembered. To be asked before any message.

        What another run has told meanwhile is not due any more. Where another run is at it, what is due is left to the
        next run, but for what this one alone knows. Where the store fails, `can_announce` says so from then on.
        """
        with self._watch.failing():
            self._other = self._taken()
            if self._other is None:
                self._watch.drop_told()
                self.are_changes_told = self._watch.is_overtaken()
                self._watch.prove()
            else:
                self.are_changes_told = True
                self._watch.leave_to_another()

    def _taken(self) -> Held | None:
        turn = self._turn
        if turn is None:
            return None
        answer = answer_of(lambda: (self._held.enter_context(turn),), lambda: self._stop.is_over(NOTICE_SECONDS))
        if answer is None:
            sentence = f"{self._watch.location} did not answer before the run had to end"
            raise StoreError(sentence, "run it again", "no-answer")
        return answer[0]

    @property
    def is_its_turn(self) -> bool:
        """Whether it may go on announcing; what it alone knows it may always tell."""
        return self._turn is None or self._other is not None or self._turn.is_held()

    def remember(self, report: TableReport) -> TableReport:
        """Remember the run, and what is said of the table with what was announced. The last step.

        Args:
            report: of the table, as `end` gave it.
        """
        sent = self.sent
        if self._bugs:
            return structs.replace(report, errors=[*report.errors, *self._bugs])
        was_told = not sent.errors and not sent.has_lost_digest
        if self._channel.refusal is not None:
            sent.errors.append(self._channel.refusal)
        elif self._other is None:
            if self.is_complete and self._remembers:
                self._remember(report)
            is_all_told = self.is_complete and self._remembers and was_told
            self._watch.hear(is_complete=is_all_told, wants_nothing=self._channel.wants_nothing)
        self._held.close()
        part = self._part()
        if self._watch.error is not None:
            sent.errors.append(state_remark(self._watch.error, was_sent=sent.was_tried))
        warnings = [*report.warnings, *changes_warning(self._watch.warning), *self._broken(), *self._left()]
        return structs.replace(report, errors=[*report.errors, *sent.errors], warnings=warnings, notices=part)

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._held.close()
        self._watch.close()

    def _part(self) -> NoticesPart:
        due = told = 0
        with self._watch.failing():
            due, told = len(self._watch.due), self._watch.due.told
        return NoticesPart(
            due=due,
            sent=told,
            failed=due - told if self.sent.was_tried else 0,
            left=self._watch.left,
            long_expired=self._watch.long_expired,
            state=self._watch.location,
        )

    def _broken(self) -> list[Remark]:
        """That a store holds what no run can have left."""
        warnings = broken_warning(self._watch.location, self._watch.broken)
        if self._turn is not None:
            warnings += self._turn.broken_warning(_TURN)
        return warnings

    def _left(self) -> list[Remark]:
        if self._other is None or not self._watch.left:
            return []
        were = "was" if self._watch.left == 1 else "were"
        notices = counted(self._watch.left, "notice")
        message = f"{notices} {were} left to the next run, for another one ({self._other.printable_holder}) has {_TURN}"
        return [Remark(where=WHERE, code="held", message=message)]

    def _with_changes(self, report: TableReport) -> TableReport:
        changes, units = changes_since(self._watch, self._pages_of_owner, self._stop)
        capacity = structs.replace(report.capacity, read_units=report.capacity.read_units + units)
        return structs.replace(report, changes=changes, capacity=capacity)

    def tell_owners(self, topic: TopicLike, table: TableReport) -> bool:
        """A message a notice, each batch marked before the next is sent. Raises StoreError.

        Returns:
            whether a digest is still worth trying: not where the store fails, and not where the topic is out of reach,
            which took several tries of twenty seconds to find out.
        """
        underway: dict[str, Notice] = {}
        taken: list[Notice] = []
        failures = Failures()
        try:
            with self._stop.waiting():
                for message, error in topic.publish_batches(self._messages(table, underway)):
                    notice = underway.pop(message.deduplication_id)
                    if error is not None:
                        failures.add(error, notice)
                    else:
                        taken.append(notice)
                    # The next batch is begun with one message, to see whether the last one has room for it.
                    if len(underway) <= 1:
                        batch, taken = taken, []
                        if not self.mark(Kind.OWNER, batch) or not self.goes_on():
                            break
        except StopRequestedError:
            message_left = "messages to owners were left for the next run: this one had to end"
            self.sent.errors.append(Remark(where=WHERE, code="interrupted", message=message_left))
        self.mark(Kind.OWNER, taken)
        remarks = failures.remarks()
        self.sent.errors += remarks
        return self.can_announce and self.is_its_turn and all(remark.code != _UNREACHABLE for remark in remarks)

    def goes_on(self) -> bool:
        """Whether it is still our turn; it is said where it is not."""
        if self.is_its_turn:
            return True
        message = "the rest was left to the next run: the store did not renew the right to announce"
        remark = Remark(where=WHERE, code="turn-lost", message=message)
        if remark not in self.sent.errors:
            self.sent.errors.append(remark)
        return False

    def _messages(self, table: TableReport, underway: dict[str, Notice]) -> Iterator[Message]:
        for notice in self.for_owners:
            made = token_message(notice, table.name, table.region or "-", table.account_id)
            underway[made.deduplication_id] = notice
            yield Message(
                body=made.body,
                subject=made.subject,
                attributes=made.attributes,
                group_id=made.group_id,
                deduplication_id=made.deduplication_id,
            )

    def mark(self, kind: Kind, notices: Sequence[Notice]) -> bool:
        """Remember that these were told in this kind of message; whether that is remembered now."""
        return not notices or self._watch.mark(kind, notices, int(self._clock()))

    def _remember(self, report: TableReport) -> None:
        started, finished = int(report.started_at.timestamp()), int(report.finished_at.timestamp())
        self._watch.remember(LastRun(self._run_id, started, finished, report.outcome.value))


class DryAnnouncer(Announcer):
    """As `Announcer`, of a dry run: its channel has no topic, and its watch a `ReadOnlyStore`."""

    def end(self, report: TableReport, *, is_complete: bool) -> TableReport:
        """As `Announcer.end`; from then on what is due is what a real run would tell."""
        self._watch.rehearse_deletions(is_refused=any(warning.where == _GUARD for warning in report.warnings))
        return super().end(report, is_complete=is_complete)

    def remember(self, report: TableReport) -> TableReport:
        """What is said of the table; nothing is remembered."""
        errors = [*report.errors, *self._bugs]
        warnings = [*report.warnings, *changes_warning(self._watch.warning), *self._broken()]
        if self._channel.refusal is not None:
            warnings.append(self._channel.refusal)
        if self._watch.error is not None:
            errors.append(state_remark(self._watch.error, was_sent=False))
        part = NoticesPart(due=len(self._watch.due), state=self._watch.location)
        return structs.replace(report, errors=errors, warnings=warnings, notices=part)


def state_remark(error: JanitorError, *, was_sent: bool) -> Remark:
    """That a store failed; `was_sent` says whether something may have been announced by then."""
    nothing = "nothing was announced, for nobody can tell what was already"
    some = "not all of what was announced is remembered, so some will be announced again"
    return Remark(where="state", code=error.code, message=f"{some if was_sent else nothing}: {error}")


def broken_warning(location: str, *met: BrokenRecords) -> list[Remark]:
    """That there are records which no run can have left, by the first of them; nothing where all were well."""
    firsts = [broken.first for broken in met if broken.first is not None]
    if not firsts:
        return []
    are_more = len(firsts) > 1 or any(broken.are_more for broken in met)
    moment = firsts[0].moment
    dated = "with no time that can be read" if moment is None else f"of {second_of(time_of(moment))} UTC"
    more = ", and more records that" if are_more else ", which"
    absent = "they count" if are_more else "it counts"
    message = (
        f"the state store {location} holds {firsts[0].what} {dated}{more} no run can have left: {absent} as absent and "
        f"will be replaced; {CHECK_STORE}"
    )
    return [Remark(where="state", code="broken", message=message)]


def changes_warning(error: JanitorError | None) -> list[Remark]:
    """That nobody knows what changed since the last run, and why; nothing where somebody does."""
    if error is None:
        return []
    message = f"what changed since the last run is not known: {error}"
    return [Remark(where="state", code=error.code, message=message)]


class _AllDue(Collection[Notice]):
    """The due notices of all tables, one table after the other. They stay on disk.

    Where there are several, each notice says of which it is.
    """

    def __init__(self, announcers: Mapping[str, Announcer], kind: Kind, *, names_tables: bool) -> None:
        self._announcers, self._kind, self._names_tables = announcers, kind, names_tables

    def __len__(self) -> int:
        return sum(len(announcer.due(self._kind)) for announcer in self._announcers.values())

    def __iter__(self) -> Iterator[Notice]:
        for label, announcer in self._announcers.items():
            with announcer.failing():
                for notice in announcer.due(self._kind):
                    yield replace(notice, table=label) if self._names_tables else notice

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)


def announce(announcers: Mapping[str, Announcer], whole: Report, *, channel: Channel, stop: Stop) -> AnnouncementResult:
    """Tell the owners of each table, and publish the digest of all.

    Args:
        announcers: of the tables that anything is remembered of, by the tables' labels.
        whole: the run's report, without what is announced.
        channel: who is told, and when.
        stop: who may ask for an early end.
    """
    announced = AnnouncementResult()
    telling = {label: announcer for label, announcer in announcers.items() if announcer.can_announce}
    was_read = any(announcer.has_ended for announcer in announcers.values())
    # Where no store works nobody can tell what was sent already; where no table was read, that is all there is to tell.
    if (was_read and not telling) or whole.run.outcome is Outcome.SKIPPED:
        return announced
    if channel.topic is None:
        announced.warnings += _who_would_be_told(telling, whole, channel)
        return announced
    sameness = Sameness(channel, whole)
    tells_owners = channel.per_token and any(len(announcer.for_owners) for announcer in telling.values())
    if tells_owners or sameness.wants(_content(whole, telling, channel, sameness)):
        for announcer in telling.values():
            announcer.take_turn()
        telling = _still_telling(telling)
        if telling or not was_read:
            # Another run may have told of the same trouble meanwhile.
            sameness = Sameness(channel, whole)
            _tell(announced, telling, whole, channel=channel, sameness=sameness, stop=stop)
    errors = [*announced.errors, *(error for announcer in telling.values() for error in announcer.sent.errors)]
    sameness.settle(was_told=announced.digests > 0 and not errors)
    if channel.troubles is not None:
        announced.warnings += broken_warning(channel.troubles.location, channel.troubles.broken)
    log.info("notices.published", digests=announced.digests, tables=len(telling))
    return announced


def _tell(
    announced: AnnouncementResult,
    telling: Mapping[str, Announcer],
    whole: Report,
    *,
    channel: Channel,
    sameness: Sameness,
    stop: Stop,
) -> None:
    """Owners first, then the digest, unless the topic is out of reach."""
    topic = channel.topic
    assert topic is not None  # noqa: S101  # asked by the caller
    wants_digest = sameness.wants(_content(whole, telling, channel, sameness))
    for announcer in telling.values():
        announcer.sent.was_tried = channel.per_token or wants_digest
    goes_on = not channel.per_token or all(
        _owners_told(telling[table.label], table, topic) for table in whole.tables if table.label in telling
    )
    if wants_digest and goes_on:
        # A store that failed meanwhile, or a turn that was lost, leaves its table out; where all did, nothing is told.
        had_some, telling = bool(telling), _still_telling(telling)
        if had_some and not telling:
            return
        _publish(topic, _content(whole, telling, channel, sameness), telling, stop, announced)


def _still_telling(telling: Mapping[str, Announcer]) -> dict[str, Announcer]:
    """Those whose store works, and whose turn it still is: a digest of another's would be told twice."""
    return {label: announcer for label, announcer in telling.items() if announcer.can_announce and announcer.goes_on()}


def _who_would_be_told(telling: Mapping[str, Announcer], whole: Report, channel: Channel) -> list[Remark]:
    """Who hears of a real run, which a dry run says and no more."""
    due = {kind: _AllDue(telling, kind, names_tables=whole.is_of_several) for kind in Kind}
    return who_would_be_told(channel, whole, due[Kind.DIGEST], due[Kind.OWNER]) if telling else []


def _content(whole: Report, telling: Mapping[str, Announcer], channel: Channel, sameness: Sameness) -> DigestContent:
    """What the digest says, without changes that another run has told."""
    due = _AllDue(telling, Kind.DIGEST, names_tables=whole.is_of_several)
    content = digest_content(whole, due, channel.pointer)
    told = {label for label, announcer in telling.items() if announcer.are_changes_told}
    if told and not whole.is_of_several:
        content = replace(content, changes=None)
    tables = tuple(replace(each, changes=None) if each.table in told else each for each in content.tables)
    long_expired = sum(announcer.long_expired for announcer in telling.values())
    return sameness.added_to(replace(content, tables=tables, long_expired=long_expired))


def _owners_told(announcer: Announcer, table: TableReport, topic: TopicLike) -> bool:
    """Whether it is worth going on, be it only with the other tables: not where the topic is out of reach.

    A store that fails, or a turn that is lost, is its own table's matter.
    """
    goes_on = True
    with announcer.failing():
        goes_on = announcer.tell_owners(topic, table)
    return goes_on or not (announcer.can_announce and announcer.is_its_turn)


def _publish(
    topic: TopicLike,
    content: DigestContent,
    telling: Mapping[str, Announcer],
    stop: Stop,
    announced: AnnouncementResult,
) -> None:
    try:
        for part in digest_parts(content):
            publish_part(topic, part, stop)
            announced.digests += 1
            for label, notices in groupby(part.notices, key=_by_table):
                announcer = telling[label] if label is not None else next(iter(telling.values()))
                announcer.mark(Kind.DIGEST, list(notices))
            if not all(announcer.can_announce and announcer.goes_on() for announcer in telling.values()):
                return
    except SinkError as error:
        for announcer in telling.values():
            announcer.sent.has_lost_digest = True
        announced.errors.append(digest_remark(error))

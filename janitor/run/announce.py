"""The end of a run for those who are to hear of it: messages a token, the digest, and what is remembered of both.

    due notices ─> our turn ─> provably remembered ─┬─per token───> taken ─> marked for their owners
                                                    └─digest parts─> taken ─> marked for the digest
    findings ──> snapshot for the next run

Who announces holds a lease for it; another run leaves its notices to the next one. A notice is marked only after SNS
took it: a crash in between repeats a few notices, and loses none. Where the store does not work nothing is sent,
because nobody can tell what was sent already.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace

from msgspec import structs

from janitor.errors import JanitorError, LedgerError, SinkError, StopRequestedError
from janitor.ledger.interface import LastRun
from janitor.ledger.lease import Held
from janitor.ledger.moments import BrokenRecords
from janitor.logs import get_logger
from janitor.notify.audience import Kind
from janitor.notify.content import DigestContent
from janitor.notify.notice import Notice
from janitor.notify.parts import digest_parts
from janitor.notify.per_token import token_message
from janitor.readers.interface import FoundRow
from janitor.report.model import NoticesPart, Remark, Report
from janitor.run.changes import changes_since
from janitor.run.channel import WHERE, Channel, Failures, Sameness, TopicLike, digest_remark, publish_part
from janitor.run.digest_content import digest_content
from janitor.run.lease_keeper import LeaseKeeper
from janitor.run.leasing import CHECK_STORE, broken_lease, readable
from janitor.run.locked_out import PagesOfOwner
from janitor.run.spool import Due
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.watch import FingerprintOf, Watch
from janitor.run.workers import answer_of
from janitor.sinks.sns import Message

log = get_logger("janitor.notices")

_UNREACHABLE = "unreachable"
_TURN = "the right to tell this topic of this table"


@dataclass(slots=True)
class Sent:
    """What was published so far."""

    errors: list[Remark] = field(default_factory=list)
    digests: int = 0
    was_tried: bool = False
    has_lost_digest: bool = False


class Announcer:
    """Sees a run's findings, and announces at its end what is due. For one thread.

    Attributes:
        are_changes_told: whether another run has told, or tells, what changed since the last run.
    """

    def __init__(
        self,
        watch: Watch,
        channel: Channel,
        *,
        clock: Callable[[], float],
        stop: Stop,
        pages_of_owner: PagesOfOwner | None,
        fingerprint_of: FingerprintOf,
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
            fingerprint_of: how rows are named.
            remembers: whether the run sees the whole table as it is, as the next will.
            turn: the right to tell this topic of this table; None where nobody else does.
        """
        self.are_changes_told = False
        self._remembers = remembers
        self._watch = watch
        self._channel = channel
        self._clock = clock
        self._stop = stop
        self._pages_of_owner = pages_of_owner
        self._fingerprint_of = fingerprint_of
        self._turn = turn
        self._held = ExitStack()
        self._other: Held | None = None

    def open(self) -> None:
        """Open the store; one that cannot be is said at the end."""
        self._watch.open()

    def see(self, told: Sequence[FoundRow]) -> None:
        """Take findings, each once."""
        self._watch.see(told)

    def finish(self, report: Report, *, is_complete: bool) -> Report:
        """Announce what is due, remember it, and give the report with what came of that.

        Args:
            report: of the run, without what is announced.
            is_complete: whether all of the table was read.
        """
        return self.announced(self.changed(report, is_complete=is_complete), is_complete=is_complete)

    def announced(self, report: Report, *, is_complete: bool) -> Report:
        """As `finish`, of a report that says already what has changed."""
        sent = Sent()
        if self._channel.refusal is None:
            with self._watch.failing():
                self._publish(report, sent)
        return self.told(report, sent, is_complete=is_complete)

    @property
    def can_announce(self) -> bool:
        """Whether what is due may be told: nothing speaks against it, and the store works."""
        return self._channel.refusal is None and not self._watch.is_broken

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
            raise LedgerError(sentence, "run it again", "no-answer")
        return answer[0]

    @property
    def is_its_turn(self) -> bool:
        """Whether it may go on announcing; what it alone knows it may always tell."""
        return self._turn is None or self._other is not None or self._turn.is_held()

    def changed(self, report: Report, *, is_complete: bool) -> Report:
        """The report, with what is not as the last run left it, where that is known. The first step of `finish`."""
        is_wanted = is_complete and self._remembers and self._channel.refusal is None
        return self._with_changes(report) if is_wanted else report

    def told(self, report: Report, sent: Sent, *, is_complete: bool) -> Report:
        """Remember the run, and give the report with what was sent. The last step of `finish`."""
        was_told = not sent.errors and not sent.has_lost_digest
        if self._channel.refusal is not None:
            sent.errors.append(self._channel.refusal)
        elif self._other is None:
            if is_complete and self._remembers:
                self._remember(report)
            is_all_told = is_complete and self._remembers and was_told
            self._watch.hear(is_complete=is_all_told, wants_nothing=self._channel.wants_nothing)
        self._held.close()
        part = self._part(sent)
        if self._watch.error is not None:
            sent.errors.append(state_remark(self._watch.error, was_sent=sent.was_tried))
        warnings = [*report.warnings, *changes_warning(self._watch.warning), *self._broken(), *self._left()]
        return structs.replace(report, errors=[*report.errors, *sent.errors], warnings=warnings, notices=part)

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._held.close()
        self._watch.close()

    def _part(self, sent: Sent) -> NoticesPart:
        due = told = 0
        with self._watch.failing():
            due, told = len(self._watch.due), self._watch.due.told
        return NoticesPart(
            due=due,
            sent=told,
            failed=due - told if sent.was_tried else 0,
            left=self._watch.left,
            long_expired=self._watch.long_expired,
            digests=sent.digests,
            state=self._watch.location,
        )

    def _broken(self) -> list[Remark]:
        """That a store holds what no run can have left."""
        troubles = self._channel.troubles
        warnings = broken_warning(self._watch.location, self._watch.broken, *([troubles.broken] if troubles else []))
        if self._turn is not None:
            warnings += broken_lease(self._turn, _TURN)
        return warnings

    def _left(self) -> list[Remark]:
        if self._other is None or not self._watch.left:
            return []
        notices = "1 notice was" if self._watch.left == 1 else f"{self._watch.left:,} notices were"
        message = f"{notices} left to the next run, for another one ({self._other.printable_holder}) has {_TURN}"
        return [Remark(where=WHERE, code="held", message=message)]

    def _with_changes(self, report: Report) -> Report:
        changes, units = changes_since(self._watch, self._pages_of_owner, self._fingerprint_of, self._stop)
        capacity = structs.replace(report.capacity, read_units=report.capacity.read_units + units)
        return structs.replace(report, changes=changes, capacity=capacity)

    def _publish(self, report: Report, sent: Sent) -> None:
        topic = self._channel.topic
        if topic is None or self._watch.is_broken:
            return
        sameness = Sameness(self._channel, report)
        wants_digest = sameness.wants(self._content(report, sameness))
        if wants_digest or (self._channel.per_token and len(self.for_owners)):
            self.take_turn()
            if self._watch.is_broken:
                return
            # Another run may have told of the same trouble meanwhile.
            sameness = Sameness(self._channel, report)
            content = self._content(report, sameness)
            wants_digest = sameness.wants(content)
            sent.was_tried = self._channel.per_token or wants_digest
            goes_on = not self._channel.per_token or self.tell_owners(topic, report, sent)
            if wants_digest and goes_on:
                self._publish_digest(topic, content, sent)
        sameness.settle(was_told=sent.digests > 0 and not sent.errors)
        log.info("notices.published", due=len(self._watch.due), digests=sent.digests, taken=self._watch.due.told)

    def _content(self, report: Report, sameness: Sameness) -> DigestContent:
        if self.are_changes_told:
            report = structs.replace(report, changes=None)
        content = digest_content(report, self.in_digest, self._channel.pointer)
        return sameness.added_to(replace(content, long_expired=self._watch.long_expired))

    def tell_owners(self, topic: TopicLike, report: Report, sent: Sent) -> bool:
        """A message a notice, each batch marked before the next is sent. Raises LedgerError.

        Returns:
            whether a digest is still worth trying: not where the store fails, and not where the topic is out of reach,
            which took several tries of twenty seconds to find out.
        """
        underway: dict[str, Notice] = {}
        taken: list[Notice] = []
        failures = Failures()
        try:
            with self._stop.waiting():
                for message, error in topic.publish_batches(self._messages(report, underway)):
                    notice = underway.pop(message.deduplication_id)
                    if error is not None:
                        failures.add(error, notice)
                    else:
                        taken.append(notice)
                    # The next batch is begun with one message, to see whether the last one has room for it.
                    if len(underway) <= 1:
                        batch, taken = taken, []
                        if not self.mark(Kind.OWNER, batch) or not self._goes_on(sent):
                            break
        except StopRequestedError:
            message_left = "messages to owners were left for the next run: this one had to end"
            sent.errors.append(Remark(where=WHERE, code="interrupted", message=message_left))
        self.mark(Kind.OWNER, taken)
        remarks = failures.remarks()
        sent.errors += remarks
        return self.can_announce and self.is_its_turn and all(remark.code != _UNREACHABLE for remark in remarks)

    def _goes_on(self, sent: Sent) -> bool:
        """Whether it is still our turn; it is said where it is not."""
        if self.is_its_turn:
            return True
        message = "the rest was left to the next run: the store did not renew the right to announce"
        sent.errors.append(Remark(where=WHERE, code="turn-lost", message=message))
        return False

    def _messages(self, report: Report, underway: dict[str, Notice]) -> Iterator[Message]:
        table = report.table
        assert table is not None  # noqa: S101  # an announcer is of one table
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

    def _publish_digest(self, topic: TopicLike, content: DigestContent, sent: Sent) -> None:
        try:
            for part in digest_parts(content):
                publish_part(topic, part, self._stop)
                sent.digests += 1
                if not self.mark(Kind.DIGEST, part.notices) or not self._goes_on(sent):
                    return
        except SinkError as error:
            sent.errors.append(digest_remark(error))

    def mark(self, kind: Kind, notices: Sequence[Notice]) -> bool:
        """Remember that these were told in this kind of message; whether that is remembered now."""
        return not notices or self._watch.mark(kind, notices, int(self._clock()))

    def _remember(self, report: Report) -> None:
        run = report.run
        last = LastRun(run.id, int(run.started_at.timestamp()), int(run.finished_at.timestamp()), run.outcome.value)
        self._watch.remember(last)


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
    dated = "with no time that can be read" if moment is None else f"of {readable(moment)}"
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

"""One table's part in announcing a run: which notices are due, messages to owners, and what is remembered of both.

    due notices ─> lease ─> provably remembered ─┬─ messages to owners ─> taken by SNS ─> marked for their owners
                                                 └─ parts of the digest ─> taken by SNS ─> marked for the digest
    findings ──> snapshot for the next run

Each table has an announcer with its own store; `announce` publishes the digest of all tables. Whoever announces holds a
lease; a run that does not get it leaves its notices to the next run. A notice is marked in its table's store only after
SNS took it: a crash in between repeats a few notices, and loses none. Where the store does not work nothing is sent,
because nobody can tell what was sent before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from msgspec import structs

from janitor.background import wait_for_answer
from janitor.dynamodb.owner_query import PagesOfOwner
from janitor.errors import JanitorError, StopRequestedError, StoreError
from janitor.logs import get_logger
from janitor.notices.audience import MessageKind
from janitor.notices.channel import WHERE, Channel, TopicLike, UnpublishedMessages
from janitor.notices.find_changes import find_changes
from janitor.notices.notice import Notice
from janitor.notices.notice_memory import NoticeMemory
from janitor.notices.notice_spool import SpooledNotices
from janitor.notices.token_message import build_token_message
from janitor.readers.interface import FoundRow
from janitor.report.error_remarks import NOT_ANNOUNCED, catch_as_remarks
from janitor.report.model import NoticesPart, Remark, TableReport
from janitor.sinks.sns import Message
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.store.lease import HeldLease
from janitor.store.lease_keeper import LeaseKeeper
from janitor.store.record_times import CHECK_STORE, BrokenRecords
from janitor.store.run_memory import LastRun
from janitor.tokens.times import format_second, time_of
from janitor.tokens.words import format_count

log = get_logger("janitor.notices")

_UNREACHABLE = "unreachable"
_RIGHT = "the right to tell this topic of this table"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingRun:
    """What an announcer knows of the run that it belongs to.

    Attributes:
        run_id: the run's id.
        clock: the present UNIX second.
        stop: who may ask for an early end.
        remembers: whether the next run may be compared with this one: it sees the whole table, as it is now.
    """

    run_id: str
    clock: Callable[[], float]
    stop: Stop
    remembers: bool


@dataclass(slots=True)
class Delivery:
    """What became of a table's notices so far.

    Attributes:
        errors: what went wrong.
        was_tried: whether anything was published, or tried to be.
        has_lost_digest: whether the digest, or a part of it, was not published.
    """

    errors: list[Remark] = field(default_factory=list)
    was_tried: bool = False
    has_lost_digest: bool = False


class Announcer:
    """Takes a table's findings, tells its owners, and remembers what was told. For one thread.

    Attributes:
        has_another_told_changes: whether another run tells, or has told, what changed since the last run.
        has_ended: whether the table's turn in the run is over.
        is_complete: whether the whole table was read.
        delivery: what became of the notices.
    """

    def __init__(
        self,
        memory: NoticeMemory,
        channel: Channel,
        run: AnnouncingRun,
        *,
        pages_of_owner: PagesOfOwner | None,
        lease: LeaseKeeper | None = None,
    ) -> None:
        """Prepare; nothing is opened or sent.

        Args:
            memory: what findings are compared with.
            channel: who is notified, and when.
            run: the run.
            pages_of_owner: reads the rows of an owner; None where the table has no index for it.
            lease: the right to tell this topic of this table; None where no other run can.
        """
        self.has_another_told_changes = False
        self.has_ended = self.is_complete = False
        self.delivery = Delivery()
        self._bugs: list[Remark] = []
        self._run = run
        self._memory = memory
        self._channel = channel
        self._pages_of_owner = pages_of_owner
        self._lease = lease
        self._held = ExitStack()
        self._other_holder: HeldLease | None = None

    def open(self) -> None:
        """Open the store. `remember` reports it if that fails."""
        self._memory.open()

    def add_findings(self, rows: Sequence[FoundRow]) -> None:
        """Take findings, each once. Never raises: it is called in the middle of deletes."""
        if not self._bugs:
            with catch_as_remarks(WHERE, NOT_ANNOUNCED, self._bugs):
                self._memory.add_findings(rows)

    def end(self, report: TableReport, *, is_complete: bool) -> TableReport:
        """Add what changed since the last run, at the end of the table's turn; nothing is announced yet.

        Args:
            report: the table's.
            is_complete: whether the whole table was read.
        """
        self.has_ended, self.is_complete = True, is_complete
        if not self._bugs and is_complete and self._run.remembers and self._channel.refusal is None:
            with catch_as_remarks(WHERE, NOT_ANNOUNCED, self._bugs):
                return self._with_changes(report)
        return report

    @property
    def can_announce(self) -> bool:
        """Whether the table was read, nothing forbids to tell what is due, and the store works."""
        return self.has_ended and not self._bugs and self._channel.refusal is None and not self._memory.has_failed

    def due(self, kind: MessageKind) -> SpooledNotices:
        """The notices that are due in this kind of message, most urgent first."""
        return self._memory.due.for_kind(kind)

    @property
    def owner_notices(self) -> SpooledNotices:
        """The notices that owners are to get, most urgent first."""
        return self.due(MessageKind.OWNER)

    @property
    def long_expired(self) -> int:
        """How many tokens are only counted."""
        return self._memory.long_expired

    def catch_store_errors(self) -> AbstractContextManager[object]:
        """Return a block that ends at an error of the store; `remember` reports it."""
        return self._memory.catch_store_errors()

    def take_lease(self) -> None:
        """Take the right to announce, and prove that what is told can be remembered. Call it before any message.

        Drops what another run has told meanwhile. Where another run is announcing, what is due is left to the next run,
        except what this run alone knows. Where the store fails, `can_announce` is False from then on.
        """
        with self._memory.catch_store_errors():
            self._other_holder = self._enter_lease()
            if self._other_holder is None:
                self._memory.drop_already_told()
                self.has_another_told_changes = self._memory.is_overtaken()
                self._memory.prove_room()
            else:
                self.has_another_told_changes = True
                self._memory.leave_to_other_run()

    def _enter_lease(self) -> HeldLease | None:
        """Take the lease; return who else has it, None where it is ours."""
        lease = self._lease
        if lease is None:
            return None
        answer = wait_for_answer(
            lambda: (self._held.enter_context(lease),), lambda: self._run.stop.is_over(NOTICE_SECONDS)
        )
        if answer is None:
            sentence = f"{self._memory.location} did not answer before the run had to end"
            raise StoreError(sentence, "run it again", "no-answer")
        return answer[0]

    @property
    def holds_lease(self) -> bool:
        """Whether it may go on announcing. What this run alone knows it may tell without the lease."""
        return self._lease is None or self._other_holder is not None or self._lease.is_held()

    def check_lease(self) -> bool:
        """Whether it may go on announcing; adds an error where it may not."""
        if self.holds_lease:
            return True
        message = "the rest was left to the next run: the store did not renew the right to announce"
        remark = Remark(where=WHERE, code="turn-lost", message=message)
        if remark not in self.delivery.errors:
            self.delivery.errors.append(remark)
        return False

    def tell_owners(self, topic: TopicLike, table: TableReport) -> bool:
        """Publish a message for each notice; mark each batch before the next is sent.

        Returns:
            whether the digest is still worth trying: not where the store fails, and not where the topic cannot be
            reached, which took several tries of twenty seconds to find out.

        Raises:
            StoreError: the due notices cannot be read.
        """
        in_flight: dict[str, Notice] = {}
        taken: list[Notice] = []
        unpublished = UnpublishedMessages()
        try:
            with self._run.stop.waiting():
                for message, error in topic.publish_batches(self._owner_messages(table, in_flight)):
                    notice = in_flight.pop(message.deduplication_id)
                    if error is not None:
                        unpublished.add(error, notice)
                    else:
                        taken.append(notice)
                    # The topic asks for the first message of the next batch to see whether this one has room for it.
                    if len(in_flight) <= 1:
                        batch, taken = taken, []
                        if not self.mark(MessageKind.OWNER, batch) or not self.check_lease():
                            break
        except StopRequestedError:
            text = "messages to owners were left for the next run: this one had to end"
            self.delivery.errors.append(Remark(where=WHERE, code="interrupted", message=text))
        self.mark(MessageKind.OWNER, taken)
        remarks = unpublished.remarks()
        self.delivery.errors += remarks
        return self.can_announce and self.holds_lease and all(remark.code != _UNREACHABLE for remark in remarks)

    def _owner_messages(self, table: TableReport, in_flight: dict[str, Notice]) -> Iterator[Message]:
        for notice in self.owner_notices:
            built = build_token_message(notice, table.name, table.region or "-", table.account_id)
            in_flight[built.deduplication_id] = notice
            yield Message(
                body=built.body,
                subject=built.subject,
                attributes=built.attributes,
                group_id=built.group_id,
                deduplication_id=built.deduplication_id,
            )

    def mark(self, kind: MessageKind, notices: Sequence[Notice]) -> bool:
        """Remember that these were told in this kind of message; False where that failed."""
        return not notices or self._memory.mark(kind, notices, int(self._run.clock()))

    def remember(self, report: TableReport) -> TableReport:
        """Remember the run, and add to the table's report what was announced. The last step.

        Args:
            report: the table's, as `end` returned it.
        """
        delivery = self.delivery
        if self._bugs:
            return structs.replace(report, errors=[*report.errors, *self._bugs])
        was_delivered = not delivery.errors and not delivery.has_lost_digest
        if self._channel.refusal is not None:
            delivery.errors.append(self._channel.refusal)
        elif self._other_holder is None:
            sees_all = self.is_complete and self._run.remembers
            if sees_all:
                self._remember_run(report)
            self._memory.record_progress(
                is_complete=sees_all and was_delivered, silenced=self._channel.silenced_audiences
            )
        self._held.close()
        part = self._notices_part()
        if self._memory.error is not None:
            delivery.errors.append(store_failure_remark(self._memory.error, was_sent=delivery.was_tried))
        warnings = [
            *report.warnings,
            *changes_warning(self._memory.warning),
            *self._broken_warnings(),
            *self._left_warning(),
        ]
        return structs.replace(report, errors=[*report.errors, *delivery.errors], warnings=warnings, notices=part)

    def _remember_run(self, report: TableReport) -> None:
        started, finished = int(report.started_at.timestamp()), int(report.finished_at.timestamp())
        self._memory.remember(LastRun(self._run.run_id, started, finished, report.outcome.value))

    def close(self) -> None:
        """Release everything. Never raises."""
        self._held.close()
        self._memory.close()

    def _notices_part(self) -> NoticesPart:
        due = sent = 0
        with self._memory.catch_store_errors():
            due, sent = len(self._memory.due), self._memory.due.told
        return NoticesPart(
            due=due,
            sent=sent,
            failed=due - sent if self.delivery.was_tried else 0,
            left=self._memory.left,
            long_expired=self._memory.long_expired,
            state=self._memory.location,
        )

    def _broken_warnings(self) -> list[Remark]:
        """Build the warnings of records in the store that no run can have left."""
        warnings = broken_warning(self._memory.location, self._memory.broken)
        if self._lease is not None:
            warnings += self._lease.broken_warning(_RIGHT)
        return warnings

    def _left_warning(self) -> list[Remark]:
        if self._other_holder is None or not self._memory.left:
            return []
        were = "was" if self._memory.left == 1 else "were"
        notices = format_count(self._memory.left, "notice")
        holder = self._other_holder.printable_holder
        message = f"{notices} {were} left to the next run, because another run ({holder}) has {_RIGHT}"
        return [Remark(where=WHERE, code="held", message=message)]

    def _with_changes(self, report: TableReport) -> TableReport:
        changes, units = find_changes(self._memory, self._pages_of_owner, self._run.stop)
        capacity = structs.replace(report.capacity, read_units=report.capacity.read_units + units)
        return structs.replace(report, changes=changes, capacity=capacity)


def store_failure_remark(error: JanitorError, *, was_sent: bool) -> Remark:
    """Build the error that a store failed; `was_sent` says whether something may have been announced by then."""
    nothing = "nothing was announced, because it is not known what was announced before"
    some = "not all of what was announced is remembered, so some will be announced again"
    return Remark(where="state", code=error.code, message=f"{some if was_sent else nothing}: {error}")


def broken_warning(location: str, *broken_records: BrokenRecords) -> list[Remark]:
    """Build the warning of records that no run can have left, by the first of them; empty where there are none."""
    firsts = [broken.first for broken in broken_records if broken.first is not None]
    if not firsts:
        return []
    are_more = len(firsts) > 1 or any(broken.are_more for broken in broken_records)
    moment = firsts[0].moment
    dated = "with no time that can be read" if moment is None else f"of {format_second(time_of(moment))} UTC"
    more = ", and more records that" if are_more else ", which"
    absent = "they count" if are_more else "it counts"
    message = (
        f"the state store {location} holds {firsts[0].what} {dated}{more} no run can have left: {absent} as absent and "
        f"will be replaced; {CHECK_STORE}"
    )
    return [Remark(where="state", code="broken", message=message)]


def changes_warning(error: JanitorError | None) -> list[Remark]:
    """Build the warning that what changed since the last run is not known; empty without an error."""
    if error is None:
        return []
    message = f"what changed since the last run is not known: {error}"
    return [Remark(where="state", code=error.code, message=message)]

"""One table's part in announcing a run: which notices are due, messages to owners, and what is remembered of both.

    due notices ─> lease ─> provably remembered ─┬─ messages to owners ─> taken by SNS ─> marked for their owners
                                                 └─ parts of the digest ─> taken by SNS ─> marked for the digest
    findings ──> snapshot for the next run

Each table has an announcer with its own store; `announce` publishes the digest of all tables. A run that announces
holds a lease; a run that does not get it leaves its notices to the next run. A notice is marked in its table's store
only after SNS took it: a crash in between repeats a few notices, and loses none. If the store does not work, nothing is
sent, because nobody knows what was sent before.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import islice

from msgspec import structs

from janitor.background import wait_for_answer
from janitor.dynamodb.owner_query import PagesOfOwner
from janitor.errors import JanitorError, StopRequestedError, StoreError
from janitor.logs import get_logger
from janitor.notices.audience import MessageKind
from janitor.notices.channel import WHERE, Channel, PublishingTopic
from janitor.notices.find_changes import find_changes
from janitor.notices.notice import Notice
from janitor.notices.notice_memory import NoticeMemory
from janitor.notices.notice_spool import SpooledNotices
from janitor.notices.owner_text import TokenPlace
from janitor.notices.owners_without_address import OwnerCount, OwnersWithoutAddress
from janitor.notices.token_message import build_owner_mail, build_token_message
from janitor.readers.interface import JudgedRow
from janitor.report.error_remarks import NOT_ANNOUNCED, catch_as_remarks
from janitor.report.model import DestinationPart, NoticesPart, Remark, TableReport
from janitor.sinks.sns import Message
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.store.lease import LeaseRecord
from janitor.store.lease_keeper import LeaseKeeper
from janitor.store.record_times import CHECK_STORE, BrokenRecords
from janitor.store.run_memory import LastRun
from janitor.tokens.times import format_second, time_of
from janitor.tokens.words import format_count, list_some

log = get_logger("janitor.notices")

_UNREACHABLE = "unreachable"
_LEASE = "the lease for sending this table's notices to this topic"
_MAX_NAMED = 10
_PORTION = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What an announcer knows of the run that it belongs to.

    Attributes:
        run_id: the run's id.
        clock: the present UNIX second.
        stop: says whether the run was asked to stop.
        remembers: whether the next run may be compared with this one: it sees the whole table, as it is now.
        compares: whether this announcer compares the table with the last run; one for each table does.
    """

    run_id: str
    clock: Callable[[], float]
    stop: Stop
    remembers: bool
    compares: bool = True


@dataclass(slots=True)
class Delivery:
    """What became of a table's notices so far.

    Attributes:
        errors: what went wrong.
        was_tried: whether anything was published, or tried to be.
        has_lost_digest: whether the digest, or a part of it, was not published.
        digest_notices: how many notices were published in digests.
        owner_count: the owners who got a message.
    """

    errors: list[Remark] = field(default_factory=list)
    was_tried: bool = False
    has_lost_digest: bool = False
    digest_notices: int = 0
    owner_count: OwnerCount = field(default_factory=OwnerCount)


class Announcer:
    """Takes a table's findings, notifies its owners, and remembers what was sent. For one thread.

    Attributes:
        are_changes_left_to_other_run: whether another run publishes, or has published, what changed since the last run.
        has_ended: whether the table's turn in the run is over.
        is_complete: whether the whole table was read.
        delivery: what became of the notices.
    """

    def __init__(
        self,
        memory: NoticeMemory,
        channel: Channel,
        run: RunContext,
        *,
        pages_of_owner: PagesOfOwner | None,
        lease: LeaseKeeper | None = None,
    ) -> None:
        """Prepare; nothing is opened or sent.

        Args:
            memory: what findings are compared with.
            channel: who is notified, and when.
            run: the run.
            pages_of_owner: reads the rows of an owner; None if the table has no index for it.
            lease: what lets one run at a time send this table's notices to this topic; None if no other run can.
        """
        self.are_changes_left_to_other_run = False
        self.has_ended = self.is_complete = False
        self.delivery = Delivery()
        self._bugs: list[Remark] = []
        self._run = run
        self._memory = memory
        self._channel = channel
        self._pages_of_owner = pages_of_owner
        self._lease = lease
        self._held = ExitStack()
        self._other_holder: LeaseRecord | None = None
        self._without_address = OwnersWithoutAddress(channel.addresses)

    def open(self) -> None:
        """Open the store. `remember` reports it if that fails."""
        self._memory.open()

    def add_findings(self, rows: Sequence[JudgedRow]) -> None:
        """Take findings, each once. Never raises: it is called in the middle of deletes."""
        if not self._bugs:
            with catch_as_remarks(WHERE, NOT_ANNOUNCED, self._bugs):
                self._memory.add_findings(rows)

    def end(self, report: TableReport, *, is_complete: bool, would_be_refused: bool = False) -> TableReport:  # noqa: ARG002  # for dry runs
        """Add what changed since the last run, at the end of the table's turn; nothing is announced yet.

        Args:
            report: the table's.
            is_complete: whether the whole table was read.
            would_be_refused: in a dry run, whether a guard would refuse to delete.
        """
        self.has_ended, self.is_complete = True, is_complete
        sees_all = is_complete and self._run.remembers
        if not self._bugs and sees_all and self._run.compares and self._channel.refusal is None:
            with catch_as_remarks(WHERE, NOT_ANNOUNCED, self._bugs):
                return self._with_changes(report)
        return report

    @property
    def can_announce(self) -> bool:
        """Whether the table was read, nothing forbids announcing what is due, and the store works."""
        return self.has_ended and not self._bugs and self._channel.refusal is None and not self._memory.has_failed

    def due(self, kind: MessageKind) -> SpooledNotices:
        """The notices that are due in this kind of message, most urgent first."""
        return self._memory.due.for_kind(kind)

    @property
    def long_expired(self) -> int:
        """How many tokens are only counted."""
        return self._memory.long_expired

    def catch_store_errors(self) -> AbstractContextManager[object]:
        """Return a block that ends at an error of the store; `remember` reports it."""
        return self._memory.catch_store_errors()

    def take_lease(self) -> None:
        """Take the lease, and prove that what is sent can be remembered. Call it before any message.

        Drops what another run has sent meanwhile. If another run is announcing, what is due is left to the next run,
        except what this run alone knows. If the store fails, `can_announce` is False from then on.
        """
        with self._memory.catch_store_errors():
            self._other_holder = self._enter_lease()
            if self._other_holder is None:
                self._memory.drop_already_sent()
                self.are_changes_left_to_other_run = self._memory.is_overtaken()
                self._memory.prove_room()
            else:
                self.are_changes_left_to_other_run = True
                self._memory.leave_to_other_run()

    def _enter_lease(self) -> LeaseRecord | None:
        """Take the lease; return who else has it, None if it is ours."""
        lease = self._lease
        if lease is None:
            return None
        answer = wait_for_answer(
            lambda: (self._held.enter_context(lease),), lambda: self._run.stop.has_passed(NOTICE_SECONDS)
        )
        if answer is None:
            sentence = f"{self._memory.location} did not answer before the run had to end"
            raise StoreError(sentence, "run it again", "no-answer")
        return answer[0]

    @property
    def holds_lease(self) -> bool:
        """Whether it may go on announcing. What this run alone knows, it may announce without the lease."""
        return self._lease is None or self._other_holder is not None or self._lease.is_held()

    def report_lost_lease(self) -> bool:
        """Add an error if the lease is lost; return whether it is."""
        if self.holds_lease:
            return False
        message = (
            "the remaining notices are left to the next run: the state store did not renew this run's lease; "
            "check the store"
        )
        remark = Remark(where=WHERE, code="turn-lost", message=message)
        if remark not in self.delivery.errors:
            self.delivery.errors.append(remark)
        return True

    def notify_owners(self, topic: PublishingTopic, table: TableReport) -> bool:
        """Publish a message for each notice; mark each batch before the next is sent.

        Returns:
            whether the digest is still worth trying: not where the store fails, and not where the topic cannot be
            reached, which took several tries of twenty seconds to find out.

        Raises:
            StoreError: the due notices cannot be read.
        """
        if self._channel.mails_owners:
            self._drop_unmailable()
        in_flight: dict[str, Notice] = {}
        taken: list[Notice] = []
        unpublished = _UnpublishedMessages()
        try:
            with self._run.stop.interruptible_wait():
                for message, error in topic.publish_batches(self._owner_messages(table, in_flight)):
                    notice = in_flight.pop(message.deduplication_id)
                    if error is not None:
                        unpublished.add(error, notice)
                    else:
                        taken.append(notice)
                        self.delivery.owner_count.add(notice)
                    # The topic asks for the first message of the next batch to see whether this one has room for it.
                    if len(in_flight) <= 1:
                        batch, taken = taken, []
                        if not self.mark(MessageKind.OWNER, batch) or self.report_lost_lease():
                            break
        except StopRequestedError:
            text = "the remaining messages to owners are left to the next run: this one had to end"
            self.delivery.errors.append(Remark(where=WHERE, code="interrupted", message=text))
        self.mark(MessageKind.OWNER, taken)
        remarks = unpublished.remarks()
        self.delivery.errors += remarks
        return self.can_announce and self.holds_lease and all(remark.code != _UNREACHABLE for remark in remarks)

    def _owner_messages(self, table: TableReport, in_flight: dict[str, Notice]) -> Iterator[Message]:
        build = build_owner_mail if self._channel.mails_owners else build_token_message
        place = TokenPlace(table.name, table.region, table.account_id)
        for notice in self.due(MessageKind.OWNER):
            address = self._without_address.find_address(notice)
            message = build(notice, place, self._channel.owner_messages, address)
            in_flight[message.deduplication_id] = notice
            yield message

    def describe_delivery(self, part: DestinationPart) -> DestinationPart:
        """Add what was sent about this table to the report's part about the destination."""
        part = self.delivery.owner_count.fill_in(part)
        # A topic gets the messages of owners without an address too.
        if self._channel.mails_owners:
            part = self._without_address.fill_in(part)
        return structs.replace(part, digest_notices=part.digest_notices + self.delivery.digest_notices)

    def _drop_unmailable(self) -> None:
        """Drop the notices of owners without an address. They are no failure, and stay due."""
        notices = iter(self.due(MessageKind.OWNER))
        while portion := list(islice(notices, _PORTION)):
            unmailable = [notice for notice in portion if self._without_address.find_address(notice) is None]
            self._memory.due.drop(MessageKind.OWNER, unmailable)

    def mark(self, kind: MessageKind, notices: Sequence[Notice]) -> bool:
        """Remember that these were sent in this kind of message; False if that failed."""
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
            if sees_all and self._run.compares:
                self._remember_run(report)
            self._memory.record_progress(
                is_complete=sees_all and was_delivered, silenced=self._channel.silenced_audiences
            )
        self._held.close()
        part = self._notices_part()
        if self._memory.error is not None:
            delivery.errors.append(build_store_error(self._memory.error, was_sent=delivery.was_tried))
        warnings = [
            *report.warnings,
            *build_changes_warning(self._memory.warning),
            *self._broken_warnings(),
            *self._left_warning(),
            *self._without_address.remarks(),
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
            due, sent = len(self._memory.due), self._memory.due.sent_count
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
        warnings = build_broken_warning(self._memory.location, self._memory.broken)
        broken_lease = None if self._lease is None else self._lease.describe_broken(_LEASE)
        if broken_lease is not None:
            warnings.append(Remark(where="lease", code="broken", message=broken_lease))
        return warnings

    def _left_warning(self) -> list[Remark]:
        if self._other_holder is None or not self._memory.left:
            return []
        were = "was" if self._memory.left == 1 else "were"
        notices = format_count(self._memory.left, "notice")
        holder = self._other_holder.printable_holder
        message = (
            f"{notices} {were} left to the next run, because another run ({holder}) is sending this table's notices to "
            "this topic"
        )
        return [Remark(where=WHERE, code="held", message=message)]

    def _with_changes(self, report: TableReport) -> TableReport:
        changes, units = find_changes(self._memory, self._pages_of_owner, self._run.stop)
        capacity = structs.replace(report.capacity, read_units=report.capacity.read_units + units)
        return structs.replace(report, changes=changes, capacity=capacity)


class _UnpublishedMessages:
    """Messages that SNS did not take: for each reason how many, and the first few by fingerprint."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._fingerprints: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, error: JanitorError, notice: Notice) -> None:
        """Add one, and why."""
        self._sentences.setdefault(error.code, str(error))
        self._counts[error.code] += 1
        fingerprints = self._fingerprints.setdefault(error.code, [])
        if len(fingerprints) < _MAX_NAMED:
            fingerprints.append(notice.crossing.fingerprint)

    def remarks(self) -> list[Remark]:
        """Build an error for each reason."""
        return [
            Remark(where=WHERE, code=code, message=self._message(code, count)) for code, count in self._counts.items()
        ]

    def _message(self, code: str, count: int) -> str:
        fingerprints = list_some(self._fingerprints[code], _MAX_NAMED, total=count)
        return f"{format_count(count, 'message')} to owners not published, of {fingerprints}: {self._sentences[code]}"


def build_store_error(error: JanitorError, *, was_sent: bool) -> Remark:
    """Build the error that a store failed; `was_sent` says whether something may have been announced by then."""
    nothing = "nothing was announced, because it is not known what was announced before"
    some = "not all that was announced could be remembered, so some of it will be announced again"
    return Remark(where="state", code=error.code, message=f"{some if was_sent else nothing}: {error}")


def build_broken_warning(location: str, *broken_records: BrokenRecords) -> list[Remark]:
    """Build the warning of records that no run can have left, by the first of them; empty if there are none."""
    firsts = [broken.first for broken in broken_records if broken.first is not None]
    if not firsts:
        return []
    are_more = len(firsts) > 1 or any(broken.are_more for broken in broken_records)
    moment = firsts[0].moment
    time = "with an unreadable time" if moment is None else f"dated {format_second(time_of(moment))} UTC"
    first = f"{firsts[0].what}, {time}"
    records = (
        f"impossible records (the first: {first}); they are ignored and will be replaced"
        if are_more
        else f"an impossible record ({first}); it is ignored and will be replaced"
    )
    message = f"the state store {location} holds {records}; {CHECK_STORE}"
    return [Remark(where="state", code="broken", message=message)]


def build_changes_warning(error: JanitorError | None) -> list[Remark]:
    """Build the warning that what changed since the last run is not known; empty without an error."""
    if error is None:
        return []
    message = f"what changed since the last run is not known: {error}"
    return [Remark(where="state", code=error.code, message=message)]

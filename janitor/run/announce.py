"""The end of a run for those who are to hear of it: messages a token, the digest, and what is remembered of both.

    due notices ──per token──> taken or not ┐
         └───────digest parts─> taken ──────┴──> marked as announced        findings ──> snapshot for the next run

A notice is marked only after SNS took it, from both where both are asked for: a crash in between repeats a notice, and
loses none. Where the store does not work nothing is sent, because nobody can tell what was sent already.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from msgspec import structs

from janitor.errors import JanitorError, SinkError, StopRequestedError
from janitor.ledger.interface import LastRun
from janitor.logs import get_logger
from janitor.notify.content import DigestContent, is_news
from janitor.notify.notice import Notice
from janitor.notify.parts import digest_parts
from janitor.notify.per_token import token_message
from janitor.report.model import Finding, NoticesPart, Remark, Report
from janitor.run.changes import changes_since
from janitor.run.channel import WHERE, Channel, Failures, TopicLike, digest_remark, publish_part
from janitor.run.digest_content import digest_content
from janitor.run.findings import Told
from janitor.run.locked_out import PagesOfOwner
from janitor.run.sights import sight_in
from janitor.run.stopping import Stop
from janitor.run.watch import FingerprintOf, Watch
from janitor.sinks.sns import Message

log = get_logger("janitor.notices")

_MARKED_AT_ONCE = 100
_UNREACHABLE = "unreachable"


@dataclass(slots=True)
class Sent:
    """What was published so far."""

    errors: list[Remark] = field(default_factory=list)
    taken: int = 0
    digests: int = 0
    was_tried: bool = False


class Announcer:
    """Sees a run's findings, and announces at its end what is due. For one thread."""

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
    ) -> None:
        """Prepare; nothing is opened or sent. With `remembers` the run sees the whole table, as the next will."""
        self._remembers = remembers
        self._watch = watch
        self._channel = channel
        self._clock = clock
        self._stop = stop
        self._pages_of_owner = pages_of_owner
        self._fingerprint_of = fingerprint_of

    def open(self) -> None:
        """Open the store; one that cannot be is said at the end."""
        self._watch.open()

    def see(self, told: Sequence[Told]) -> None:
        """Take findings, each once."""
        self._watch.see(told)

    def take(self, findings: Iterable[Finding]) -> None:
        """Take the findings of a report, each once."""
        self._watch.take([sight_in(finding) for finding in findings])

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

    @property
    def due(self) -> int:
        """How many notices are due."""
        return len(self._watch.due)

    def notices(self) -> Iterator[Notice]:
        """What is due, most urgent first; as much of it as the disk gives back."""
        with self._watch.failing():
            yield from self._watch.due

    def failing(self) -> AbstractContextManager[object]:
        """A block that an error of the store ends, which is said at the end."""
        return self._watch.failing()

    def changed(self, report: Report, *, is_complete: bool) -> Report:
        """The report, with what is not as the last run left it, where that is known. The first step of `finish`."""
        is_wanted = is_complete and self._remembers and self._channel.refusal is None
        return self._with_changes(report) if is_wanted else report

    def told(self, report: Report, sent: Sent, *, is_complete: bool) -> Report:
        """Remember the run, and give the report with what was sent. The last step of `finish`."""
        if self._channel.refusal is not None:
            sent.errors.append(self._channel.refusal)
        elif is_complete and self._remembers:
            self._remember(report)
        if self._watch.error is not None:
            sent.errors.append(state_remark(self._watch.error, was_sent=sent.was_tried))
        due = len(self._watch.due)
        failed = due - sent.taken if sent.was_tried else 0
        part = NoticesPart(due=due, sent=sent.taken, failed=failed, digests=sent.digests, state=self._watch.location)
        warnings = [*report.warnings, *changes_warning(self._watch.warning)]
        errors = [*report.errors, *sent.errors]
        return structs.replace(report, errors=errors, warnings=warnings, notices=part)

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._watch.close()

    def _with_changes(self, report: Report) -> Report:
        changes, units = changes_since(self._watch, self._pages_of_owner, self._fingerprint_of, self._stop)
        capacity = structs.replace(report.capacity, read_units=report.capacity.read_units + units)
        return structs.replace(report, changes=changes, capacity=capacity)

    def _publish(self, report: Report, sent: Sent) -> None:
        topic = self._channel.topic
        if topic is None or self._watch.is_broken:
            return
        content = digest_content(report, self._watch.due, self._channel.pointer)
        wants_digest = self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))
        sent.was_tried = self._channel.per_token or wants_digest
        goes_on = not self._channel.per_token or self.tell_owners(topic, report, sent, marks=not wants_digest)
        if wants_digest and goes_on:
            self._publish_digest(topic, content, sent)
        log.info("notices.published", due=len(self._watch.due), digests=sent.digests, taken=sent.taken)

    def tell_owners(self, topic: TopicLike, report: Report, sent: Sent, *, marks: bool) -> bool:
        """A message a notice; with `marks` they are marked here, for no digest will hold them. Raises LedgerError.

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
                        continue
                    taken.append(notice)
                    if len(taken) >= _MARKED_AT_ONCE:
                        self._settle(taken, sent, marks=marks)
                        taken = []
                    if self._watch.error is not None:
                        break
        except StopRequestedError:
            message_left = "messages to owners were left for the next run: this one had to end"
            sent.errors.append(Remark(where=WHERE, code="interrupted", message=message_left))
        self._settle(taken, sent, marks=marks)
        remarks = failures.remarks()
        sent.errors += remarks
        return not self._watch.is_broken and all(remark.code != _UNREACHABLE for remark in remarks)

    def _settle(self, taken: list[Notice], sent: Sent, *, marks: bool) -> None:
        """Note what owners have heard of; remember it too where no digest is to follow."""
        self._watch.due.take(taken)
        if marks:
            self._mark(taken, sent)

    def _messages(self, report: Report, underway: dict[str, Notice]) -> Iterator[Message]:
        table = report.table
        assert table is not None  # noqa: S101  # an announcer is of one table
        for notice in self._watch.due:
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
                self.mark_heard(part.notices, sent)
                if self._watch.error is not None:
                    return
        except SinkError as error:
            sent.errors.append(digest_remark(error))

    def mark_heard(self, notices: Sequence[Notice], sent: Sent) -> None:
        """Remember these of a part of the digest that was taken."""
        with self._watch.failing():
            self._mark([notice for notice in notices if self._was_heard(notice)], sent)

    def _was_heard(self, notice: Notice) -> bool:
        """Whether the owner was told, where owners are: otherwise the notice stays due though the digest has it."""
        return not self._channel.per_token or self._watch.due.is_taken(notice)

    def _mark(self, notices: list[Notice], sent: Sent) -> None:
        if notices and self._watch.mark(notices, int(self._clock())):
            sent.taken += len(notices)

    def _remember(self, report: Report) -> None:
        run = report.run
        last = LastRun(run.id, int(run.started_at.timestamp()), int(run.finished_at.timestamp()), run.outcome.value)
        self._watch.remember(last)


def state_remark(error: JanitorError, *, was_sent: bool) -> Remark:
    """That a store failed; `was_sent` says whether something may have been announced by then."""
    nothing = "nothing was announced, for nobody can tell what was already"
    some = "not all of what was announced is remembered, so some will be announced again"
    return Remark(where="state", code=error.code, message=f"{some if was_sent else nothing}: {error}")


def changes_warning(error: JanitorError | None) -> list[Remark]:
    """That nobody knows what changed since the last run, and why; nothing where somebody does."""
    if error is None:
        return []
    message = f"what changed since the last run is not known: {error}"
    return [Remark(where="state", code=error.code, message=message)]

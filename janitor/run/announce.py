"""The end of a run for those who are to hear of it: messages a token, the digest, and what is remembered of both.

    due notices ──per token──> taken or not ┐
         └───────digest parts─> taken ──────┴──> marked as announced        findings ──> snapshot for the next run

A notice is marked only after SNS took it, from both where both are asked for: a crash in between repeats a notice, and
loses none. Where the store does not work nothing is sent, because nobody can tell what was sent already.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from janitor.errors import JanitorError, SinkError, StopRequestedError
from janitor.ledger.interface import LastRun
from janitor.notify.content import DigestContent, is_news
from janitor.notify.notice import Notice
from janitor.notify.parts import DigestPart, digest_parts
from janitor.notify.per_token import token_message
from janitor.report.model import NoticesPart, Remark, Report
from janitor.run.changes import changes_since
from janitor.run.digest_content import digest_content
from janitor.run.findings import Told
from janitor.run.locked_out import PagesOfOwner
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.watch import FingerprintOf, Watch
from janitor.run.workers import answer_of
from janitor.sinks.sns import Message, Published

log = structlog.get_logger("janitor.notices")

_MARKED_AT_ONCE = 100
_MOST_NAMED = 10
_UNREACHABLE = "unreachable"
_WHERE = "notices"


class TopicLike(Protocol):
    """Where messages go. `janitor.sinks.sns.Topic` is one."""

    def publish(self, message: Message) -> None:
        """One message. Raises SinkError."""

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[Published]:
        """Many, and of each what became of it. Never raises for what the topic does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Who is told, and when.

    Attributes:
        topic: None where nobody is.
        per_token: whether to publish a message a notice.
        digest: `news`, `always` or `never`.
        pointer: where the full report is, None for nowhere.
        refusal: why nothing may be announced or remembered, None where nothing speaks against it.
    """

    topic: TopicLike | None
    per_token: bool
    digest: str
    pointer: str | None
    refusal: Remark | None = None


@dataclass(slots=True)
class _Sent:
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

    def finish(self, report: Report, *, is_complete: bool) -> Report:
        """Announce what is due, remember it, and give the report with what came of that.

        Args:
            report: of the run, without what is announced.
            is_complete: whether all of the table was read.
        """
        sent = _Sent()
        if self._channel.refusal is not None:
            sent.errors.append(self._channel.refusal)
        else:
            if is_complete and self._remembers:
                report = self._with_changes(report)
            with self._watch.failing():
                self._publish(report, sent)
            if is_complete and self._remembers:
                self._remember(report)
        if self._watch.error is not None:
            sent.errors.append(_state_remark(self._watch.error, was_sent=sent.was_tried))
        due = len(self._watch.due)
        failed = due - sent.taken if sent.was_tried else 0
        part = NoticesPart(due=due, sent=sent.taken, failed=failed, digests=sent.digests, state=self._watch.location)
        warnings = [*report.warnings, *_changes_warning(self._watch.warning)]
        errors = [*report.errors, *sent.errors]
        return report.model_copy(update={"errors": errors, "warnings": warnings, "notices": part})

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._watch.close()

    def _with_changes(self, report: Report) -> Report:
        changes, units = changes_since(self._watch, self._pages_of_owner, self._fingerprint_of, self._stop)
        capacity = report.capacity.model_copy(update={"read_units": report.capacity.read_units + units})
        return report.model_copy(update={"changes": changes, "capacity": capacity})

    def _publish(self, report: Report, sent: _Sent) -> None:
        topic = self._channel.topic
        if topic is None or self._watch.is_broken:
            return
        content = digest_content(report, self._watch.due, self._channel.pointer)
        wants_digest = self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))
        sent.was_tried = self._channel.per_token or wants_digest
        goes_on = not self._channel.per_token or self._publish_each(topic, report, sent, marks=not wants_digest)
        if wants_digest and goes_on:
            self._publish_digest(topic, content, sent)
        log.info("notices.published", due=len(self._watch.due), digests=sent.digests, taken=sent.taken)

    def _publish_each(self, topic: TopicLike, report: Report, sent: _Sent, *, marks: bool) -> bool:
        """A message a notice; with `marks` they are marked here, for no digest will hold them.

        Returns:
            whether a digest is still worth trying: not where the store fails, and not where the topic is out of reach,
            which took several tries of twenty seconds to find out.
        """
        underway: dict[str, Notice] = {}
        taken: list[Notice] = []
        failures = _Failures()
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
            sent.errors.append(Remark(where=_WHERE, code="interrupted", message=message_left))
        self._settle(taken, sent, marks=marks)
        remarks = failures.remarks()
        sent.errors += remarks
        return not self._watch.is_broken and all(remark.code != _UNREACHABLE for remark in remarks)

    def _settle(self, taken: list[Notice], sent: _Sent, *, marks: bool) -> None:
        """Note what owners have heard of; remember it too where no digest is to follow."""
        self._watch.due.take(taken)
        if marks:
            self._mark(taken, sent)

    def _messages(self, report: Report, underway: dict[str, Notice]) -> Iterator[Message]:
        table = report.table
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

    def _publish_digest(self, topic: TopicLike, content: DigestContent, sent: _Sent) -> None:
        try:
            for part in digest_parts(content):
                self._publish_part(topic, part)
                sent.digests += 1
                self._mark([notice for notice in part.notices if self._was_heard(notice)], sent)
                if self._watch.error is not None:
                    return
        except SinkError as error:
            log.error("digest.not_published", code=error.code, error=str(error))  # noqa: TRY400
            message = f"the digest was not published: {error}; its notices will be tried again next time"
            sent.errors.append(Remark(where=_WHERE, code=error.code, message=message))

    def _publish_part(self, topic: TopicLike, part: DigestPart) -> None:
        message = Message(
            body=part.message,
            subject=part.subject,
            group_id=part.group_id,
            deduplication_id=part.deduplication_id,
            is_structured=True,
        )
        is_answered = answer_of(lambda: _published(topic, message), lambda: self._stop.is_over(NOTICE_SECONDS))
        if not is_answered:
            raise SinkError("SNS did not answer before the run had to end", "run it again", "no-answer")

    def _was_heard(self, notice: Notice) -> bool:
        """Whether the owner was told, where owners are: otherwise the notice stays due though the digest has it."""
        return not self._channel.per_token or self._watch.due.is_taken(notice)

    def _mark(self, notices: list[Notice], sent: _Sent) -> None:
        if notices and self._watch.mark(notices, int(self._clock())):
            sent.taken += len(notices)

    def _remember(self, report: Report) -> None:
        run = report.run
        last = LastRun(run.id, int(run.started_at.timestamp()), int(run.finished_at.timestamp()), run.outcome.value)
        self._watch.remember(last)


class _Failures:
    """Messages that were not taken: for each reason how many, and the first few by name."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, error: JanitorError, notice: Notice) -> None:
        self._sentences.setdefault(error.code, str(error))
        self._counts[error.code] += 1
        named = self._named.setdefault(error.code, [])
        if len(named) < _MOST_NAMED:
            named.append(notice.crossing.fingerprint)

    def remarks(self) -> list[Remark]:
        return [
            Remark(where=_WHERE, code=code, message=self._message(code, count)) for code, count in self._counts.items()
        ]

    def _message(self, code: str, count: int) -> str:
        messages = f"{count:,} {'message' if count == 1 else 'messages'}"
        named = ", ".join(self._named[code])
        more = f" and {count - _MOST_NAMED:,} more" if count > _MOST_NAMED else ""
        return f"{messages} to owners not published, of {named}{more}: {self._sentences[code]}"


def _published(topic: TopicLike, message: Message) -> bool:
    topic.publish(message)
    return True


def _state_remark(error: JanitorError, *, was_sent: bool) -> Remark:
    nothing = "nothing was announced, for nobody can tell what was already"
    some = "not all of what was announced is remembered, so some will be announced again"
    return Remark(where="state", code=error.code, message=f"{some if was_sent else nothing}: {error}")


def _changes_warning(error: JanitorError | None) -> list[Remark]:
    if error is None:
        return []
    message = f"what changed since the last run is not known: {error}"
    return [Remark(where="state", code=error.code, message=message)]

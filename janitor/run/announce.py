"""The end of a run for those who are to hear of it: messages a token, the digest, and what is remembered of both.

    due notices ──per token──> taken or not ┐
         └───────digest parts─> taken ──────┴──> marked as announced        findings ──> snapshot for the next run

A notice is marked only after SNS took it, from both where both are asked for: a crash in between repeats a notice, and
loses none. Where the store does not work nothing is sent, because nobody can tell what was sent already.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from janitor.errors import JanitorError, SinkError, StopRequestedError
from janitor.ledger.interface import LastRun
from janitor.notify.content import Change, ChangeKind, DeletionCounts, DigestContent, Ending, NamedToken, is_news
from janitor.notify.notice import Event, Notice
from janitor.notify.parts import DigestPart, digest_parts
from janitor.notify.per_token import token_message
from janitor.report.model import Changes, NoticesPart, Remark, Report
from janitor.run.changes import changes_since
from janitor.run.findings import Told
from janitor.run.locked_out import PagesOfOwner
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.watch import FingerprintOf, Watch
from janitor.run.workers import answer_of
from janitor.sinks.sns import Message, Published
from janitor.tokens.crossing import Crossing

log = structlog.get_logger("janitor.notices")

_MARKED_AT_ONCE = 100
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
    """

    topic: TopicLike | None
    per_token: bool
    digest: str
    pointer: str | None


@dataclass(slots=True)
class _Sent:
    """What was published so far."""

    errors: list[Remark] = field(default_factory=list)
    taken: int = 0
    failed: set[Crossing] = field(default_factory=set)
    is_cut_short: bool = False
    digests: int = 0


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
    ) -> None:
        """Prepare; nothing is opened or sent."""
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
        if is_complete:
            report = self._with_changes(report)
        sent = _Sent()
        if self._watch.error is None and self._channel.topic is not None:
            self._publish(self._channel.topic, report, sent)
        if is_complete:
            self._remember(report)
        if self._watch.error is not None:
            sent.errors.append(_state_remark(self._watch.error))
        due = sum(1 for _ in self._marked_notices())
        part = NoticesPart(
            due=due, sent=sent.taken, failed=due - sent.taken, digests=sent.digests, state=self._watch.location
        )
        if self._channel.topic is None or self._watch.error is not None:
            part = part.model_copy(update={"failed": 0})
        return report.model_copy(update={"errors": [*report.errors, *sent.errors], "notices": part})

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._watch.close()

    def _with_changes(self, report: Report) -> Report:
        changes, units = changes_since(self._watch, self._pages_of_owner, self._fingerprint_of, self._stop)
        capacity = report.capacity.model_copy(update={"read_units": report.capacity.read_units + units})
        return report.model_copy(update={"changes": changes, "capacity": capacity})

    def _publish(self, topic: TopicLike, report: Report, sent: _Sent) -> None:
        content = self._content(report)
        wants_digest = self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))
        if self._channel.per_token:
            self._publish_each(topic, report, sent, marks=not wants_digest)
        if wants_digest:
            self._publish_digest(topic, content, sent)
        log.info("notices.published", due=len(self._watch.due), digests=sent.digests, taken=sent.taken)

    def _publish_each(self, topic: TopicLike, report: Report, sent: _Sent, *, marks: bool) -> None:
        """A message a notice; with `marks` they are marked here, for no digest will hold them."""
        underway: dict[str, Notice] = {}
        taken: list[Notice] = []
        errors: dict[str, tuple[str, int]] = {}
        try:
            with self._stop.waiting():
                for message, error in topic.publish_batches(self._messages(report, underway)):
                    notice = underway.pop(message.deduplication_id)
                    if error is None:
                        taken.append(notice)
                    else:
                        sent.failed.add(notice.crossing)
                        first, count = errors.get(error.code, (str(error), 0))
                        errors[error.code] = (first, count + 1)
                    if marks and len(taken) >= _MARKED_AT_ONCE:
                        self._mark(taken, sent)
                        taken = []
        except StopRequestedError:
            sent.is_cut_short = True
            message_left = "messages to owners were left for the next run: this one had to end"
            sent.errors.append(Remark(where=_WHERE, code="interrupted", message=message_left))
        if marks:
            self._mark(taken, sent)
        sent.errors += [_unpublished(code, *what) for code, what in errors.items()]

    def _messages(self, report: Report, underway: dict[str, Notice]) -> Iterator[Message]:
        table = report.table
        for notice in self._watch.due:
            made = token_message(notice, table.name, table.region, table.account_id)
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
                # Those that owners have not heard of by themselves stay due.
                if not sent.is_cut_short:
                    self._mark([notice for notice in part.notices if notice.crossing not in sent.failed], sent)
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

    def _mark(self, notices: list[Notice], sent: _Sent) -> None:
        marked = [notice for notice in notices if notice.event is not Event.DELETED]
        if marked:
            self._watch.mark(marked, int(self._clock()))
            sent.taken += len(marked)

    def _marked_notices(self) -> Iterator[Notice]:
        return (notice for notice in self._watch.due if notice.event is not Event.DELETED)

    def _remember(self, report: Report) -> None:
        run = report.run
        last = LastRun(run.id, int(run.started_at.timestamp()), int(run.finished_at.timestamp()), run.outcome.value)
        self._watch.remember(last)

    def _content(self, report: Report) -> DigestContent:
        deletion = report.deletion.model_dump(exclude={"plan"})
        return DigestContent(
            table=report.table.name,
            region=report.table.region,
            account=report.table.account_id,
            command=report.run.command,
            dry_run=report.run.dry_run,
            outcome=Ending(report.run.outcome.value),
            started_at=report.run.started_at.isoformat().replace("+00:00", "Z"),
            counts=report.counts.model_dump(),
            deletion=DeletionCounts(**deletion),
            notices=self._watch.due,
            changes=_said_changes(report.changes),
            locked_out=tuple(report.locked_out),
            unusual_days=tuple((day.day.isoformat(), day.expiring) for day in report.forecast if day.unusual),
            errors=tuple(error.message for error in report.errors),
            warnings=tuple(warning.message for warning in report.warnings),
            report_json=_without_findings(report),
            pointer=self._channel.pointer,
        )


def _unpublished(code: str, sentence: str, count: int) -> Remark:
    messages = f"{count:,} {'message' if count == 1 else 'messages'}"
    return Remark(where=_WHERE, code=code, message=f"{messages} to owners not published: {sentence}")


def _published(topic: TopicLike, message: Message) -> bool:
    topic.publish(message)
    return True


def _state_remark(error: JanitorError) -> Remark:
    message = f"nothing was announced, for nobody can tell what was already: {error}"
    return Remark(where="state", code=error.code, message=message)


def _said_changes(changes: Changes | None) -> Mapping[ChangeKind, Change] | None:
    if changes is None:
        return None
    return {
        kind: Change(
            (change := getattr(changes, kind.value)).count,
            tuple(NamedToken(token.fingerprint, token.username, token.name) for token in change.tokens),
        )
        for kind in ChangeKind
    }


def _without_findings(report: Report) -> str:
    content = json.loads(report.model_dump_json(by_alias=True, exclude={"findings"}))
    return json.dumps({**content, "findings": [], "findings_omitted": report.counts.scanned - report.counts.active})

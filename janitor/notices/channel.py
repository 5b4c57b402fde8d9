"""Where notices and digests go, whether a digest is worth sending, and the errors of messages that were not taken."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from janitor.background import wait_for_answer
from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.notices.audience import Audience, MessageKind
from janitor.notices.digest_content import DigestContent, is_news
from janitor.notices.digest_parts import DigestPart
from janitor.notices.notice import Notice
from janitor.notices.trouble import Trouble, TroubleMemory, find_trouble
from janitor.report.model import Outcome, Remark, Report
from janitor.sinks.sns import Message, PublishResult
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.tokens.words import format_count, list_some

log = get_logger("janitor.notices")

_MAX_NAMED = 10
WHERE = "notices"


class TopicLike(Protocol):
    """Where messages go, for example `janitor.sinks.sns.Topic`.

    Attributes:
        arn: the topic's name, different for every topic.
    """

    arn: str

    def publish(self, message: Message) -> None:
        """Publish one message. Raises SinkError."""

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[PublishResult]:
        """Publish many messages; yield each with what became of it. Never raises an error of the topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Who is notified, and when.

    Attributes:
        topic: where messages go; None where nothing is published, as in a dry run.
        per_token: whether to publish a message a notice.
        digest: `news`, `always` or `never`.
        pointer: where the full report is, None for nowhere.
        topic_arn: the topic's name, for a run that only says who would be notified.
        refusal: why nothing may be announced or remembered; None where it may.
        troubles: remembers how the last run ended; None where no store does.
    """

    topic: TopicLike | None
    per_token: bool
    digest: str
    pointer: str | None
    topic_arn: str | None = None
    refusal: Remark | None = None
    troubles: TroubleMemory | None = None

    @property
    def arn(self) -> str | None:
        """The topic's name, whether anything is published or not; None where there is no topic."""
        return self.topic_arn if self.topic is None else self.topic.arn

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Who is to hear of a token. Where no message is wanted, notices are due as if for a digest."""
        if self.arn is None:
            return ()
        kinds = [MessageKind.DIGEST] if self.digest != "never" or not self.per_token else []
        kinds += [MessageKind.OWNER] if self.per_token else []
        return tuple(Audience(kind, self.arn) for kind in kinds)

    @property
    def silenced_audiences(self) -> tuple[Audience, ...]:
        """Who is sent nothing by this run, and is not to be told of dead tokens later."""
        return (
            (Audience(MessageKind.DIGEST, self.topic.arn),) if self.topic is not None and self.digest == "never" else ()
        )


class TroubleComparison:
    """Compares how this run ended with how the last one did, for the digest."""

    def __init__(self, channel: Channel, report: Report) -> None:
        """Args: where the digest goes, and the run's report without what is announced."""
        self._channel = channel
        self._memory = channel.troubles if channel.topic is not None and channel.digest != "never" else None
        self._trouble = find_trouble(report)
        # A table that was left to another run may be well or not.
        self._saw_all_tables = all(table.outcome is not Outcome.SKIPPED for table in report.tables)
        self._last: Trouble | None = self._memory.last() if self._memory is not None else None

    def apply_to(self, content: DigestContent) -> DigestContent:
        """Add to the digest whether its trouble was told before, or is over."""
        if self._memory is None or self._last is None or (self._trouble is None and not self._saw_all_tables):
            return content
        if self._trouble is None:
            return replace(content, recovered_from=self._last.sentence if self._last.told_at else None)
        return replace(content, is_known_trouble=self._memory.is_known(self._trouble, self._last))

    def wants_digest(self, content: DigestContent) -> bool:
        """Whether the digest is to go out."""
        return self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))

    def remember(self, *, was_told: bool) -> None:
        """Remember how the run ended, and whether its digest went out."""
        if self._memory is not None and (self._trouble is not None or self._saw_all_tables):
            self._memory.remember(self._trouble, self._last, was_told=was_told)


class UnpublishedMessages:
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


def publish_part(topic: TopicLike, part: DigestPart, stop: Stop) -> None:
    """Publish a part of a digest. Raises SinkError, also where no answer comes before the run has to end."""
    message = Message(
        body=part.message,
        subject=part.subject,
        group_id=part.group_id,
        deduplication_id=part.deduplication_id,
        is_structured=True,
    )
    if not wait_for_answer(lambda: _publish(topic, message), lambda: stop.is_over(NOTICE_SECONDS)):
        raise SinkError("SNS did not answer before the run had to end", "run it again", "no-answer")


def digest_remark(error: JanitorError) -> Remark:
    """That a digest, or what was left of it, was not published."""
    log.error("digest.not_published", code=error.code, error=str(error))
    message = f"the digest was not published: {error}; its notices will be tried again next time"
    return Remark(where=WHERE, code=error.code, message=message)


def _publish(topic: TopicLike, message: Message) -> bool:
    topic.publish(message)
    return True

"""Where notices and digests go, and what is said of those that did not get there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from janitor.background import answer_of
from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.notices.audience import Audience, Kind
from janitor.notices.content import DigestContent, is_news
from janitor.notices.notice import Notice
from janitor.notices.parts import DigestPart
from janitor.notices.trouble import Trouble, TroubleMemory, trouble_of
from janitor.report.model import Outcome, Remark, Report
from janitor.sinks.sns import Message, Published
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.tokens.words import counted, list_some

log = get_logger("janitor.notices")

_MOST_NAMED = 10
WHERE = "notices"


class TopicLike(Protocol):
    """Where messages go. `janitor.sinks.sns.Topic` is one.

    Attributes:
        arn: what tells it from other topics.
    """

    arn: str

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
        audience: the topic's name, of a run that only says who would be told.
        refusal: why nothing may be announced or remembered, None where nothing speaks against it.
        troubles: what the last run ended with; None where nobody remembers.
    """

    topic: TopicLike | None
    per_token: bool
    digest: str
    pointer: str | None
    audience: str | None = None
    refusal: Remark | None = None
    troubles: TroubleMemory | None = None

    @property
    def arn(self) -> str | None:
        """Which topic it is about, told or not; None where there is none."""
        return self.audience if self.topic is None else self.topic.arn

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Who is to hear of a token. Where no message is wanted, what is due is still what a digest would hold."""
        if self.arn is None:
            return ()
        kinds = [Kind.DIGEST] if self.digest != "never" or not self.per_token else []
        kinds += [Kind.OWNER] if self.per_token else []
        return tuple(Audience(kind, self.arn) for kind in kinds)

    @property
    def wants_nothing(self) -> tuple[Audience, ...]:
        """Who is told nothing, and is to hear of no dead tokens later."""
        return (Audience(Kind.DIGEST, self.topic.arn),) if self.topic is not None and self.digest == "never" else ()


class Sameness:
    """How a run's end compares to that of the last one, and what that means for the digest."""

    def __init__(self, channel: Channel, report: Report) -> None:
        """Args: where the digest goes, and the report of the run but for what is announced."""
        self._channel = channel
        self._troubles = channel.troubles if channel.topic is not None and channel.digest != "never" else None
        self._trouble = trouble_of(report)
        # Of a table that was left to another run nobody knows whether it is well.
        self._is_whole = all(table.outcome is not Outcome.SKIPPED for table in report.tables)
        self._last: Trouble | None = self._troubles.last() if self._troubles is not None else None

    def added_to(self, content: DigestContent) -> DigestContent:
        """The digest, with what this run and the last one have in common."""
        if self._troubles is None or self._last is None or (self._trouble is None and not self._is_whole):
            return content
        if self._trouble is None:
            return replace(content, recovered_from=self._last.sentence if self._last.told_at else None)
        return replace(content, is_known_trouble=self._troubles.is_known(self._trouble, self._last))

    def wants(self, content: DigestContent) -> bool:
        """Whether the digest is to go out."""
        return self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))

    def settle(self, *, was_told: bool) -> None:
        """Remember how the run ended, and whether its digest went out."""
        if self._troubles is not None and (self._trouble is not None or self._is_whole):
            self._troubles.settle(self._trouble, self._last, was_told=was_told)


class Failures:
    """Messages that were not taken: for each reason how many, and the first few by name."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, error: JanitorError, notice: Notice) -> None:
        """Take one more, and why."""
        self._sentences.setdefault(error.code, str(error))
        self._counts[error.code] += 1
        named = self._named.setdefault(error.code, [])
        if len(named) < _MOST_NAMED:
            named.append(notice.crossing.fingerprint)

    def remarks(self) -> list[Remark]:
        """A remark for each reason."""
        return [
            Remark(where=WHERE, code=code, message=self._message(code, count)) for code, count in self._counts.items()
        ]

    def _message(self, code: str, count: int) -> str:
        named = list_some(self._named[code], _MOST_NAMED, total=count)
        return f"{counted(count, 'message')} to owners not published, of {named}: {self._sentences[code]}"


def publish_part(topic: TopicLike, part: DigestPart, stop: Stop) -> None:
    """Publish a part of a digest. Raises SinkError, also where no answer comes before the run has to end."""
    message = Message(
        body=part.message,
        subject=part.subject,
        group_id=part.group_id,
        deduplication_id=part.deduplication_id,
        is_structured=True,
    )
    if not answer_of(lambda: _published(topic, message), lambda: stop.is_over(NOTICE_SECONDS)):
        raise SinkError("SNS did not answer before the run had to end", "run it again", "no-answer")


def digest_remark(error: JanitorError) -> Remark:
    """That a digest, or what was left of it, was not published."""
    log.error("digest.not_published", code=error.code, error=str(error))
    message = f"the digest was not published: {error}; its notices will be tried again next time"
    return Remark(where=WHERE, code=error.code, message=message)


def _published(topic: TopicLike, message: Message) -> bool:
    topic.publish(message)
    return True

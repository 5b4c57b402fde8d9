"""Where notices and digests go, and what is said of those that did not get there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.notify.notice import Notice
from janitor.notify.parts import DigestPart
from janitor.report.model import Remark
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.workers import answer_of
from janitor.sinks.sns import Message, Published

log = get_logger("janitor.notices")

_MOST_NAMED = 10
WHERE = "notices"


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
        audience: the topic's name, of a run that only says who would be told.
        refusal: why nothing may be announced or remembered, None where nothing speaks against it.
    """

    topic: TopicLike | None
    per_token: bool
    digest: str
    pointer: str | None
    audience: str | None = None
    refusal: Remark | None = None


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
        messages = f"{count:,} {'message' if count == 1 else 'messages'}"
        named = ", ".join(self._named[code])
        more = f" and {count - _MOST_NAMED:,} more" if count > _MOST_NAMED else ""
        return f"{messages} to owners not published, of {named}{more}: {self._sentences[code]}"


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

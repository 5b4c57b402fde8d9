"""Where notices and digests go: a topic, and which audiences it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from janitor.notices.audience import Audience, MessageKind
from janitor.notices.run_problem import ProblemMemory
from janitor.report.model import Remark
from janitor.sinks.sns import Message, PublishResult

WHERE = "notices"


class PublishingTopic(Protocol):
    """Where messages go, for example `janitor.sinks.sns.Topic`.

    Attributes:
        arn: the topic's ARN.
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
        topic: where messages go; None if nothing is published, as in a dry run.
        per_token: whether to publish a message a notice.
        digest: `news`, `always` or `never`.
        full_report_location: where the full report is, None for nowhere.
        arn: the topic's ARN, also of a run that only says who would be notified; None if there is no topic.
        refusal: why nothing may be announced or remembered; None if it may.
        problems: remembers how the last run ended; None if no store does.
        has_chat_text: whether a chat app is to show the digest too.
    """

    topic: PublishingTopic | None
    per_token: bool
    digest: str
    full_report_location: str | None
    arn: str | None = None
    refusal: Remark | None = None
    problems: ProblemMemory | None = None
    has_chat_text: bool = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Who is notified about a token. If no message is wanted, notices are due as if for a digest."""
        if self.arn is None:
            return ()
        kinds = [MessageKind.DIGEST] if self.digest != "never" or not self.per_token else []
        kinds += [MessageKind.OWNER] if self.per_token else []
        return tuple(Audience(kind, self.arn) for kind in kinds)

    @property
    def silenced_audiences(self) -> tuple[Audience, ...]:
        """Who gets nothing from this run, and no notices of long-expired tokens later."""
        return (
            (Audience(MessageKind.DIGEST, self.topic.arn),) if self.topic is not None and self.digest == "never" else ()
        )

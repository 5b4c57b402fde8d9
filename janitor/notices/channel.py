"""Where notices and digests go, a topic or a service of `--notify`, and which audiences that has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from janitor.notices.address_book import AddressBook
from janitor.notices.audience import Audience, MessageKind
from janitor.notices.owner_text import OwnerMessageRules
from janitor.notices.run_problem import ProblemMemory
from janitor.report.model import Remark
from janitor.sinks.sns import Message, PublishResult

WHERE = "notices"

_NO_OWNER_RULES = OwnerMessageRules()


class PublishingTopic(Protocol):
    """Where messages go: `janitor.sinks.sns.Topic` or `janitor.sinks.service.Service`."""

    def publish(self, message: Message) -> None:
        """Publish one message. Raises SinkError."""

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[PublishResult]:
        """Publish many messages; yield each with what became of it. Never raises an error of the topic."""


class Destination(NamedTuple):
    """Whom a channel leads to.

    Attributes:
        id: names it in the store: the topic's ARN, or what stands for the URL of a service and does not tell it.
        label: what messages call it.
        max_length: how many characters a message to a service may have; None for a topic.
        is_mail: whether it is a service that sends mail.
    """

    id: str
    label: str
    max_length: int | None = None
    is_mail: bool = False

    @property
    def is_service(self) -> bool:
        """Whether it is a service of `--notify`, and no topic."""
        return self.max_length is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Who is notified, and when.

    Attributes:
        topic: where messages go; None if nothing is published, as in a dry run.
        per_token: whether to publish a message a notice; to a service only where it sends mail to owners' addresses.
        digest: `news`, `always` or `never`.
        full_report_location: where the full report is, None for nowhere.
        destination: the topic or service, also of a run that only says who would be notified; None if there is none.
        refusal: why nothing may be announced or remembered; None if it may.
        problems: remembers how the last run ended; None if no store does.
        has_chat_text: whether a chat app is to show the digest too.
        addresses: of the owners; None if none are known.
        owner_messages: how messages to owners are written.
    """

    topic: PublishingTopic | None
    per_token: bool
    digest: str
    full_report_location: str | None
    destination: Destination | None = None
    refusal: Remark | None = None
    problems: ProblemMemory | None = None
    has_chat_text: bool = False
    addresses: AddressBook | None = None
    owner_messages: OwnerMessageRules = _NO_OWNER_RULES

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Who is notified about a token. If no message is wanted, notices are due as if for a digest."""
        if self.destination is None:
            return ()
        kinds = [MessageKind.DIGEST] if self.digest != "never" or not self.per_token else []
        kinds += [MessageKind.OWNER] if self.per_token else []
        return tuple(Audience(kind, self.destination.id) for kind in kinds)

    @property
    def silenced_audiences(self) -> tuple[Audience, ...]:
        """Who gets nothing from this run, and no notices of long-expired tokens later."""
        if self.topic is None or self.destination is None or self.digest != "never":
            return ()
        return (Audience(MessageKind.DIGEST, self.destination.id),)

    @property
    def mails_owners(self) -> bool:
        """Whether messages to owners are mails, so that only owners with an address get one."""
        return self.destination is not None and self.destination.is_mail

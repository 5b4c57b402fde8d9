"""A topic of Amazon SNS: one message at a time, or many in batches.

A 200 answer does not mean that every entry was taken, and botocore retries requests, never entries. So every entry's
result is read, and what failed in passing is sent again, without what was taken.
"""

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.parsers import ResponseParserError

from janitor.aws.errors import DENIALS, PASSING_ERRORS, THROTTLES, aws_errors
from janitor.backoff import Backoff
from janitor.errors import JanitorError, SinkError
from janitor.tokens.redact import cut, without_keys

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# The permission that both Publish and PublishBatch ask for.
_PUBLISH = "sns:Publish"
_LOOK = "sns:GetTopicAttributes"

# Of one PublishBatch (API reference). A topic's MaximumMessageSize may allow more bytes; nothing here needs them.
_MOST_ENTRIES = 10
_MOST_BYTES = 262_144
_ATTRIBUTE_TYPE = "String"

# Sends of one entry, the first included.
_ROUNDS = 6
# About three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0

# SNS has its own names for what other services call otherwise, and some of them with and without "Exception".
_DENIED = DENIALS | {"AuthorizationError", "AuthorizationErrorException"}
_MISSING = frozenset({"NotFound", "NotFoundException"})
_THROTTLED = THROTTLES | {"Throttled", "ThrottledException", "KMSThrottling", "KMSThrottlingException"}
# "unreachable" is not among them: botocore has sent such a request several times, each up to its timeout.
_PASSING = (PASSING_ERRORS | _THROTTLED | {"InternalError", "InternalErrorException"}) - {"unreachable"}
# Of a request as a whole, though it may be one entry's fault.
_BAD_CONTENT = frozenset(
    {"BatchRequestTooLong", "InvalidParameter", "InvalidParameterException", "InvalidParameterValue"}
    | {"ParameterValueInvalid", "ValidationError", "ValidationException"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to publish.

    Attributes:
        body: the text; for a structured message a JSON object with a text a protocol, and one for `default`.
        group_id: what a FIFO topic keeps in order together; other topics never get it.
        deduplication_id: what a FIFO topic takes once in five minutes; other topics never get it.
        subject: of an e-mail: printable ASCII, at most 100 characters.
        attributes: for filter policies. One that is empty is left out, for SNS refuses it; so are all of a structured
            message, for SNS does not deliver them.
        is_structured: whether the body is for MessageStructure `json`.
    """

    body: str = field(repr=False)
    group_id: str
    deduplication_id: str
    subject: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_structured: bool = False

    @property
    def sent_attributes(self) -> Mapping[str, str]:
        """Those that SNS would deliver."""
        return {} if self.is_structured else {name: value for name, value in self.attributes.items() if value}

    @property
    def size(self) -> int:
        """Bytes, as SNS counts them: the body, and name, type and value of every attribute.

        That is what the API reference of MessageAttributeValue says. It is silent on the subject, which is counted too.
        """
        texts = [self.body, self.subject or ""]
        texts += [text for pair in self.sent_attributes.items() for text in (*pair, _ATTRIBUTE_TYPE)]
        return sum(len(text.encode(errors="replace")) for text in texts)


Published = tuple[Message, JanitorError | None]
"""A message, and why it was not published; None when SNS took it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of the messages of one request.

    Attributes:
        settled: those that were taken or refused.
        passing: those that may be taken the next time.
        error: what the request failed with as a whole.
    """

    settled: list[Published] = field(default_factory=list)
    passing: list[Published] = field(default_factory=list)
    error: SinkError | None = None


class Topic:
    """A topic to publish to. For one thread."""

    def __init__(
        self, client: "SNSClient", arn: str, pause: Callable[[float], bool], jitter: random.Random | None = None
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the topic's region.
            arn: of the form that `--sns-topic-arn` takes.
            pause: waits so many seconds, and says True when the run was asked to stop; asked with 0 before a batch.
            jitter: spreads the retries; None for one of its own.
        """
        self.arn = arn
        self.is_fifo = arn.endswith(".fifo")
        self._client: Any = client
        self._pause = pause
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, jitter)

    def problem(self) -> SinkError | None:
        """Why nothing could be published, found out without publishing; None when nothing speaks against it.

        A denial proves nothing: who may publish need not be allowed to look.
        """
        try:
            self._ask(_LOOK, self._client.get_topic_attributes)
        except SinkError as error:
            return None if error.code in _DENIED | _THROTTLED else error
        return None

    def publish(self, message: Message) -> None:
        """Publish one message.

        Raises:
            SinkError: SNS refused or could not be reached.
        """
        self._ask(_PUBLISH, self._client.publish, **self._parameters(message))

    def publish_batches(self, messages: Iterable[Message]) -> Iterator[Published]:
        """Publish all of them, ten a request; memory holds one batch. Never raises for what SNS does.

        An error that others would meet as well, such as a denial, ends it: the rest comes back with that error,
        unsent. So it does with the code `interrupted` once the run was asked to stop. A message that is sent again
        can come to its FIFO group behind a later one.

        Returns:
            every message with what became of it, as soon as that is known, so not strictly in order.
        """
        end: SinkError | None = None
        for batch in batches(messages):
            if end is None and self._pause(0):
                end = self._interrupted()
            if end is None:
                end = yield from self._settled(batch)
            else:
                yield from _all(batch, end)

    def _settled(self, batch: Sequence[Message]) -> Generator[Published, None, SinkError | None]:
        """Send a batch until every entry is settled; return why nothing more is worth sending."""
        answer = _Answer()
        for number in range(_ROUNDS):
            if number and self._pause(self._backoff.seconds(number)):
                yield from _all(batch, interrupted := self._interrupted())
                return interrupted
            answer = self._send(batch)
            yield from answer.settled
            if not answer.passing:
                return answer.error
            batch = [message for message, _ in answer.passing]
        yield from answer.passing
        return answer.error

    def _send(self, batch: Sequence[Message]) -> _Answer:
        # SNS wants ids that differ within a request, and nothing else.
        entries = [{"Id": str(number), **self._parameters(message)} for number, message in enumerate(batch)]
        try:
            response = self._ask(_PUBLISH, self._client.publish_batch, PublishBatchRequestEntries=entries)
        except SinkError as failure:
            return self._failed_as_a_whole(batch, failure)
        taken = {entry.get("Id") for entry in response.get("Successful", ())}
        failed = {entry.get("Id"): entry for entry in response.get("Failed", ())}
        answer = _Answer()
        for number, message in enumerate(batch):
            if str(number) in taken:
                answer.settled.append((message, None))
                continue
            entry = failed.get(str(number), {"Code": "corrupt-answer", "Message": "the answer does not tell"})
            place = answer.settled if entry.get("SenderFault") else answer.passing
            place.append((message, self._entry_failure(entry)))
        return answer

    def _failed_as_a_whole(self, batch: Sequence[Message], failure: SinkError) -> _Answer:
        all_failed = list(_all(batch, failure))
        if failure.code in _PASSING:
            return _Answer(passing=all_failed, error=failure)
        if failure.code not in _BAD_CONTENT or "TopicArn" in failure.sentence:
            return _Answer(all_failed, error=failure)
        return self._sent_one_by_one(batch) if len(batch) > 1 else _Answer(all_failed)

    def _sent_one_by_one(self, batch: Sequence[Message]) -> _Answer:
        """Find out whose content it is that SNS refuses, so that it does not keep the others back."""
        found = _Answer()
        for number, message in enumerate(batch):
            answer = self._send([message])
            found.settled.extend(answer.settled)
            found.passing.extend(answer.passing)
            if answer.error is not None and not answer.passing:
                rest = _all(batch[number + 1 :], answer.error)
                return _Answer([*found.settled, *found.passing, *rest], error=answer.error)
        return found

    def _ask(self, call: str, operation: Callable[..., Any], **parameters: Any) -> Any:
        try:
            with aws_errors(call, self.arn):
                return operation(TopicArn=self.arn, **parameters)
        except JanitorError as error:
            raise self._failure(error, call) from None
        except ResponseParserError:
            # No BotoCoreError, though botocore raises it for an answer that was cut short.
            raise SinkError(f"{call} on {self.arn}: the answer is damaged", "run it again", "corrupt-answer") from None

    def _parameters(self, message: Message) -> dict[str, Any]:
        """The parameters that Publish and an entry of PublishBatch have in common."""
        parameters: dict[str, Any] = {"Message": message.body}
        if message.subject:
            parameters["Subject"] = message.subject
        if message.is_structured:
            parameters["MessageStructure"] = "json"
        if attributes := message.sent_attributes:
            parameters["MessageAttributes"] = {
                name: {"DataType": _ATTRIBUTE_TYPE, "StringValue": value} for name, value in attributes.items()
            }
        if self.is_fifo:
            parameters |= {"MessageGroupId": message.group_id, "MessageDeduplicationId": message.deduplication_id}
        return parameters

    def _interrupted(self) -> SinkError:
        return SinkError(f"not published to {self.arn}: the run was asked to stop", "run it again", "interrupted")

    def _entry_failure(self, entry: Mapping[str, Any]) -> SinkError:
        code = str(entry.get("Code", "Unknown"))
        said = cut(without_keys(" ".join(str(entry.get("Message", "")).split())))
        return SinkError(f"{self.arn} did not take a message: {code}{said and f', {said}'}", code=code)

    def _failure(self, error: JanitorError, call: str) -> SinkError:
        """Our error for the translated one, where SNS's own names or the ARN tell more."""
        code, target, said = error.code, f"{call} on {self.arn}", error.sentence.partition(f" {error.code}: ")[2]
        if code in _DENIED - DENIALS:
            return SinkError(f"{target} was denied", f"allow {call} on it{said and f' ({said})'}", code)
        if code in _MISSING:
            return SinkError(f"the topic {self.arn} does not exist", self._region_way_out() or "check the ARN", code)
        if code in _THROTTLED:
            return SinkError(f"{target} was throttled, and stayed so", "try again later", code)
        if code.startswith("KMS"):
            return SinkError(error.sentence, "allow kms:GenerateDataKey and kms:Decrypt on the topic's key", code)
        return SinkError(error.sentence, (code in _BAD_CONTENT and self._region_way_out()) or error.way_out, code)

    def _region_way_out(self) -> str | None:
        topic, asked = self.arn.split(":")[3], self._client.meta.region_name
        return None if topic == asked else f"the topic is in {topic}, and {asked} was asked: give a topic of {asked}"


def batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Messages in their order, as many together as one request takes. One that is too long for any goes alone."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == _MOST_ENTRIES or size + message.size > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch


def _all(messages: Iterable[Message], error: SinkError) -> Iterator[Published]:
    """Each of them with the same error."""
    return ((message, error) for message in messages)

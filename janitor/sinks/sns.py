"""Publish messages to a topic of Amazon SNS, one at a time or in batches.

The status 200 does not mean that SNS accepted every entry of a batch, and botocore retries requests, never entries. So
every entry's result is read, and only entries that failed for the moment are sent again.
"""

import enum
import random
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.parsers import ResponseParserError

from janitor.aws.errors import DENIALS, THROTTLES, TRANSIENT_ERRORS, aws_errors
from janitor.backoff import Backoff
from janitor.errors import JanitorError, SinkError
from janitor.tokens.redact import remove_keys, shorten_text

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# The permission that both Publish and PublishBatch need.
_PUBLISH = "sns:Publish"
_GET_ATTRIBUTES = "sns:GetTopicAttributes"

# The limits of one PublishBatch (API reference). A topic's MaximumMessageSize may allow more bytes; nothing needs them.
_MAX_ENTRIES = 10
_MAX_BYTES = 262_144
_ATTRIBUTE_TYPE = "String"

# How often one entry is sent, the first time included.
_ROUNDS = 6
# About three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.1
_MAX_PAUSE_SECONDS = 5.0

# SNS has its own error codes, some of them with and without "Exception".
_DENIED = DENIALS | {"AuthorizationError", "AuthorizationErrorException"}
_MISSING = frozenset({"NotFound", "NotFoundException"})
_THROTTLED = THROTTLES | {"Throttled", "ThrottledException", "KMSThrottling", "KMSThrottlingException"}
# Without "unreachable": botocore has already sent such a request several times, each time up to its timeout.
_TRANSIENT = (TRANSIENT_ERRORS | _THROTTLED | {"InternalError", "InternalErrorException"}) - {"unreachable"}
# Errors of a request as a whole that a single entry may have caused.
_BAD_CONTENT = frozenset(
    {"BatchRequestTooLong", "InvalidParameter", "InvalidParameterException", "InvalidParameterValue"}
    | {"ParameterValueInvalid", "ValidationError", "ValidationException"}
)


class Severity(enum.Enum):
    """How bad the news of a message is, for services that show it or wake somebody."""

    INFO = enum.auto()
    WARNING = enum.auto()
    FAILURE = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to publish.

    Attributes:
        body: the text; for a structured message a JSON object with a text for each protocol, and one for `default`.
        group_id: a FIFO topic keeps the messages of one group in order; other topics do not get it.
        deduplication_id: a FIFO topic accepts each one once in five minutes; other topics do not get it.
        subject: the subject of an e-mail: printable ASCII, at most 100 characters.
        attributes: for filter policies. Empty ones are left out, because SNS refuses them. SNS delivers none with a
            structured message ("Amazon SNS message attributes", developer guide).
        is_structured: whether the body is for MessageStructure `json`.
        severity: how bad the news is; a topic does not get it.
    """

    body: str = field(repr=False)
    group_id: str
    deduplication_id: str
    subject: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_structured: bool = False
    severity: Severity = Severity.INFO

    @property
    def sent_attributes(self) -> Mapping[str, str]:
        """The attributes that SNS takes."""
        return {name: value for name, value in self.attributes.items() if value}

    @property
    def size(self) -> int:
        """The size in bytes as SNS counts it: the body, and the name, type and value of every attribute.

        So says the API reference of MessageAttributeValue. It does not mention the subject, which counts too.
        """
        texts = [self.body, self.subject or ""]
        texts += [text for pair in self.sent_attributes.items() for text in (*pair, _ATTRIBUTE_TYPE)]
        return sum(len(text.encode(errors="replace")) for text in texts)


PublishResult = tuple[Message, JanitorError | None]
"""A message, and why it was not published; None when SNS accepted it."""


@dataclass(frozen=True, slots=True)
class _RequestResult:
    """What became of the messages of one request.

    Attributes:
        final: messages that SNS accepted or refused.
        transient: messages that failed for the moment, and may be accepted the next time.
        error: why the request failed as a whole.
    """

    final: list[PublishResult] = field(default_factory=list)
    transient: list[PublishResult] = field(default_factory=list)
    error: SinkError | None = None


class Topic:
    """A topic to publish to. Not thread-safe."""

    def __init__(
        self, client: "SNSClient", arn: str, pause: Callable[[float], bool], jitter: random.Random | None = None
    ) -> None:
        """Prepare; sends nothing.

        Args:
            client: a client for the topic's region.
            arn: an ARN as `--sns-topic-arn` accepts it.
            pause: waits so many seconds, and returns True when the run was asked to stop; called with 0 before a batch.
            jitter: spreads the retries; None for a new one.
        """
        self.arn = arn
        self.is_fifo = arn.endswith(".fifo")
        self._client: Any = client
        self._pause = pause
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS, jitter)

    def find_problem(self) -> SinkError | None:
        """Find out, without publishing, why nothing could be published; None for no known reason.

        A denial is no reason: who may publish need not be allowed to read the topic's attributes.
        """
        try:
            self._call(_GET_ATTRIBUTES, self._client.get_topic_attributes)
        except SinkError as error:
            return None if error.code in _DENIED | _THROTTLED else error
        return None

    def publish(self, message: Message) -> None:
        """Publish one message.

        Raises:
            SinkError: SNS refused or could not be reached.
        """
        self._call(_PUBLISH, self._client.publish, **self._build_parameters(message))

    def publish_batches(self, messages: Iterable[Message]) -> Iterator[PublishResult]:
        """Publish messages, ten in each request; memory holds one batch. Never raises for a failure of SNS.

        An error that other messages would meet too, such as a denial, ends the publishing: the remaining messages are
        not sent, and get that error. They get one with the code `interrupted` once the run was asked to stop. A message
        that is sent again may arrive in its FIFO group after a later one.

        Returns:
            every message with what became of it, as soon as that is known, so not strictly in order.
        """
        end: SinkError | None = None
        for batch in split_into_batches(messages):
            if end is None and self._pause(0):
                end = self._interrupted_error()
            if end is None:
                end = yield from self._publish_batch(batch)
            else:
                yield from _with_error(batch, end)

    def _publish_batch(self, batch: Sequence[Message]) -> Generator[PublishResult, None, SinkError | None]:
        """Send a batch until the result of every entry is final; return why nothing more is worth sending."""
        answer = _RequestResult()
        for number in range(_ROUNDS):
            if number and self._pause(self._backoff.seconds(number)):
                yield from _with_error(batch, interrupted := self._interrupted_error())
                return interrupted
            answer = self._send(batch)
            yield from answer.final
            if not answer.transient:
                return answer.error
            batch = [message for message, _ in answer.transient]
        yield from answer.transient
        return answer.error

    def _send(self, batch: Sequence[Message]) -> _RequestResult:
        # SNS only requires ids that differ within a request.
        entries = [{"Id": str(number), **self._build_parameters(message)} for number, message in enumerate(batch)]
        try:
            response = self._call(_PUBLISH, self._client.publish_batch, PublishBatchRequestEntries=entries)
        except SinkError as error:
            return self._handle_failed_request(batch, error)
        accepted = {entry.get("Id") for entry in response.get("Successful", ())}
        failed = {entry.get("Id"): entry for entry in response.get("Failed", ())}
        answer = _RequestResult()
        for number, message in enumerate(batch):
            if str(number) in accepted:
                answer.final.append((message, None))
                continue
            entry = failed.get(str(number), {"Code": "corrupt-answer", "Message": "the answer does not name it"})
            results = answer.final if entry.get("SenderFault") else answer.transient
            results.append((message, self._entry_error(entry)))
        return answer

    def _handle_failed_request(self, batch: Sequence[Message], error: SinkError) -> _RequestResult:
        failed = list(_with_error(batch, error))
        if error.code in _TRANSIENT:
            return _RequestResult(transient=failed, error=error)
        if error.code not in _BAD_CONTENT or "TopicArn" in error.sentence:
            return _RequestResult(failed, error=error)
        return self._send_one_by_one(batch) if len(batch) > 1 else _RequestResult(failed)

    def _send_one_by_one(self, batch: Sequence[Message]) -> _RequestResult:
        """Find out which message SNS refuses for its content, so that the others of its batch are published."""
        combined = _RequestResult()
        for number, message in enumerate(batch):
            answer = self._send([message])
            combined.final.extend(answer.final)
            combined.transient.extend(answer.transient)
            if answer.error is not None and not answer.transient:
                rest = _with_error(batch[number + 1 :], answer.error)
                return _RequestResult([*combined.final, *combined.transient, *rest], error=answer.error)
        return combined

    def _call(self, call: str, operation: Callable[..., Any], **parameters: Any) -> Any:
        try:
            with aws_errors(call, self.arn):
                return operation(TopicArn=self.arn, **parameters)
        except JanitorError as error:
            raise self._explain(error, call) from None
        except ResponseParserError:
            # botocore raises it for a truncated answer, and it is not a BotoCoreError.
            raise SinkError(f"{call} on {self.arn}: the answer is damaged", "run it again", "corrupt-answer") from None

    def _build_parameters(self, message: Message) -> dict[str, Any]:
        """Build the parameters that Publish and an entry of PublishBatch have in common."""
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

    def _interrupted_error(self) -> SinkError:
        return SinkError(f"not published to {self.arn}: the run was asked to stop", "run it again", "interrupted")

    def _entry_error(self, entry: Mapping[str, Any]) -> SinkError:
        code = str(entry.get("Code", "Unknown"))
        message = shorten_text(remove_keys(" ".join(str(entry.get("Message", "")).split())))
        return SinkError(f"{self.arn} did not accept a message: {code}{message and f', {message}'}", code=code)

    def _explain(self, error: JanitorError, call: str) -> SinkError:
        """Build the error for the translated one; SNS's own codes and the ARN tell more."""
        code, target, message = error.code, f"{call} on {self.arn}", error.sentence.partition(f" {error.code}: ")[2]
        if code in _DENIED - DENIALS:
            return SinkError(f"{target} was denied", f"allow {call} on it{message and f' ({message})'}", code)
        if code in _MISSING:
            return SinkError(f"the topic {self.arn} does not exist", self._region_way_out() or "check the ARN", code)
        if code in _THROTTLED:
            return SinkError(f"{target} was throttled in every attempt", "try again later", code)
        if code.startswith("KMS"):
            return SinkError(error.sentence, "allow kms:GenerateDataKey and kms:Decrypt on the topic's key", code)
        return SinkError(error.sentence, (code in _BAD_CONTENT and self._region_way_out()) or error.way_out, code)

    def _region_way_out(self) -> str | None:
        region, ours = self.arn.split(":")[3], self._client.meta.region_name
        return None if region == ours else f"the topic is in {region}, and the run in {ours}: give a topic in {ours}"


def split_into_batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Split messages, in their order, into batches that fit into one request. A message too long for any goes alone."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == _MAX_ENTRIES or size + message.size > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch


def _with_error(messages: Iterable[Message], error: SinkError) -> Iterator[PublishResult]:
    return ((message, error) for message in messages)

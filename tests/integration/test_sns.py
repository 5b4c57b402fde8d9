"""What reaches the subscribers of a topic, and what becomes of it when SNS does not take it."""

import itertools
import json
import random
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy_boto3_sns import SNSClient
from mypy_boto3_sqs import SQSClient

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.errors import JanitorError, SinkError
from janitor.settings.parsers import parse_topic_arn
from janitor.sinks.sns import Message, PublishResult, Topic, split_into_batches
from tests.servers import microburst
from tests.sns_stub import client_of, refused, stub, taken_but

ARN = "arn:aws:sns:us-east-1:000000000000:tokens"
LIMIT = 262_144
NAMES = (f"topic-{number}" for number in itertools.count(1))


def message(body: str, **attributes: str) -> Message:
    return Message(body=body, group_id="tokens", deduplication_id=f"id-{body}", attributes=attributes)


def numbered(count: int) -> list[Message]:
    return [message(f"m{number}") for number in range(count)]


def topic_at(client: SNSClient, arn: str = ARN, pause: Callable[[float], bool] = lambda _: False) -> Topic:
    return Topic(client, arn, pause, random.Random(0))


def outcomes(published: Iterable[PublishResult]) -> dict[str, str | None]:
    return {each.body: None if error is None else error.code for each, error in published}


@pytest.fixture(scope="module")
def sns(ministack_url: str) -> Iterator[SNSClient]:
    with client_of(ministack_url) as client:
        yield client


@pytest.fixture(scope="module")
def sqs(ministack_url: str) -> Iterator[SQSClient]:
    client: SQSClient = boto3.client("sqs", endpoint_url=ministack_url)
    yield client
    client.close()


def subscribed(sns: SNSClient, sqs: SQSClient, arn: str, **attributes: str) -> str:
    """The URL of a new queue that gets what is published."""
    is_fifo = arn.endswith(".fifo")
    name = f"{next(NAMES)}{'.fifo' if is_fifo else ''}"
    queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if is_fifo else {})["QueueUrl"]
    endpoint = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
    return queue


def received(sqs: SQSClient, queue: str) -> list[Any]:
    """What is in the queue, in its order, with all attributes."""
    found: list[Any] = []
    while got := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages"):
        found += got
        for each in got:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return found


def test_what_is_published_arrives_with_its_subject_and_attributes_in_an_envelope(
    ministack_url: str, sqs: SQSClient
) -> None:
    aws = AwsSession(AwsAccess(endpoint_url=ministack_url))  # the client that runs use
    arn = aws.sns.create_topic(Name=next(NAMES))["TopicArn"]
    queue = subscribed(aws.sns, sqs, arn)
    sent = Message(body="3 tökens", group_id="", deduplication_id="", subject="janitor", attributes={"a": "b", "c": ""})
    topic_at(aws.sns, arn).publish(sent)
    aws.sns.close()
    [arrived] = [json.loads(each["Body"]) for each in received(sqs, queue)]
    assert (arrived["Message"], arrived["Subject"]) == ("3 tökens", "janitor")
    assert arrived["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_filter_policy_gives_every_owner_their_own_messages_only(sns: SNSClient, sqs: SQSClient, raw: str) -> None:
    arn = sns.create_topic(Name=next(NAMES))["TopicArn"]
    everything = subscribed(sns, sqs, arn, RawMessageDelivery=raw)
    policy = json.dumps({"username": ["ada"], "event": ["token.expiring"]})
    own = subscribed(sns, sqs, arn, RawMessageDelivery=raw, FilterPolicy=policy)
    sent = [
        message(f"m{number}", username=user, event=event)
        for number, (user, event) in enumerate(itertools.product(["ada", "bob", "eve"], ["token.expiring", "x"] * 3))
    ]
    assert set(outcomes(topic_at(sns, arn).publish_batches(sent)).values()) == {None}

    def bodies(queue: str) -> list[str]:
        got = received(sqs, queue)
        if raw == "true":
            assert all(each["MessageAttributes"].keys() == {"username", "event"} for each in got)
        return [each["Body"] if raw == "true" else json.loads(each["Body"])["Message"] for each in got]

    assert sorted(bodies(everything)) == sorted(each.body for each in sent)
    assert sorted(bodies(own)) == ["m0", "m2", "m4"]


def test_a_structured_message_gives_each_protocol_its_text_and_filter_policies_its_attributes(
    sns: SNSClient, sqs: SQSClient
) -> None:
    arn = sns.create_topic(Name=next(NAMES))["TopicArn"]
    queue = subscribed(sns, sqs, arn, FilterPolicy=json.dumps({"a": ["b"]}))
    other = subscribed(sns, sqs, arn, FilterPolicy=json.dumps({"a": ["c"]}))
    body = json.dumps({"default": "prose", "sqs": '{"counts": 1}'})
    sent = Message(body=body, group_id="g", deduplication_id="d", attributes={"a": "b"}, is_structured=True)
    topic_at(sns, arn).publish(sent)
    [arrived] = [json.loads(each["Body"]) for each in received(sqs, queue)]
    assert json.loads(arrived["Message"]) == {"counts": 1}
    # ministack also delivers the attributes; SNS does not.
    assert received(sqs, other) == []


def test_a_fifo_topic_keeps_the_order_and_takes_the_same_message_once(sns: SNSClient, sqs: SQSClient) -> None:
    arn = sns.create_topic(Name=f"{next(NAMES)}.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    queue = subscribed(sns, sqs, arn, RawMessageDelivery="true")
    for _ in range(2):
        assert set(outcomes(topic_at(sns, arn).publish_batches(numbered(12))).values()) == {None}
    topic_at(sns, arn).publish(numbered(1)[0])
    got = received(sqs, queue)
    assert [each["Body"] for each in got] == [f"m{number}" for number in range(12)]
    assert {each["Attributes"]["MessageGroupId"] for each in got} == {"tokens"}


def test_a_standard_topic_never_gets_what_is_for_fifo_topics() -> None:
    with stub(lambda sent: taken_but({}, sent)) as (running, client):
        assert outcomes(topic_at(client).publish_batches(numbered(2))) == {"m0": None, "m1": None}
        assert outcomes(topic_at(client, f"{ARN}.fifo").publish_batches(numbered(1))) == {"m0": None}
    standard, fifo = (" ".join(each) for each in running.parameters)
    assert ("Group" in standard, "Dedup" in standard, "Group" in fifo, "Dedup" in fifo) == (False, False, True, True)


def test_ten_thousand_messages_take_a_thousand_requests_and_are_not_gathered_first() -> None:
    taken = itertools.count(1)
    with stub(lambda sent: taken_but({}, sent)) as (running, client):
        source = (message(f"m{number}") for number in range(10_000))
        ahead = [next(taken) for _, error in topic_at(client).publish_batches(source) if error is None]
    assert (len(running.requests), ahead[-1]) == (1_000, 10_000)


@given(st.lists(st.integers(0, LIMIT + 10), max_size=40))
def test_a_batch_is_never_more_than_sns_takes_and_nothing_is_lost(sizes: list[int]) -> None:
    made = [message("é" * (size // 2), a="ö") for size in sizes]
    found = list(split_into_batches(made))
    assert [each for batch in found for each in batch] == made
    assert all(len(batch) <= 10 for batch in found)
    assert all(len(batch) == 1 or sum(each.size for each in batch) <= LIMIT for batch in found)
    assert all(each.size == len(each.body.encode()) + len("a") + len("String") + 2 for each in made)


def test_entries_that_fail_in_passing_are_sent_again_without_the_others_and_no_sender_fault_is() -> None:
    answers = iter([{"m1": ("InternalError", False), "m2": ("InvalidParameter", True)}, {}])
    with stub(lambda sent: taken_but(next(answers), sent)) as (running, client):
        published = list(topic_at(client).publish_batches(numbered(4)))
    assert running.requests == [["m0", "m1", "m2", "m3"], ["m1"]]
    assert outcomes(published) == {"m0": None, "m1": None, "m2": "InvalidParameter", "m3": None}


def test_an_entry_that_keeps_failing_is_given_up_and_the_next_batch_is_sent() -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    with stub(lambda sent: taken_but({"m1": ("Throttled", False)}, sent)) as (running, client):
        published = outcomes(topic_at(client, pause=pause).publish_batches(numbered(11)))
    assert running.requests[1:] == [["m1"]] * 5 + [["m10"]]
    assert {body for body, code in published.items() if code} == {"m1"}
    waits = [seconds for seconds in pauses if seconds]
    assert len(waits) == 5
    assert all(seconds <= 0.1 * 2**number for number, seconds in enumerate(waits, start=1))


def test_a_message_that_the_answer_says_nothing_of_is_sent_again() -> None:
    answers = iter([taken_but({}, ["m0"]), taken_but({}, ["m1"])])
    with stub(lambda _: next(answers)) as (running, client):
        assert outcomes(topic_at(client).publish_batches(numbered(2))) == {"m0": None, "m1": None}
    assert running.requests == [["m0", "m1"], ["m1"]]


def test_one_message_that_makes_sns_refuse_a_batch_does_not_keep_the_others_back() -> None:
    def picky(sent: list[str]) -> tuple[int, str]:
        return refused(400, "InvalidParameter", "bad character") if "m1" in sent else taken_but({}, sent)

    with stub(picky) as (_, client):
        published = outcomes(topic_at(client).publish_batches(numbered(12)))
    assert {body: code for body, code in published.items() if code} == {"m1": "InvalidParameter"}


@pytest.mark.parametrize(
    ("answer", "requests", "words"),
    [
        (refused(403, "AuthorizationError", "user x may not"), 1, "denied; allow sns:Publish on it (user x may not)"),
        (refused(404, "NotFound"), 1, "does not exist; check the ARN"),
        (refused(400, "InvalidParameter", "Invalid parameter: TopicArn"), 1, "Invalid parameter: TopicArn"),
        (refused(400, "KMSAccessDenied"), 1, "allow kms:GenerateDataKey and kms:Decrypt"),
        (refused(400, "Throttling"), 6, "was throttled in every attempt; try again later"),
        ((200, "<cut"), 6, "corrupt-answer"),
    ],
)
def test_an_error_that_all_would_meet_ends_the_sending_and_names_the_way_out(
    answer: tuple[int, str], requests: int, words: str
) -> None:
    with stub(lambda _: answer) as (running, client):
        published = list(topic_at(client).publish_batches(numbered(25)))
    assert [each.body for each, _ in published] == [f"m{number}" for number in range(25)]
    errors: list[JanitorError | None] = [error for _, error in published]
    assert all(isinstance(error, SinkError) and ARN in str(error) for error in errors)
    assert len(running.requests) == requests
    assert words in f"{errors[0]} {errors[0] and errors[0].code}"


@pytest.mark.parametrize("asked", [0, 1])
def test_a_request_to_stop_sends_nothing_more(asked: int) -> None:
    stops = iter([False] * asked + [True] * 5)
    with stub(lambda sent: taken_but({"m3": ("InternalError", False)}, sent)) as (running, client):
        published = outcomes(topic_at(client, pause=lambda _: next(stops)).publish_batches(numbered(15)))
    unsent = {body for body, code in published.items() if code == "interrupted"}
    assert len(running.requests) == asked
    assert unsent == ({"m3", *(f"m{number}" for number in range(10, 15))} if asked else set(published))


def test_throttled_and_reset_requests_are_sent_again_by_botocore(
    ministack_url: str, sns: SNSClient, sqs: SQSClient
) -> None:
    arn = sns.create_topic(Name=next(NAMES))["TopicArn"]
    queue = subscribed(sns, sqs, arn, RawMessageDelivery="true")
    fault = {"service": "sns", "operation": "PublishBatch", "times": 1}
    with microburst(ministack_url) as proxy, client_of(proxy.url, attempts=4) as client:
        proxy.rules([{**fault, "error": {"code": "Throttling"}}, {**fault, "reset": True}])
        assert set(outcomes(topic_at(client, arn).publish_batches(numbered(20))).values()) == {None}
        assert len(proxy.fired()) == 2
    assert sorted(each["Body"] for each in received(sqs, queue)) == sorted(each.body for each in numbered(20))


def test_a_missing_topic_is_found_before_anything_is_sent(sns: SNSClient) -> None:
    arn = sns.create_topic(Name=next(NAMES))["TopicArn"]
    assert topic_at(sns, arn).find_problem() is None
    for missing, way_out in ((f"{arn}x", "check the ARN"), (ARN.replace("us-east-1", "eu-west-3"), "is in eu-west-3")):
        problem = topic_at(sns, missing).find_problem()
        assert isinstance(problem, SinkError)
        assert f"the topic {missing} does not exist; " in str(problem)
        assert way_out in str(problem)
        with pytest.raises(SinkError, match="does not exist"):
            topic_at(sns, missing).publish(numbered(1)[0])


def test_a_denied_look_at_the_topic_is_no_problem() -> None:
    with stub(lambda _: refused(403, "AuthorizationError")) as (_, client):
        assert topic_at(client).find_problem() is None
        with pytest.raises(SinkError, match=r"sns:Publish on .* was denied; allow sns:Publish on it"):
            topic_at(client).publish(numbered(1)[0])


def test_an_endpoint_that_never_answers_fails_all_after_one_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with client_of(url, timeout=1) as client:
            with pytest.raises(SinkError, match=r"sns:Publish on .* timeout") as failure:
                topic_at(client).publish(numbered(1)[0])
            published = outcomes(topic_at(client).publish_batches(numbered(30)))
    assert failure.value.code == "unreachable"
    assert set(published.values()) == {"unreachable"}


@pytest.mark.parametrize("arn", [ARN, f"{ARN}.fifo", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a-b_C1"])
def test_a_topics_arn_is_taken(arn: str) -> None:
    assert parse_topic_arn(arn) == arn


@pytest.mark.parametrize("text", ["", "tokens", f"{ARN}:0b1c", ARN.replace("sns", "sqs"), f"{ARN}\n", f"{ARN}.fifo.x"])
def test_what_is_no_topics_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a topic's ARN"):
        parse_topic_arn(text)

"""A topic that queues listen to, and runs that announce to it: what was published is read back from the queues."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_sns import SNSClient
from mypy_boto3_sqs import SQSClient

from tests.command import Finished, janitor
from tests.sweeping import DAY
from tests.tables import Item, create_table, modern

_MOST_READS = 2_000


def due_rows(*days: float, **attributes: object) -> list[Item]:
    """Rows that expire so many days from now, half an hour later; days before now are negative."""
    now = int(time.time()) + 1_800
    return [modern(f"due in {day}", now + int(day * DAY), **attributes) for day in days]


@dataclass(frozen=True)
class Queue:
    """A queue that a topic delivers to."""

    client: SQSClient
    url: str

    def take(self) -> list[dict[str, Any]]:
        """Every message that has arrived: what SNS wraps it in, with `Message` as it was published."""
        taken: list[dict[str, Any]] = []
        for _ in range(_MOST_READS):
            messages = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                return taken
            for message in messages:
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        raise AssertionError("the queue does not run empty")

    def bodies(self) -> list[dict[str, Any]]:
        """The JSON that each message holds."""
        return [json.loads(message["Message"]) for message in self.take()]


@dataclass(frozen=True)
class Loudspeaker:
    """A topic, and the clients to listen to it with."""

    arn: str
    sns: SNSClient
    sqs: SQSClient

    def queue(self, name: str, filter_policy: dict[str, Any] | None = None, **attributes: str) -> Queue:
        """A new queue that hears what passes the filter."""
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {} if filter_policy is None else {"FilterPolicy": json.dumps(filter_policy)}
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn, Attributes=policy)
        return Queue(self.sqs, url)


@contextmanager
def loudspeaker(url: str, name: str) -> Iterator[Loudspeaker]:
    """A new topic."""
    sns: SNSClient = boto3.client("sns", endpoint_url=url)
    sqs: SQSClient = boto3.client("sqs", endpoint_url=url)
    is_fifo = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
    arn = sns.create_topic(Name=name, Attributes=is_fifo)["TopicArn"]
    yield Loudspeaker(arn, sns, sqs)
    sns.delete_topic(TopicArn=arn)
    sns.close()
    sqs.close()


@dataclass(frozen=True)
class Announced:
    """A finished run, and its report."""

    finished: Finished
    report: dict[str, Any]

    @property
    def notices(self) -> dict[str, Any]:
        """What the report says of them."""
        part: dict[str, Any] = self.report["notices"]
        return part


@dataclass(frozen=True)
class Runs:
    """Runs over one table that announce to one topic, and remember in one place."""

    url: str
    table: str
    arn: str
    state: str

    def run(self, *options: str, command: str = "scan", **arguments: Any) -> Announced:
        """One run."""
        where = ("--table", self.table, "--endpoint-url", self.url)
        told = ("--sns-topic-arn", self.arn, "--state-url", self.state)
        finished = janitor(command, *where, *told, *options, **{"timeout": 120, **arguments})
        return Announced(finished, json.loads(finished.out) if finished.out else {})


def state_in(folder: Path) -> str:
    """A file for what runs remember."""
    return f"sqlite:///{folder}/state.sqlite"


@pytest.fixture
def dynamodb(ministack_url: str) -> Iterator[DynamoDBClient]:
    client: DynamoDBClient = boto3.client("dynamodb", endpoint_url=ministack_url)
    yield client
    client.close()


@pytest.fixture
def topic(ministack_url: str, table_number: Callable[[], int]) -> Iterator[Loudspeaker]:
    with loudspeaker(ministack_url, f"topic-{table_number()}") as made:
        yield made


@pytest.fixture
def runs(
    ministack_url: str, dynamodb: DynamoDBClient, topic: Loudspeaker, table_number: Callable[[], int], tmp_path: Path
) -> Iterator[Callable[..., Runs]]:
    made = []

    def make(*rows: Item, state: str | None = None, hashed: bool = True, arn: str | None = None) -> Runs:
        table = f"announced-{table_number():04}"
        create_table(dynamodb, table, hashed=hashed, rows=rows)
        made.append(table)
        return Runs(ministack_url, table, arn or topic.arn, state or state_in(tmp_path))

    yield make
    for table in made:
        dynamodb.delete_table(TableName=table)

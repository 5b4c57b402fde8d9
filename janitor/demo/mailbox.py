"""An owner's mailbox in the demo: a queue that a topic sends that owner's messages to, and no other's."""

import json
from typing import TYPE_CHECKING, NamedTuple, cast

import botocore.session

from janitor.aws.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_NAME = "token-notices"
_WAIT_SECONDS = 2


class ReceivedMessage(NamedTuple):
    """A message as a mail program would show it."""

    subject: str
    text: str


class Mailbox:
    """A topic, and a queue that has subscribed to the messages about one owner's tokens.

    Attributes:
        topic_arn: the topic.
        owner: the owner's name.
    """

    def __init__(self, owner: str) -> None:
        """Make both, where the variables of the environment point to.

        Raises:
            AwsError: that failed.
        """
        session = botocore.session.Session()
        self.owner = owner
        with aws_errors("making a topic and a queue"):
            sns = cast("SNSClient", session.create_client("sns"))
            self._sqs = cast("SQSClient", session.create_client("sqs"))
            self.topic_arn = sns.create_topic(Name=_NAME)["TopicArn"]
            self._queue_url = self._sqs.create_queue(QueueName=_NAME)["QueueUrl"]
            attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
            sns.subscribe(
                TopicArn=self.topic_arn,
                Protocol="sqs",
                Endpoint=attributes["Attributes"]["QueueArn"],
                Attributes={"FilterPolicy": json.dumps({"username": [owner]})},
            )

    def read(self) -> list[ReceivedMessage]:
        """Return the messages that have arrived, at most ten; wait two seconds for the first.

        Raises:
            AwsError: the queue cannot be read.
        """
        with aws_errors("sqs:ReceiveMessage", "the queue of the demo"):
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT_SECONDS
            )
        envelopes = [json.loads(message["Body"]) for message in answer.get("Messages", ())]
        return [ReceivedMessage(each["Subject"], json.loads(each["Message"])["text"]) for each in envelopes]

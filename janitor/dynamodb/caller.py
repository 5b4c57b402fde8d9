"""Who the credentials are, as AWS itself says."""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from janitor.aws.errors import aws_errors
from janitor.dynamodb.client import Aws

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_CALL = "sts:GetCallerIdentity"


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        arn: of the user or the role's session.
        account_id: theirs.
    """

    arn: str
    account_id: str


class IdentifiedAws(Aws):
    """The clients of one run, and what says whose they are."""

    @cached_property
    def sts(self) -> "STSClient":
        """A client for the Security Token Service."""
        client: STSClient = self._client("sts")
        return client

    def caller(self) -> Caller:
        """Who the credentials are. No permission is needed for that.

        Raises:
            ConfigurationError: there are none.
            AwsError: AWS does not accept them, or could not be reached.
        """
        with aws_errors(_CALL):
            answer = self.sts.get_caller_identity()
            return Caller(answer["Arn"], answer["Account"])

"""Ask AWS whose the credentials are."""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from janitor.aws.errors import aws_errors
from janitor.dynamodb.client import AwsSession

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_CALL = "sts:GetCallerIdentity"


class Caller(NamedTuple):
    """The identity behind the credentials.

    Attributes:
        arn: the ARN of the user or of the role's session.
        account_id: the number of their account.
    """

    arn: str
    account_id: str


class IdentifiedSession(AwsSession):
    """The clients of one run, which can also say whose credentials they use."""

    @cached_property
    def sts(self) -> "STSClient":
        """A client for the Security Token Service."""
        client: STSClient = self._client("sts")
        return client

    def caller(self) -> Caller:
        """Return whose the credentials are. This needs no permission.

        Raises:
            ConfigurationError: there are no credentials.
            AwsError: AWS does not accept them, or could not be reached.
        """
        with aws_errors(_CALL):
            answer = self.sts.get_caller_identity()
            return Caller(answer["Arn"], answer["Account"])

"""Objects under a prefix of an S3 bucket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from janitor.aws.errors import DENIALS, aws_errors
from janitor.errors import JanitorError, SinkError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# An answer to HeadBucket has no body, so its error codes are HTTP statuses.
_NO_BUCKET = "404"
_DENIED = DENIALS | {"403"}


class S3Folder:
    """A bucket and a prefix; a name is appended to the prefix unchanged.

    Attributes:
        location: `s3://bucket/prefix`.
    """

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self.location = f"s3://{bucket}/{prefix}"

    def put(self, name: str, content: bytes) -> None:
        """Store an object as a whole; it is stored safely when this returns.

        Raises:
            SinkError: S3 refused or could not be reached.
        """
        key = f"{self._prefix}{name}"
        try:
            with aws_errors("s3:PutObject", f"s3://{self._bucket}/{key}"):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        except JanitorError as error:
            raise SinkError(error.sentence, error.way_out, error.code) from None

    def find_problem(self) -> str | None:
        """Say why objects cannot be stored here, as far as HeadBucket tells; None for no known reason.

        A denial is no reason: who may not ask for the bucket may still be allowed to store objects.
        """
        try:
            with aws_errors("s3:HeadBucket", f"s3://{self._bucket}"):
                self._client.head_bucket(Bucket=self._bucket)
        except JanitorError as error:
            if error.code == _NO_BUCKET:
                return f"there is no bucket {self._bucket}; check its name and the account"
            return None if error.code in _DENIED else str(error)
        return None

    def names(self) -> Iterator[str]:
        """List the names of all objects under the prefix, in order.

        Raises:
            AwsError: S3 refused or could not be reached.
        """
        pages = self._client.get_paginator("list_objects_v2")
        with aws_errors("s3:ListBucket", self.location):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self._prefix)

    def get(self, name: str) -> bytes:
        """Read an object's content.

        Raises:
            AwsError: there is no such object, or S3 refused.
        """
        key = f"{self._prefix}{name}"
        with aws_errors("s3:GetObject", f"s3://{self._bucket}/{key}"):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

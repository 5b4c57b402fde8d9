"""Objects below a prefix of an S3 bucket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from janitor.aws.errors import DENIALS, aws_errors
from janitor.errors import JanitorError, SinkError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What HeadBucket answers has no body, and so no name for what is wrong.
_NO_BUCKET = "404"
_DENIED = DENIALS | {"403"}


class S3Folder:
    """A bucket and a prefix; names are put behind the prefix as they are.

    Attributes:
        location: `s3://bucket/prefix`.
    """

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self.location = f"s3://{bucket}/{prefix}"

    def put(self, name: str, content: bytes) -> None:
        """Store an object, whole; it is on several machines when this returns.

        Raises:
            SinkError: S3 refused or could not be reached.
        """
        key = f"{self._prefix}{name}"
        try:
            with aws_errors("s3:PutObject", f"s3://{self._bucket}/{key}"):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        except JanitorError as error:
            raise SinkError(error.sentence, error.way_out, error.code) from None

    def problem(self) -> str | None:
        """What speaks against storing objects here, as far as looking at the bucket tells; None for nothing.

        Whoever may not look may be allowed to store all the same.
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
        """The names of all objects below the prefix, in order.

        Raises:
            AwsError: S3 refused or could not be reached.
        """
        pages = self._client.get_paginator("list_objects_v2")
        with aws_errors("s3:ListBucket", self.location):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self._prefix)

    def get(self, name: str) -> bytes:
        """The object's content.

        Raises:
            AwsError: there is no such object, or S3 refused.
        """
        key = f"{self._prefix}{name}"
        with aws_errors("s3:GetObject", f"s3://{self._bucket}/{key}"):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

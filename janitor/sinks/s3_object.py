"""One object in S3, which appears as a whole or not at all."""

import contextlib
import tempfile
from typing import IO, TYPE_CHECKING

from boto3.s3.inject import upload_fileobj
from boto3.s3.transfer import TransferConfig

from janitor.aws.errors import DENIALS, aws_errors
from janitor.errors import ConfigurationError, JanitorError, SinkError
from janitor.temporary import suggest_freeing_space

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PUT = "s3:PutObject"
_ABORT = "s3:AbortMultipartUpload"

# A smaller report stays in memory, a larger one goes to a temporary file. This is also the size of an upload's parts.
_MAX_BYTES_IN_MEMORY = 8 * 1024 * 1024
# One part at a time, in this thread: boto3's default of ten threads would hold ten parts in memory.
_TRANSFER = TransferConfig(
    multipart_threshold=_MAX_BYTES_IN_MEMORY,
    multipart_chunksize=_MAX_BYTES_IN_MEMORY,
    use_threads=False,
    preferred_transfer_client="classic",
)


class S3Object:
    """Writes to a temporary file, and uploads it at the end. The bucket's settings decide how it is encrypted."""

    def __init__(self, client: "S3Client", bucket: str, key: str, content_type: str) -> None:
        self.target = f"s3://{bucket}/{key}"
        self._client = client
        self._bucket = bucket
        self._key = key
        self._content_type = content_type
        self._spool: IO[bytes] | None = None

    def open(self) -> None:
        """Start a multipart upload and abort it: that checks the permission to write, and shows nothing.

        Raises:
            ConfigurationError: there is no such bucket, or writing to it is denied.
            SinkError: S3 could not be reached, or failed.
        """
        try:
            with aws_errors(_PUT, self.target):
                upload = self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ContentType=self._content_type
                )["UploadId"]
        except JanitorError as error:
            raise self._explain(error) from None
        # Without the permission to abort, an empty upload remains: it is not visible, and costs nothing.
        with contextlib.suppress(JanitorError), aws_errors(_ABORT, self.target):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=upload)
        self._spool = tempfile.SpooledTemporaryFile(max_size=_MAX_BYTES_IN_MEMORY)  # noqa: SIM115  # closed below

    def write(self, content: bytes) -> None:
        """Keep the bytes until the end.

        Raises:
            SinkError: the folder for temporary files is full or broken.
        """
        try:
            self._open_spool.write(content)
        except OSError as error:
            raise self._temporary_file_error(error) from None

    def commit(self) -> None:
        """Upload what was written.

        Raises:
            SinkError: that failed; the object is as it was.
        """
        spool = self._open_spool
        try:
            spool.seek(0)
            with aws_errors(_PUT, self.target):
                # boto3 makes this function a method of its clients; it accepts botocore's client too.
                upload_fileobj(
                    self._client,
                    spool,
                    self._bucket,
                    self._key,
                    ExtraArgs={"ContentType": self._content_type},
                    Config=_TRANSFER,
                )
        except JanitorError as error:
            raise SinkError(error.sentence, error.way_out, error.code) from None
        except OSError as error:
            raise self._temporary_file_error(error) from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete what was written; the object stays as it was."""
        if self._spool is not None:
            with contextlib.suppress(OSError):
                self._spool.close()
            self._spool = None

    @property
    def _open_spool(self) -> IO[bytes]:
        if self._spool is None:
            raise SinkError(f"{self.target} was not opened")
        return self._spool

    def _explain(self, error: JanitorError) -> JanitorError:
        if error.code == "NoSuchBucket":
            sentence = f"{_PUT} on {self.target}: the bucket {self._bucket} does not exist"
            return ConfigurationError(sentence, "check its name, or create it", error.code)
        if error.code in DENIALS:
            return ConfigurationError(error.sentence, error.way_out, error.code)
        if isinstance(error, ConfigurationError):
            return error
        return SinkError(error.sentence, error.way_out, error.code)

    def _temporary_file_error(self, error: OSError) -> SinkError:
        sentence = f"{self.target}: its temporary file could not be used: {error.strerror or error}"
        return SinkError(sentence, suggest_freeing_space())

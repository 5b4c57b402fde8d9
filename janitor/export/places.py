"""Where the bytes of an export or a dump are: a file, a folder, standard input, S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError

from janitor.aws.errors import DENIALS, aws_errors, translated
from janitor.errors import ConfigurationError, JanitorError, SourceError
from janitor.logs import get_logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

log = get_logger("janitor.scan")

CHUNK_BYTES = 1024 * 1024
_CALL = "s3:GetObject"
# In a row without a byte in between; botocore waits between its own attempts for an answer.
_MOST_BROKEN_ANSWERS = 5
# The number is the code of an answer without a body.
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412"})


class SourcePlace(Protocol):
    """Something that bytes are read from."""

    @property
    def name(self) -> str:
        """What the user knows it by."""

    @property
    def can_be_read_again(self) -> bool:
        """Whether its bytes stay after they were read once: those of a pipe do not."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the start, in pieces of at most 1 MB.

        Raises:
            ConfigurationError: it is not there.
            SourceError: it cannot be read to its end.
            AwsError: S3 refused.
        """

    def beside(self, name: str) -> "SourcePlace":
        """Another one, by its path from the folder that holds this one."""

    def is_there(self) -> bool:
        """Whether it exists, as far as that costs no request; True where it would."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def can_be_read_again(self) -> bool:
        """As `SourcePlace` has it; a shell's `<(…)` is a pipe with a path."""
        return self.path.is_file() or self.path.is_dir()

    def chunks(self) -> Iterator[bytes]:
        """As `SourcePlace` has it."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            sentence = f"{self.path} cannot be read: {error.strerror}"
            raise ConfigurationError(sentence, "check the path", "source-path") from None
        with file:
            yield from _chunks(file, self.name)

    def beside(self, name: str) -> "LocalFile":
        """As `SourcePlace` has it."""
        return LocalFile(self.path.parent / name)

    def is_there(self) -> bool:
        """As `SourcePlace` has it."""
        return self.path.exists()


@dataclass(frozen=True, slots=True)
class StandardInput:
    """What another program writes."""

    stream: BufferedIOBase

    @property
    def name(self) -> str:
        """What it is called."""
        return "standard input"

    @property
    def can_be_read_again(self) -> bool:
        """As `SourcePlace` has it."""
        return False

    def chunks(self) -> Iterator[bytes]:
        """As `SourcePlace` has it."""
        return _chunks(self.stream, self.name)

    def beside(self, name: str) -> SourcePlace:
        """A manifest names files, and beside standard input there are none.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(
            f"standard input is the manifest of an export, which names the file {Path(name).name}",
            "give the export's folder, or s3://bucket/prefix/AWSDynamoDB/ID/",
            "source-manifest",
        )

    def is_there(self) -> bool:
        """As `SourcePlace` has it."""
        return True


@dataclass(frozen=True, slots=True)
class S3Place:
    """An object in S3. Nothing is listed, so that `s3:GetObject` is the only permission it takes."""

    client: "S3Client"
    bucket: str
    key: str

    @property
    def name(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def can_be_read_again(self) -> bool:
        """As `SourcePlace` has it."""
        return True

    def chunks(self) -> Iterator[bytes]:
        """As `SourcePlace` has it. Where the stream breaks off it is taken up again at the byte where it did."""
        arguments: GetObjectRequestTypeDef = {"Bucket": self.bucket, "Key": self.key}
        offset, total, broken = 0, None, 0
        while total is None or offset < total:
            if offset:
                arguments["Range"] = f"bytes={offset}-"
            answer = self._answer(arguments)
            total = answer["ContentLength"] if total is None else total
            # What is read after a break must be of the same object.
            arguments["IfMatch"] = answer["ETag"]
            body = answer["Body"]
            try:
                self._check_start(answer, offset)
                while offset < total and (chunk := body.read(min(CHUNK_BYTES, total - offset))):
                    offset, broken = offset + len(chunk), 0
                    yield chunk
                broken += 1
            except BotoCoreError as error:
                broken += 1
                log.warning("source.broken_off", source=self.name, bytes=offset, error=type(error).__name__)
                if broken > _MOST_BROKEN_ANSWERS or offset >= total:
                    raise translated(error, _CALL, self.name) from None
            finally:
                body.close()
            if broken > _MOST_BROKEN_ANSWERS:
                raise SourceError(f"{self.name}: the answers end after {offset:,} of {total:,} bytes", "run it again")

    def beside(self, name: str) -> "S3Place":
        """As `SourcePlace` has it."""
        folder, slash, _ = self.key.rpartition("/")
        return S3Place(self.client, self.bucket, f"{folder}{slash}{name}")

    def is_there(self) -> bool:
        """As `SourcePlace` has it."""
        return True

    def _check_start(self, answer: "GetObjectOutputTypeDef", offset: int) -> None:
        """A server that leaves `Range` unread begins anew, and every row before the break would be read twice."""
        if offset and not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
            sentence = f"{self.name}: the server does not go on at byte {offset:,}, where its answer broke off"
            raise SourceError(sentence, "copy it here first", "source-range")

    def _answer(self, arguments: "GetObjectRequestTypeDef") -> "GetObjectOutputTypeDef":
        try:
            with aws_errors(_CALL, self.name):
                return self.client.get_object(**arguments)
        except JanitorError as error:
            raise self._told(error) from None

    def _told(self, error: JanitorError) -> JanitorError:
        if error.code in _MISSING:
            return ConfigurationError(f"{self.name} does not exist", "check the bucket and the key", error.code)
        if error.code in _CHANGED:
            return SourceError(f"{self.name} was changed while it was read", "run it again", error.code)
        return error


def is_missing(error: JanitorError) -> bool:
    """Whether an object may simply not be there. Without `s3:ListBucket` S3 says that it is denied."""
    return error.code in _MISSING | DENIALS


def _chunks(stream: BufferedIOBase, name: str) -> Iterator[bytes]:
    try:
        while chunk := _chunk(stream):
            yield chunk
    except OSError as error:
        raise SourceError(f"{name} cannot be read to its end: {error.strerror}") from None


def _chunk(stream: BufferedIOBase) -> bytes:
    # One system call at a time: `read` makes as many as it takes, and a signal that comes between two of them, to end
    # the wait for a pipe, would be heard of after the last.
    chunk = b""
    while len(chunk) < CHUNK_BYTES and (piece := stream.read1(CHUNK_BYTES - len(chunk))):
        chunk += piece
    return chunk

"""Places from which an export or a dump is read: a file, standard input, an object in S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError

from janitor.aws.errors import DENIALS, aws_errors, translate_error
from janitor.errors import ConfigurationError, JanitorError, SourceError
from janitor.logs import get_logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

log = get_logger("janitor.scan")

CHUNK_BYTES = 1024 * 1024
_CALL = "s3:GetObject"
# How many answers in a row may bring no byte; botocore waits between its own attempts to get an answer.
_MAX_EMPTY_ANSWERS = 5
# The number is the error code of an answer without a body.
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412"})


class SourcePlace(Protocol):
    """A place from which bytes are read."""

    @property
    def name(self) -> str:
        """Its name for the user."""

    @property
    def can_be_read_again(self) -> bool:
        """Whether it can be read more than once; a pipe cannot."""

    def chunks(self) -> Iterator[bytes]:
        """Read the bytes from the start, in pieces of at most 1 MB.

        Raises:
            ConfigurationError: it does not exist.
            SourceError: it cannot be read to its end.
            AwsError: S3 refused.
        """

    def sibling(self, name: str) -> "SourcePlace":
        """Return another place, by its path from the folder that holds this one."""

    def exists(self) -> bool:
        """Whether it exists; True if only a request could tell."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def can_be_read_again(self) -> bool:
        """Whether it is a file or a folder; a shell's `<(…)` is a pipe with a path."""
        return self.path.is_file() or self.path.is_dir()

    def chunks(self) -> Iterator[bytes]:
        """Read the file from the start."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            sentence = f"{self.path} cannot be read: {error.strerror}"
            raise ConfigurationError(sentence, "check the path", "source-path") from None
        with file:
            yield from _chunks(file, self.name)

    def sibling(self, name: str) -> "LocalFile":
        """Return another file by its path from this one's folder."""
        return LocalFile(self.path.parent / name)

    def exists(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()


@dataclass(frozen=True, slots=True)
class StandardInput:
    """The output of another program."""

    stream: BufferedIOBase

    @property
    def name(self) -> str:
        """Its name for the user."""
        return "standard input"

    @property
    def can_be_read_again(self) -> bool:
        """Never."""
        return False

    def chunks(self) -> Iterator[bytes]:
        """Read the stream."""
        return _chunks(self.stream, self.name)

    def sibling(self, name: str) -> SourcePlace:
        """Refuse: a manifest names other files, and standard input has none next to it.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(
            f"standard input is the manifest of an export, which needs the file {Path(name).name}",
            "give the export's folder, or s3://bucket/prefix/AWSDynamoDB/ID/",
            "source-manifest",
        )

    def exists(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class S3Place:
    """An object in S3. It is never listed, so `s3:GetObject` is the only permission that it needs."""

    client: "S3Client"
    bucket: str
    key: str

    @property
    def name(self) -> str:
        """Its URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def can_be_read_again(self) -> bool:
        """Always."""
        return True

    def chunks(self) -> Iterator[bytes]:
        """Read the object. If the stream breaks off, go on at the byte where it did."""
        arguments: GetObjectRequestTypeDef = {"Bucket": self.bucket, "Key": self.key}
        offset, total, empty_answers = 0, None, 0
        while total is None or offset < total:
            if offset:
                arguments["Range"] = f"bytes={offset}-"
            answer = self._get_object(arguments)
            total = answer["ContentLength"] if total is None else total
            # After a break the rest must come from the same version of the object.
            arguments["IfMatch"] = answer["ETag"]
            body = answer["Body"]
            try:
                self._check_start(answer, offset)
                while offset < total and (chunk := body.read(min(CHUNK_BYTES, total - offset))):
                    offset, empty_answers = offset + len(chunk), 0
                    yield chunk
                empty_answers += 1
            except BotoCoreError as error:
                empty_answers += 1
                log.warning("source.broken_off", source=self.name, bytes=offset, error=type(error).__name__)
                if empty_answers > _MAX_EMPTY_ANSWERS or offset >= total:
                    raise translate_error(error, _CALL, self.name) from None
            finally:
                body.close()
            if empty_answers > _MAX_EMPTY_ANSWERS:
                raise SourceError(f"{self.name}: the answers end after {offset:,} of {total:,} bytes", "run it again")

    def sibling(self, name: str) -> "S3Place":
        """Return another object by its path from this one's folder."""
        folder, slash, _ = self.key.rpartition("/")
        return S3Place(self.client, self.bucket, f"{folder}{slash}{name}")

    def exists(self) -> bool:
        """Return True: only a request could tell."""
        return True

    def _check_start(self, answer: "GetObjectOutputTypeDef", offset: int) -> None:
        """Check that the answer starts where the last one broke off: a server that ignores `Range` starts at byte 0.

        Without this check, every row before the break would be read twice.
        """
        if offset and not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
            sentence = f"{self.name}: the server does not go on at byte {offset:,}, where its answer broke off"
            raise SourceError(sentence, "copy the file to this machine first", "source-range")

    def _get_object(self, arguments: "GetObjectRequestTypeDef") -> "GetObjectOutputTypeDef":
        try:
            with aws_errors(_CALL, self.name):
                return self.client.get_object(**arguments)
        except JanitorError as error:
            raise self._explain(error) from None

    def _explain(self, error: JanitorError) -> JanitorError:
        if error.code in _MISSING:
            return ConfigurationError(f"{self.name} does not exist", "check the bucket and the key", error.code)
        if error.code in _CHANGED:
            return SourceError(f"{self.name} was changed while it was read", "run it again", error.code)
        return error


def is_missing(error: JanitorError) -> bool:
    """Whether the error may mean that the object does not exist. Without `s3:ListBucket` S3 then says "denied"."""
    return error.code in _MISSING | DENIALS


def _chunks(stream: BufferedIOBase, name: str) -> Iterator[bytes]:
    try:
        while chunk := _read_chunk(stream):
            yield chunk
    except OSError as error:
        raise SourceError(f"{name} cannot be read to its end: {error.strerror}") from None


def _read_chunk(stream: BufferedIOBase) -> bytes:
    # One system call at a time: `read` makes as many as it needs, and would handle a signal, which may end the wait for
    # a pipe, only after the last one.
    chunk = b""
    while len(chunk) < CHUNK_BYTES and (piece := stream.read1(CHUNK_BYTES - len(chunk))):
        chunk += piece
    return chunk

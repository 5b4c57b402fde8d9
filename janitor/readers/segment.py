"""Have other processes or machines read the segments of a table: a task goes out as bytes, its answer returns as bytes.

    the main process                                                   a reader
    DistributedReader ──SegmentTask──> SegmentReaders (processes, dask) ──> read_segment ──> Scan ──> judge_page
                      <──a Batch a page── bytes <────────────────────────────────┘

Nothing else passes between the two, wherever the reader runs. A task holds the key of fingerprints and the patterns of
protected users; it holds no credentials and no row. The reader opens its own session, and checks that it finds the same
table. The answers for a classic table hold tokens.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol

import msgspec
from msgspec import structs

from janitor import __version__, logs
from janitor.dynamodb.budget import Budget, Budgets
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import TableChoice, locate_table
from janitor.dynamodb.scan import Scan, sleep
from janitor.dynamodb.throttling import slow_down_on_throttle
from janitor.errors import JanitorError
from janitor.readers.in_process import build_scan_filter
from janitor.readers.interface import Batch, DeletableRow, JudgedRow, Rules
from janitor.readers.judging import build_findings, judge_page
from janitor.readers.packed_row import PackedRow, pack, unpack
from janitor.readers.tally import Tally
from janitor.report.model import Finding
from janitor.stopping import NeverStopped, StopRequest

log = logs.get_logger("janitor.readers")


class TableLocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a table is, and how to reach it.

    Attributes:
        table: its name.
        table_id: its unique id; None if it is unknown.
        account_id: its account's number; None if it is unknown.
        region, profile, role_arn, endpoint_url: the values of the options of these names.
        rate: read units a second; None for no limit.
    """

    table: str
    table_id: str | None
    account_id: str | None
    region: str
    profile: str | None = None
    role_arn: str | None = None
    endpoint_url: str | None = None
    rate: float | None = None


class SegmentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A segment to read.

    Attributes:
        version: janitor's version in the main process.
        location: where the table is.
        segment: the segment's number, from 0.
        segments: how many segments there are.
        rules: the rules by which rows are judged.
        patterns: `--protect-user` patterns to compare with the owner of every row.
    """

    version: str
    location: TableLocation
    segment: int
    segments: int
    rules: Rules
    patterns: Sequence[str] = ()


class SealedBytes(bytes):
    """Bytes whose `repr` shows only their length, so that no log shows a task: it holds the key of fingerprints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"SealedBytes({len(self)})"


class SegmentResult(NamedTuple):
    """The answer for a segment.

    Attributes:
        segment: the segment's number.
        requests: how many requests were sent.
        throttled: how many of those the server throttled.
        pages: a batch for each page, still encoded; for `decode_batch`.
    """

    segment: int
    requests: int
    throttled: int
    pages: Sequence[msgspec.Raw]


class _Failure(msgspec.Struct):
    sentence: str
    way_out: str | None
    code: str


class _Page(msgspec.Struct, array_like=True, tag=0):
    """The encoded form of a `Batch`."""

    tally: Tally
    found: Sequence[JudgedRow]
    deletable: Sequence[DeletableRow]
    matching_patterns: Sequence[str]
    lines: Sequence[Finding]

    def __repr__(self) -> str:
        return "_Page(…)"


class _PageOfHugeNumbers(msgspec.Struct, array_like=True, tag=1):
    """The encoded form of a `Batch` with an expiry that is too large a number for msgspec."""

    tally: Tally
    found: list[PackedRow]
    deletable: list[tuple[bytes, str, PackedRow]]
    matching_patterns: Sequence[str]

    def __repr__(self) -> str:
        return "_PageOfHugeNumbers(…)"


class _SegmentAnswer(msgspec.Struct, array_like=True):
    segment: int
    requests: int = 0
    throttled: int = 0
    pages: list[msgspec.Raw] = msgspec.field(default_factory=list)
    failure: _Failure | None = None

    def __repr__(self) -> str:
        return "_SegmentAnswer(…)"


class _TaskVersion(msgspec.Struct):
    version: str


_ENCODE = msgspec.msgpack.Encoder().encode
# The only part of another version's task that can be decoded for certain.
_DECODE_TASK_VERSION = msgspec.msgpack.Decoder(_TaskVersion).decode
_DECODE_TASK = msgspec.msgpack.Decoder(SegmentTask).decode
_DECODE_ANSWER = msgspec.msgpack.Decoder(_SegmentAnswer).decode
_DECODE_PAGE = msgspec.msgpack.Decoder(_Page | _PageOfHugeNumbers).decode


class SegmentReaders(Protocol):
    """Reads segments for the main process: `processes.ReaderProcesses` or `dask_cluster.DaskCluster`."""

    def count(self) -> int:
        """Return how many segments are read at once at present, at least one."""

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """Have the tasks done, and yield the answers as they arrive; ends early if the run is asked to stop.

        Args:
            tasks: taken one by one, as readers become free.

        Raises:
            JanitorError: a task cannot be done.
        """


class DistributedReader:
    """Cuts a table into segments, has them read elsewhere, and collects the answers."""

    def __init__(
        self,
        location: TableLocation,
        segments: int,
        readers: SegmentReaders,
        *,
        stop: StopRequest,
        note_requests: Callable[[int, int], None],
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            location: where the table is; its rate is for all readers together.
            segments: into how many segments the table is cut.
            readers: what reads the segments.
            stop: a request ends the reading early, without an error.
            note_requests: called with the number of a segment's requests, and how many of them were throttled.
        """
        self._location, self._segments = location, segments
        self._readers, self._stop, self._note_requests = readers, stop, note_requests

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """Yield one batch for each page, the pages of a segment one after the other."""
        is_read = bytearray(self._segments)
        with closing(self._readers.answers(self._tasks(rules, patterns))) as answers:
            for answer in answers:
                result = decode_answer(answer)
                if is_read[result.segment]:
                    raise JanitorError(f"segment {result.segment} was read twice", "run it again", "read-twice")
                is_read[result.segment] = True
                self._note_requests(result.requests, result.throttled)
                if result.throttled:
                    log.warning("capacity.throttled", operation="Scan", segment=result.segment, times=result.throttled)
                yield from map(decode_batch, result.pages)
                del answer, result
        if not (all(is_read) or self._stop.is_requested()):
            raise JanitorError(f"{is_read.count(0)} segments were not read", "run it again", "not-read")

    def _tasks(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[bytes]:
        for segment in range(self._segments):
            rate = None if self._location.rate is None else self._location.rate / self._readers.count()
            yield encode_task(
                SegmentTask(
                    version=__version__,
                    location=structs.replace(self._location, rate=rate),
                    segment=segment,
                    segments=self._segments,
                    rules=rules,
                    patterns=tuple(patterns()),
                )
            )


def encode_task(task: SegmentTask) -> bytes:
    """Encode a task, to be sent to a reader."""
    return SealedBytes(_ENCODE(task))


def read_segment(task: bytes) -> bytes:
    """Read a segment to its end, and encode the answer. Errors are part of the answer; they show nothing of a row."""
    logs.be_quiet_unless_configured()
    segment = 0
    try:
        _check_version(_DECODE_TASK_VERSION(task).version)
        decoded_task = _DECODE_TASK(task)
        segment = decoded_task.segment
        return _ENCODE(_read(decoded_task))
    except JanitorError as error:
        failure = _Failure(error.sentence, error.way_out, error.code)
    except Exception as error:  # noqa: BLE001  # a bug must end the run, not the reader; its message may hold a row
        failure = _Failure(f"reading failed ({type(error).__name__})", None, "bug")
    return _ENCODE(_SegmentAnswer(segment, failure=failure))


def decode_answer(answer: bytes) -> SegmentResult:
    """Decode a reader's answer.

    Raises:
        JanitorError: the segment could not be read.
    """
    try:
        decoded = _DECODE_ANSWER(answer)
    except msgspec.MsgspecError as error:
        raise _damaged_answer_error(error) from None
    if (failure := decoded.failure) is not None:
        raise JanitorError(f"a reader of segment {decoded.segment}: {failure.sentence}", failure.way_out, failure.code)
    return SegmentResult(decoded.segment, decoded.requests, decoded.throttled, decoded.pages)


def encode_batch(batch: Batch) -> msgspec.Raw:
    """Encode the result for a page."""
    tally, found, deletable, patterns, lines = batch
    try:
        return msgspec.Raw(_ENCODE(_Page(tally, found, deletable, patterns, lines)))
    except OverflowError:
        packed = [(item, fingerprint, pack(row)) for item, fingerprint, row in deletable]
        return msgspec.Raw(_ENCODE(_PageOfHugeNumbers(tally, [*map(pack, found)], packed, patterns)))


def decode_batch(page: msgspec.Raw) -> Batch:
    """Decode the result for a page.

    Raises:
        JanitorError: the bytes are damaged.
    """
    try:
        decoded = _DECODE_PAGE(page)
    except msgspec.MsgspecError as error:
        raise _damaged_answer_error(error) from None
    if isinstance(decoded, _Page):
        return Batch(decoded.tally, decoded.found, decoded.deletable, decoded.matching_patterns, decoded.lines)
    deletable = [DeletableRow(item, fingerprint, unpack(row)) for item, fingerprint, row in decoded.deletable]
    return Batch(decoded.tally, [*map(unpack, decoded.found)], deletable, decoded.matching_patterns)


def _damaged_answer_error(error: msgspec.MsgspecError) -> JanitorError:
    # Without the error's message, which may hold a part of the answer.
    sentence = f"a reader's answer is damaged ({type(error).__name__})"
    return JanitorError(sentence, "run it again", "damaged-answer")


def _check_version(version: str) -> None:
    if version != __version__:
        sentence = f"this worker has janitor {__version__}, the main process has {version}"
        raise JanitorError(sentence, "give both the same version", "other-version")


def _read(task: SegmentTask) -> _SegmentAnswer:
    session = _open_session(task.location, threading.get_ident())
    scan = Scan(
        client=session.aws.dynamodb,
        table=task.location.table,
        segments=task.segments,
        filter=lambda: build_scan_filter(task.rules, task.patterns),
        stop=NeverStopped(),
        budgets=session.budgets,
    )
    pages = [encode_batch(_judge(page, task)) for page in scan.segment_pages(task.segment, sleep)]
    requests, throttled = session.take_traffic()
    return _SegmentAnswer(task.segment, requests, throttled, pages)


def _judge(page: Page, task: SegmentTask) -> Batch:
    batch = judge_page(page, task.rules, task.patterns)
    # Otherwise the main process would have to build all lines, and could do little else.
    return batch._replace(lines=build_findings(batch.found, task.rules)) if task.rules.streams else batch


class _TableSession(msgspec.Struct):
    """A session for one table, its budgets, and the requests that were reported already."""

    aws: AwsSession
    budgets: Budgets
    reported: tuple[int, int] = (0, 0)

    def take_traffic(self) -> tuple[int, int]:
        """Return how many requests were sent since the last call, and how many of those were throttled."""
        traffic, before = self.aws.traffic, self.reported
        self.reported = traffic.requests, traffic.throttled
        return self.reported[0] - before[0], self.reported[1] - before[1]


# Cached, because a worker of a cluster lives for many runs.
@functools.lru_cache(maxsize=64)
def _open_session(location: TableLocation, thread: int) -> _TableSession:  # noqa: ARG001  # one session for each thread
    """Open a session for all segments of the table that a thread reads.

    Raises:
        JanitorError: the table is another one, or cannot be reached.
    """
    aws = AwsSession(
        AwsAccess(
            region=location.region,
            profile=location.profile,
            role_arn=location.role_arn,
            endpoint_url=location.endpoint_url,
            environment=os.environ,
            version=__version__,
        )
    )
    found = locate_table(aws, TableChoice(table=location.table), None, time.time)
    if (found.table_id, found.account_id) != (location.table_id, location.account_id):
        sentence = f"this worker found another table named {location.table} (other account or table id)"
        raise JanitorError(sentence, "give both the same AWS account and endpoint", "other-table")
    budgets = Budgets(reads=Budget(location.rate, time.monotonic), writes=Budget(None, time.monotonic))
    aws.on_throttle = functools.partial(slow_down_on_throttle, budgets, location.table)
    return _TableSession(aws, budgets)

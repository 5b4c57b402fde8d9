"""A segment of a table as a piece of work: what is to be read goes in as bytes, what it came to comes out as bytes.

    the process that decides                                one that reads
    Segments ──SegmentTask──> Hands (processes, dask) ──────> read_segment ──> Scan ──> judge, page by page
             <──a Batch a page── bytes <──────────────────────────────┘

Nothing else passes between the two, wherever the second one runs. A task holds the key of fingerprints and the patterns
of protected users; it holds no credentials and no row: whoever reads finds its own way to the table, and sees that it
is the same one. What comes back of a classic table holds tokens.
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
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import TableChoice, locate
from janitor.dynamodb.scan import NeverStopped, Scan, StopRequest, sleep
from janitor.dynamodb.slowing import throttle_of
from janitor.errors import JanitorError
from janitor.readers.interface import Batch, DeletableRow, FoundRow, Rules
from janitor.readers.judging import judge, lines_of
from janitor.readers.packed import PackedRow, pack, unpack
from janitor.readers.tally import Tally
from janitor.readers.threads import filter_of
from janitor.report.model import Finding

log = logs.get_logger("janitor.readers")


class TablePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where the table is.

    Attributes:
        table: its name.
        table_id: what tells it from every other table; None where nobody knows.
        account_id: its account's number, likewise.
        region, profile, role_arn, endpoint_url: the way there, as of the options of these names.
        rate: read units a second; None for as many as there are.
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
        version: of the program that asks.
        place: where the table is.
        segment: which one, from 0.
        segments: of how many.
        rules: by what rows are judged.
        patterns: of protected users, which are to be held against every row.
    """

    version: str
    place: TablePlace
    segment: int
    segments: int
    rules: Rules
    patterns: Sequence[str] = ()


class SealedBytes(bytes):
    """Bytes of which no log shows anything: a task holds the key of fingerprints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"SealedBytes({len(self)})"


class SegmentResult(NamedTuple):
    """What came of a segment.

    Attributes:
        segment: which one.
        requests: how many were sent.
        throttled: how many of those the server throttled.
        pages: what each of its pages came to; see `decoded_batch`.
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
    """A `Batch`."""

    tally: Tally
    found: Sequence[FoundRow]
    deletable: Sequence[DeletableRow]
    fitting: Sequence[str]
    lines: Sequence[Finding]

    def __repr__(self) -> str:
        return "_Page(…)"


class _PageOfHugeNumbers(msgspec.Struct, array_like=True, tag=1):
    """A `Batch` with an expiry that is too large a number for msgspec."""

    tally: Tally
    found: list[PackedRow]
    deletable: list[tuple[bytes, str, PackedRow]]
    fitting: Sequence[str]

    def __repr__(self) -> str:
        return "_PageOfHugeNumbers(…)"


class _Answer(msgspec.Struct, array_like=True):
    segment: int
    requests: int = 0
    throttled: int = 0
    pages: list[msgspec.Raw] = msgspec.field(default_factory=list)
    failure: _Failure | None = None

    def __repr__(self) -> str:
        return "_Answer(…)"


class _Asker(msgspec.Struct):
    version: str


_ENCODE = msgspec.msgpack.Encoder().encode
# All that can be read for certain of a task that another version made.
_DECODE_ASKER = msgspec.msgpack.Decoder(_Asker).decode
_DECODE_TASK = msgspec.msgpack.Decoder(SegmentTask).decode
_DECODE_ANSWER = msgspec.msgpack.Decoder(_Answer).decode
_DECODE_PAGE = msgspec.msgpack.Decoder(_Page | _PageOfHugeNumbers).decode


class SegmentReaders(Protocol):
    """Those who read for the process that decides: `processes.Processes`, or `dask_cluster.DaskCluster`."""

    def count(self) -> int:
        """How many read at once at present, one at least."""

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """What they answer to these tasks, in the order in which they are done; ends early where the run is to stop.

        Args:
            tasks: taken one by one, as readers become free.

        Raises:
            JanitorError: a task cannot be done.
        """


class Segments:
    """A reader that has others read: it cuts the table, hands out the segments, and takes what they came to."""

    def __init__(
        self,
        place: TablePlace,
        segments: int,
        hands: SegmentReaders,
        *,
        stop: StopRequest,
        note_requests: Callable[[int, int], None],
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            place: where the table is; its rate is that of all readers together.
            segments: into how many parts the table is cut.
            hands: who reads them.
            stop: a request ends the reading early and quietly.
            note_requests: told how many requests a segment took, and how many of them were throttled.
        """
        self._place, self._segments = place, segments
        self._hands, self._stop, self._note_requests = hands, stop, note_requests

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """As `Reader.batches`: a batch a page, those of a segment one after the other."""
        is_read = bytearray(self._segments)
        with closing(self._hands.answers(self._tasks(rules, patterns))) as answers:
            for answer in answers:
                result = decoded_answer(answer)
                if is_read[result.segment]:
                    raise JanitorError(f"segment {result.segment} was read twice", "run it again", "read-twice")
                is_read[result.segment] = True
                self._note_requests(result.requests, result.throttled)
                if result.throttled:
                    log.warning("capacity.throttled", operation="Scan", segment=result.segment, times=result.throttled)
                yield from map(decoded_batch, result.pages)
                del answer, result
        if not (all(is_read) or self._stop.is_requested()):
            raise JanitorError(f"{is_read.count(0)} segments were not read", "run it again", "not-read")

    def _tasks(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[bytes]:
        for segment in range(self._segments):
            rate = None if self._place.rate is None else self._place.rate / self._hands.count()
            yield encoded_task(
                SegmentTask(
                    version=__version__,
                    place=structs.replace(self._place, rate=rate),
                    segment=segment,
                    segments=self._segments,
                    rules=rules,
                    patterns=tuple(patterns()),
                )
            )


def encoded_task(task: SegmentTask) -> bytes:
    """The task, to be sent to a reader."""
    return SealedBytes(_ENCODE(task))


def read_segment(task: bytes) -> bytes:
    """Read a segment to its end. What goes wrong is a part of the answer; nothing of a row is in its words."""
    logs.be_quiet_unless_configured()
    segment = 0
    try:
        _check_version(_DECODE_ASKER(task).version)
        decoded_task = _DECODE_TASK(task)
        segment = decoded_task.segment
        return _ENCODE(_read(decoded_task))
    except JanitorError as error:
        failure = _Failure(error.sentence, error.way_out, error.code)
    except Exception as error:  # noqa: BLE001  # a bug must end the run, not the reader; its words may hold a row
        failure = _Failure(f"reading broke off ({type(error).__name__})", None, "bug")
    return _ENCODE(_Answer(segment, failure=failure))


def decoded_answer(answer: bytes) -> SegmentResult:
    """What a reader answered.

    Raises:
        JanitorError: the segment could not be read.
    """
    try:
        got = _DECODE_ANSWER(answer)
    except msgspec.MsgspecError as error:
        raise _damaged(error) from None
    if got.failure is not None:
        failure = got.failure
        raise JanitorError(f"a reader of segment {got.segment}: {failure.sentence}", failure.way_out, failure.code)
    return SegmentResult(got.segment, got.requests, got.throttled, got.pages)


def encoded_batch(batch: Batch) -> msgspec.Raw:
    """What a page came to, as bytes."""
    tally, found, deletable, fitting, lines = batch
    try:
        return msgspec.Raw(_ENCODE(_Page(tally, found, deletable, fitting, lines)))
    except OverflowError:
        packed = [(item, fingerprint, pack(row)) for item, fingerprint, row in deletable]
        return msgspec.Raw(_ENCODE(_PageOfHugeNumbers(tally, [*map(pack, found)], packed, fitting)))


def decoded_batch(page: msgspec.Raw) -> Batch:
    """The way back.

    Raises:
        JanitorError: the bytes are damaged.
    """
    try:
        got = _DECODE_PAGE(page)
    except msgspec.MsgspecError as error:
        raise _damaged(error) from None
    if isinstance(got, _Page):
        return Batch(got.tally, got.found, got.deletable, got.fitting, got.lines)
    deletable = [DeletableRow(item, fingerprint, unpack(row)) for item, fingerprint, row in got.deletable]
    return Batch(got.tally, [*map(unpack, got.found)], deletable, got.fitting)


def _damaged(error: msgspec.MsgspecError) -> JanitorError:
    # Of its words nothing: they may hold what stands in the answer.
    sentence = f"a reader's answer is damaged ({type(error).__name__})"
    return JanitorError(sentence, "run it again", "damaged-answer")


def _check_version(asked_by: str) -> None:
    if asked_by != __version__:
        sentence = f"it has janitor {__version__}, and the process that decides {asked_by}"
        raise JanitorError(sentence, "give both the same version", "other-version")


def _read(task: SegmentTask) -> _Answer:
    way = _way_to(task.place, threading.get_ident())
    scan = Scan(
        client=way.aws.dynamodb,
        table=task.place.table,
        segments=task.segments,
        filter=lambda: filter_of(task.rules, task.patterns),
        stop=NeverStopped(),
        budgets=way.budgets,
    )
    pages = [encoded_batch(_judged(page, task)) for page in scan.segment_pages(task.segment, sleep)]
    requests, throttled = way.take_traffic()
    return _Answer(task.segment, requests, throttled, pages)


def _judged(page: Page, task: SegmentTask) -> Batch:
    batch = judge(page, task.rules, task.patterns)
    # The process that decides would do nothing else.
    return batch._replace(lines=lines_of(batch.found, task.rules)) if task.rules.streams else batch


class _Way(msgspec.Struct):
    """A session that leads to the table, what may be spent through it, and which of its requests were told of."""

    aws: Aws
    budgets: Budgets
    told: tuple[int, int] = (0, 0)

    def take_traffic(self) -> tuple[int, int]:
        """How many requests were sent since this was last asked, and how many of those were throttled."""
        traffic, before = self.aws.traffic, self.told
        self.told = traffic.requests, traffic.throttled
        return self.told[0] - before[0], self.told[1] - before[1]


# A worker of a cluster lives for many runs.
@functools.lru_cache(maxsize=64)
def _way_to(place: TablePlace, thread: int) -> _Way:  # noqa: ARG001  # requests are counted a thread
    """The way to the table, for all of its segments that a thread reads.

    Raises:
        JanitorError: it leads to another table, or nowhere.
    """
    aws = Aws(
        Connection(
            region=place.region,
            profile=place.profile,
            role_arn=place.role_arn,
            endpoint_url=place.endpoint_url,
            environment=os.environ,
            version=__version__,
        )
    )
    found = locate(aws, TableChoice(table=place.table), None, time.time)
    if (found.table_id, found.account_id) != (place.table_id, place.account_id):
        sentence = f"what it finds as {place.table} is another table than the process that decides has found"
        raise JanitorError(sentence, "give both the same AWS account and endpoint", "other-table")
    budgets = Budgets(reads=Budget(place.rate, time.monotonic), writes=Budget(None, time.monotonic))
    aws.on_throttle = functools.partial(throttle_of, budgets, place.table)
    return _Way(aws, budgets)

"""A segment of a table as a piece of work: what is to be read goes in as bytes, what it came to comes out as bytes.

Nothing else passes between the process that decides and one that reads, wherever that runs. The task holds no
credentials: whoever reads finds its own, as every AWS program does. What comes back of a classic table holds tokens.
"""

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec import structs

from janitor import __version__
from janitor.dynamodb.budget import Budget, Budgets
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.scan import NeverStopped, Scan, sleep
from janitor.dynamodb.slowing import throttle_of
from janitor.errors import JanitorError
from janitor.readers.interface import Batch, DeletableRow, Rules
from janitor.readers.judging import judge
from janitor.readers.packed import PackedRow, pack, unpack
from janitor.readers.tally import Tally
from janitor.readers.threads import filter_of

_OTHER_VERSION = "other-version"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the table is.

    Attributes:
        table: its name.
        region, profile, role_arn, endpoint_url: the way there, as of the options of these names.
        rate: read units a second; None for as many as there are.
    """

    table: str
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
    place: Place
    segment: int
    segments: int
    rules: Rules
    patterns: Sequence[str] = ()


class SegmentResult(NamedTuple):
    """What came of a segment.

    Attributes:
        batch: what its rows came to.
        requests: how many were sent.
        throttled: how many of those the server throttled.
    """

    batch: Batch
    requests: int
    throttled: int


class _Failure(msgspec.Struct):
    sentence: str
    way_out: str | None
    code: str


class _Deletable(msgspec.Struct, array_like=True):
    item: bytes
    fingerprint: str
    found: PackedRow

    def __repr__(self) -> str:
        return "_Deletable(…)"


class _Answer(msgspec.Struct, array_like=True):
    tally: Tally | None = None
    found: list[PackedRow] = msgspec.field(default_factory=list)
    deletable: list[_Deletable] = msgspec.field(default_factory=list)
    fitting: list[str] = msgspec.field(default_factory=list)
    requests: int = 0
    throttled: int = 0
    failure: _Failure | None = None


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE_TASK = msgspec.msgpack.Decoder(SegmentTask).decode
_DECODE_ANSWER = msgspec.msgpack.Decoder(_Answer).decode


class Hands(Protocol):
    """Those who read for the process that decides: `processes.Processes`, or `dask_cluster.DaskCluster`."""

    def count(self) -> int:
        """How many read at once at present, one at least."""

    def answers(self, tasks: Iterator[bytes]) -> Iterator[bytes]:
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
        place: Place,
        segments: int,
        hands: Hands,
        note_requests: Callable[[int, int], None],
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            place: where the table is; its rate is that of all readers together.
            segments: into how many parts the table is cut.
            hands: who reads them.
            note_requests: told how many requests a segment took, and how many of them were throttled.
        """
        self._place, self._segments = place, segments
        self._hands, self._note_requests = hands, note_requests

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """As `Reader.batches`: a batch a segment."""
        for answer in self._hands.answers(self._tasks(rules, patterns)):
            result = decoded(answer)
            self._note_requests(result.requests, result.throttled)
            yield result.batch

    def _tasks(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[bytes]:
        for segment in range(self._segments):
            rate = None if self._place.rate is None else self._place.rate / self._hands.count()
            yield encoded(
                SegmentTask(
                    version=__version__,
                    place=structs.replace(self._place, rate=rate),
                    segment=segment,
                    segments=self._segments,
                    rules=rules,
                    patterns=tuple(patterns()),
                )
            )


def encoded(task: SegmentTask) -> bytes:
    """The task, to be sent to a reader."""
    return _ENCODE(task)


def read_segment(task: bytes) -> bytes:
    """Read a segment to its end. What goes wrong is a part of the answer; nothing of a row is in its words."""
    try:
        return _ENCODE(_read(_DECODE_TASK(task)))
    except JanitorError as error:
        failure = _Failure(error.sentence, error.way_out, error.code)
    except Exception as error:  # noqa: BLE001  # a bug must end the run, not the reader; its words may hold a row
        failure = _Failure(f"reading a segment broke off ({type(error).__name__})", None, "bug")
    return _ENCODE(_Answer(failure=failure))


def decoded(answer: bytes) -> SegmentResult:
    """What a reader answered.

    Raises:
        JanitorError: the segment could not be read.
    """
    got = _DECODE_ANSWER(answer)
    if got.failure is not None or got.tally is None:
        failure = got.failure or _Failure("a reader gave no answer", "run it again", "no-answer")
        raise JanitorError(failure.sentence, failure.way_out, failure.code)
    batch = Batch(
        got.tally,
        [unpack(row) for row in got.found],
        [DeletableRow(row.item, row.fingerprint, unpack(row.found)) for row in got.deletable],
        got.fitting,
    )
    return SegmentResult(batch, got.requests, got.throttled)


def _read(task: SegmentTask) -> _Answer:
    if task.version != __version__:
        sentence = f"a reader has janitor {__version__}, and this is {task.version}"
        raise JanitorError(sentence, "give both the same version", _OTHER_VERSION)
    aws, budgets = _way_to(task.place)
    before = aws.traffic.requests, aws.traffic.throttled
    answer = _Answer(tally=Tally())
    assert answer.tally is not None  # noqa: S101  # made a line above
    scan = Scan(
        client=aws.dynamodb,
        table=task.place.table,
        segments=task.segments,
        filter=lambda: filter_of(task.rules, task.patterns),
        stop=NeverStopped(),
        budgets=budgets,
    )
    fitting: set[str] = set()
    for page in scan.segment_pages(task.segment, sleep):
        batch = judge(page, task.rules, task.patterns)
        answer.tally.add_all(batch.tally)
        answer.found += map(pack, batch.found)
        answer.deletable += (_Deletable(row.item, row.fingerprint, pack(row.found)) for row in batch.deletable)
        fitting.update(batch.fitting)
    answer.fitting = sorted(fitting)
    answer.requests = aws.traffic.requests - before[0]
    answer.throttled = aws.traffic.throttled - before[1]
    return answer


@functools.cache
def _way_to(place: Place) -> tuple[Aws, Budgets]:
    """A session, and what may be spent through it: one for all segments of a table that this process reads."""
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
    budgets = Budgets(reads=Budget(place.rate, time.monotonic), writes=Budget(None, time.monotonic))
    aws.on_throttle = functools.partial(throttle_of, budgets, place.table)
    return aws, budgets

"""Scan a table page by page, in one segment or in several parallel ones.

A single segment is read by the caller's own thread. With several, each has a thread that reads one page after the other
and hands them to the caller through a short queue, so a slow caller slows the segments down and memory stays flat. The
first error of any segment ends the scan: otherwise its rows would be missing from every count.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import Budgets, Wait
from janitor.dynamodb.decode import Page, page_of
from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import get_logger
from janitor.stopping import StopRequest
from janitor.tokens.attribute_names import (
    CREATED_BY,
    CREATED_DATE,
    EXPIRATION,
    GROUPS,
    HOLD,
    IS_SYSTEM,
    KEY,
    NAME,
    USERNAME,
    UUID,
)
from janitor.tokens.dialect import SHA256_DIGITS, Dialect
from janitor.tokens.expiration import MAX_SECONDS
from janitor.tokens.policy import Policy
from janitor.tokens.protection import longest_literal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.scan")

# One segment reads about 12 MB a second at 80 ms a page, and one core decodes about eight segments. Eight also stay
# within the 12,000 read units a second of a new on-demand table.
MAX_AUTO_SEGMENTS = 8
BYTES_PER_AUTO_SEGMENT = 16 * 1024 * 1024

_WAKE_SECONDS = 0.2
_MAX_SLEEP_SECONDS = 3_600.0
# One page waits in the queue, and one more in each segment: enough to keep the caller busy, and little memory.
_QUEUED_PAGES = 1
# DynamoDB accepts expressions of up to 4 KB with up to 300 operators.
_MAX_USER_CLAUSES = 50
# Each clause costs the server time for each row, so there are few.
_CHECKED_GROUPS = 3
_CAPITALS = "ABCDEF"


def choose_segments(size_bytes: int) -> int:
    """Return how many segments a search for single rows reads at once: one for each 16 MB of the table, 1 to 8."""
    return max(1, min(MAX_AUTO_SEGMENTS, -(-size_bytes // BYTES_PER_AUTO_SEGMENT)))


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One pass over a table.

    Attributes:
        client: made with the page parser.
        table: the table's name.
        segments: how many segments are read at once.
        filter: returns the request's filter, from `build_filter` or `build_projection`; called before each page.
        stop: a request ends the scan early, without an error.
        budgets: what the pages may cost; shared by all segments.
    """

    client: "DynamoDBClient"
    table: str
    segments: int
    filter: Callable[[], dict[str, Any]]
    stop: StopRequest
    budgets: Budgets = msgspec.field(default_factory=partial(Budgets.unlimited, time.monotonic))

    def pages(self) -> Iterator[Page]:
        """Read every page of every segment, in the order they arrive.

        Raises:
            AwsError: a segment could not be read to its end.
        """
        return self._read_in_caller() if self.segments == 1 else self._read_in_threads()

    def _read_in_caller(self) -> Iterator[Page]:
        pages = self.segment_pages(0, sleep)
        with suppress(StopRequestedError):
            while not self.stop.is_requested():
                with self.stop.interruptible_wait():
                    page = next(pages, None)
                if page is None:
                    return
                yield page

    def _read_in_threads(self) -> Iterator[Page]:
        arrived: queue.Queue[Page | JanitorError | None] = queue.Queue(maxsize=_QUEUED_PAGES)
        ended = threading.Event()
        for segment in range(self.segments):
            context = contextvars.copy_context()
            arguments = (self._read_segment, segment, arrived, ended)
            threading.Thread(target=context.run, args=arguments, daemon=True, name=f"segment-{segment}").start()
        try:
            yield from self._drain(arrived)
        finally:
            ended.set()

    def _drain(self, arrived: "queue.Queue[Page | JanitorError | None]") -> Iterator[Page]:
        running = self.segments
        while running and not self.stop.is_requested():
            try:
                item = arrived.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, JanitorError):
                raise item
            if item is None:
                running -= 1
            else:
                yield item

    def _read_segment(
        self, segment: int, arrived: "queue.Queue[Page | JanitorError | None]", ended: threading.Event
    ) -> None:
        def wait(seconds: float) -> bool:
            return self.stop.pause(min(seconds, _WAKE_SECONDS)) or ended.is_set()

        try:
            for page in self.segment_pages(segment, wait):
                _put(arrived, page, ended)
                if ended.is_set():
                    return
            _put(arrived, None, ended)
        except JanitorError as error:
            _put(arrived, error, ended)
        except Exception as error:  # noqa: BLE001  # a thread's bug must end the run, not hang it
            _put(arrived, JanitorError(f"reading a segment failed ({type(error).__name__})", code="bug"), ended)

    def segment_pages(self, segment: int, wait: Wait) -> Iterator[Page]:
        """Read the pages of one segment. `wait` waits for units, and returns True to end early.

        Raises:
            AwsError: the segment could not be read to its end.
        """
        request: dict[str, Any] = {"TableName": self.table, "ReturnConsumedCapacity": "TOTAL"}
        if self.segments > 1:
            request |= {"Segment": segment, "TotalSegments": self.segments}
        number = 0
        while (allowance := self.budgets.take_page(wait)) is not None:
            allowance.set_limit(request)
            request |= self.filter()
            with aws_errors("dynamodb:Scan", f"the table {self.table}"):
                response = self.client.scan(**request)
            page = page_of(response, "dynamodb:Scan")
            self.budgets.correct_page(allowance, page.scanned, page.read_units or estimate_units(page))
            log.debug("page.read", segment=segment, page=number, rows=page.scanned, bytes=page.size)
            yield page
            if page.next_key is None:
                return
            request["ExclusiveStartKey"] = page.next_key
            number += 1


def sleep(seconds: float) -> bool:
    """Wait so many seconds, at most an hour, in the main thread, where a signal may interrupt the wait."""
    time.sleep(min(seconds, _MAX_SLEEP_SECONDS))
    return False


def estimate_units(page: Page) -> float:
    """Return the least that a page cost, for a server that does not say it."""
    return max(1, -(-page.size // 4096)) / 2


def _put(
    arrived: "queue.Queue[Page | JanitorError | None]", item: Page | JanitorError | None, ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            return arrived.put(item, timeout=_WAKE_SECONDS)
        except queue.Full:
            continue
    return None


def build_filter(
    now: int, policy: Policy, *, whole_items: bool = False, patterns: Sequence[str] = ()
) -> dict[str, Any]:
    """Build arguments for Scan that filter out plainly active rows, and the attributes that janitor does not use.

    Args:
        now: the UNIX second at which rows are judged.
        policy: the rules by which they are judged.
        whole_items: whether rows come with every attribute, as a plan and an archive need them.
        patterns: shell patterns of users whose rows all come too, with some rows that none of the patterns matches.

    A row is filtered out only if its date is a number within (`now` + horizon, 99 999 999 999] after LISA's truncation.
    In a hashed table also only if its `tokenUUID` is a text that is not empty, its key may be a sha256, and its other
    attributes are of the types that LISA writes. Three things the filter does not see, so an active row that is odd in
    nothing else stays unnoticed (docs/explanation/states-and-gates.md): a fraction in a date, a group behind the first
    three that is no text, and a key of 64 characters that is no sha256 but has none of the capitals A to F.
    """
    clauses = ["attribute_not_exists(#e)", "NOT attribute_type(#e, :number)", "#e < :from", "#e >= :beyond"]
    values = {
        ":number": {"S": "N"},
        ":from": {"N": str(now + policy.horizon + 1)},
        ":beyond": {"N": str(MAX_SECONDS + 1)},
    }
    if policy.dialect is Dialect.HASHED:
        clauses += ["attribute_not_exists(#u)", "NOT attribute_type(#u, :text)", "#u = :empty", *_HASHED_CLAUSES]
        values |= {":text": {"S": "S"}, ":empty": {"S": ""}, **_HASHED_VALUES}
    user_clauses, user_values = _build_user_clauses(patterns)
    clauses += user_clauses
    values |= user_values
    expression = " OR ".join(clauses)
    # DynamoDB refuses a placeholder that no expression uses.
    names = {mark: name for mark, name in _NAMES.items() if not whole_items or mark in expression}
    arguments = {
        "FilterExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return arguments if whole_items else arguments | {"ProjectionExpression": ", ".join(names)}


def _build_user_clauses(patterns: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Build the clauses that let through the rows of users whom these patterns may match, and their values."""
    literals = sorted({longest_literal(pattern) for pattern in patterns})
    if not literals:
        return [], {}
    if not all(literals) or len(literals) > _MAX_USER_CLAUSES:
        return ["attribute_exists(#o)"], {}
    clauses = [f"contains(#o, :o{number})" for number in range(len(literals))]
    return clauses, {f":o{number}": {"S": literal} for number, literal in enumerate(literals)}


def build_projection() -> dict[str, Any]:
    """Build arguments for Scan or Query that return every row with the attributes that janitor uses."""
    return {"ExpressionAttributeNames": _NAMES, "ProjectionExpression": ", ".join(_NAMES)}


def _other_type(path: str, kind: str) -> str:
    return f"attribute_exists({path}) AND NOT attribute_type({path}, {kind})"


# What a row of a hashed table may have that makes it a finding whatever its date (`janitor.tokens.reasons`).
_HASHED_CLAUSES = (
    "size(#k) <> :digits",
    *(f"contains(#k, :{letter})" for letter in _CAPITALS),
    *(_other_type(path, ":text") for path in ("#n", "#c")),
    _other_type("#d", ":number"),
    _other_type("#s", ":truth"),
    _other_type("#g", ":list"),
    *(_other_type(f"#g[{position}]", ":text") for position in range(_CHECKED_GROUPS)),
)
_HASHED_VALUES = {
    ":digits": {"N": str(SHA256_DIGITS)},
    **{f":{letter}": {"S": letter} for letter in _CAPITALS},
    ":truth": {"S": "BOOL"},
    ":list": {"S": "L"},
}

# Several of LISA's attributes are reserved words in DynamoDB, so each has a placeholder.
_NAMES = {
    "#k": KEY,
    "#e": EXPIRATION,
    "#u": UUID,
    "#o": USERNAME,
    "#n": NAME,
    "#c": CREATED_BY,
    "#d": CREATED_DATE,
    "#s": IS_SYSTEM,
    "#h": HOLD,
    "#g": GROUPS,
}

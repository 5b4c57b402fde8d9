"""Table to pages, by one segment or by several in parallel.

One segment is read by the caller itself. Of several, each is a thread that asks for one page after the other and hands
them to the caller through a short queue, so that a slow reader holds the segments up and memory stays flat. The first
error of any segment ends the scan: its rows would be missing from every count.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import Budgets, Wait
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.locate import KEY
from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import get_logger
from janitor.tokens.dialect import Dialect
from janitor.tokens.expiration import MAX_SECONDS
from janitor.tokens.policy import Policy
from janitor.tokens.protection import text_in_every_match

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.scan")

# One segment reads about 12 MB a second at 80 ms a page, and a core decodes about eight of them. Eight also stay within
# the 12,000 read units a second of a new on-demand table.
MAX_AUTO_SEGMENTS = 8
BYTES_PER_AUTO_SEGMENT = 16 * 1024 * 1024

_WAKE_SECONDS = 0.2
_LONGEST_SLEEP_SECONDS = 3_600.0
# A page waits here, one more in each segment's hands: enough to keep the reader busy, and no more memory than that.
_PAGES_AHEAD = 1
# DynamoDB takes an expression of 4 KB, and 300 operators in it.
_MOST_CLAUSES_OF_USERS = 50


def segments_for(size_bytes: int) -> int:
    """How many segments `--segments auto` means for a table of this size in bytes: one for each 16 MB, 1 to 8."""
    return max(1, min(MAX_AUTO_SEGMENTS, -(-size_bytes // BYTES_PER_AUTO_SEGMENT)))


class StopRequest(Protocol):
    """Somebody who may ask for an early end."""

    def is_requested(self) -> bool:
        """Asked between two pages."""

    def waiting(self) -> AbstractContextManager[None]:
        """Entered while the caller's own thread waits for a page; may raise StopRequestedError."""

    def pause(self, seconds: float) -> bool:
        """Waits so long in a segment's thread, or until a request comes; True when there is one."""


class NeverStopped:
    """Nobody asks for an early end, but whoever ends the process."""

    def is_requested(self) -> bool:
        """No."""
        return False

    def waiting(self) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def pause(self, seconds: float) -> bool:
        """Wait so long."""
        time.sleep(seconds)
        return False


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One pass over a table.

    Attributes:
        client: made with the page parser.
        table: the table's name.
        segments: how many parts are read at once.
        filter: the server-side filter's arguments, from `filter_for` or `unfiltered`; asked for before each page.
        stop: a request ends the scan early and quietly.
        budgets: what the pages may cost; all segments draw on it.
    """

    client: "DynamoDBClient"
    table: str
    segments: int
    filter: Callable[[], dict[str, Any]]
    stop: StopRequest
    budgets: Budgets = msgspec.field(default_factory=partial(Budgets.unlimited, time.monotonic))

    def pages(self) -> Iterator[Page]:
        """Every page of every segment, in the order they arrive.

        Raises:
            AwsError: a segment could not be read to its end.
        """
        return self._by_caller() if self.segments == 1 else self._by_threads()

    def _by_caller(self) -> Iterator[Page]:
        pages = self.segment_pages(0, sleep)
        with suppress(StopRequestedError):
            while not self.stop.is_requested():
                with self.stop.waiting():
                    page = next(pages, None)
                if page is None:
                    return
                yield page

    def _by_threads(self) -> Iterator[Page]:
        arrived: queue.Queue[Page | JanitorError | None] = queue.Queue(maxsize=_PAGES_AHEAD)
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
            _put(arrived, JanitorError(f"reading a segment broke off ({type(error).__name__})", code="bug"), ended)

    def segment_pages(self, segment: int, wait: Wait) -> Iterator[Page]:
        """The pages of one segment. `wait` waits for units, and says whether to go on.

        Raises:
            AwsError: it could not be read to its end.
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
            self.budgets.settle_page(allowance, page.scanned, page.read_units or units_of(page))
            log.debug("page.read", segment=segment, page=number, rows=page.scanned, bytes=page.size)
            yield page
            if page.next_key is None:
                return
            request["ExclusiveStartKey"] = page.next_key
            number += 1


def sleep(seconds: float) -> bool:
    """Wait so long in the main thread, or an hour, within `StopRequest.waiting`, where a signal raises."""
    time.sleep(min(seconds, _LONGEST_SLEEP_SECONDS))
    return False


def units_of(page: Page) -> float:
    """What a page cost at least, from a server that does not say it."""
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


def filter_for(now: int, policy: Policy, *, whole_items: bool = False, patterns: Sequence[str] = ()) -> dict[str, Any]:
    """Scan's arguments that keep plainly active rows off the wire, and of the others all attributes we do not read.

    Args:
        now: the UNIX second at which rows are judged.
        policy: by which rules.
        whole_items: whether rows come with every attribute, as a plan and an archive need them.
        patterns: shell patterns of users whose rows come too, active or not, and some that none of them fits.

    A row stays away only if its date is a number within (`now` + horizon, 99 999 999 999] after LISA's truncation and,
    in a hashed table, if its `tokenUUID` is a text that is not empty.
    """
    clauses = ["attribute_not_exists(#e)", "NOT attribute_type(#e, :number)", "#e < :from", "#e >= :beyond"]
    values = {
        ":number": {"S": "N"},
        ":from": {"N": str(now + policy.horizon + 1)},
        ":beyond": {"N": str(MAX_SECONDS + 1)},
    }
    if policy.dialect is Dialect.HASHED:
        clauses += ["attribute_not_exists(#u)", "NOT attribute_type(#u, :text)", "#u = :empty"]
        values |= {":text": {"S": "S"}, ":empty": {"S": ""}}
    of_users, texts = _of_users(patterns)
    clauses += of_users
    values |= texts
    used = {"#e", "#u"} if policy.dialect is Dialect.HASHED else {"#e"}
    used |= {"#o"} if of_users else set()
    names = {placeholder: name for placeholder, name in _NAMES.items() if not whole_items or placeholder in used}
    arguments = {
        "FilterExpression": " OR ".join(clauses),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return arguments if whole_items else arguments | {"ProjectionExpression": ", ".join(names)}


def _of_users(patterns: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The clauses that let rows of users through whom these patterns may fit, and the values in them."""
    texts = sorted({text_in_every_match(pattern) for pattern in patterns})
    if not texts:
        return [], {}
    if not all(texts) or len(texts) > _MOST_CLAUSES_OF_USERS:
        return ["attribute_exists(#o)"], {}
    clauses = [f"contains(#o, :o{number})" for number in range(len(texts))]
    return clauses, {f":o{number}": {"S": text} for number, text in enumerate(texts)}


def unfiltered() -> dict[str, Any]:
    """Scan's arguments that bring every row, active ones too, and of each the attributes that janitor reads."""
    return {"ExpressionAttributeNames": _NAMES, "ProjectionExpression": ", ".join(_NAMES)}


# Several of LISA's attributes are reserved words, so every one goes by a placeholder.
_NAMES = {
    "#k": KEY,
    "#e": "tokenExpiration",
    "#u": "tokenUUID",
    "#o": "username",
    "#n": "name",
    "#c": "createdBy",
    "#d": "createdDate",
    "#s": "isSystemToken",
    "#h": "janitorHold",
}

"""Reads a table in this process: one segment, or several at once in threads, each page judged as it comes."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.scan import Scan, StopRequest, filter_for, unfiltered
from janitor.readers.interface import Batch, Rules
from janitor.readers.judging import judge

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Threads:
    """A reader that waits for several answers at once. Judging is one thread's: more would only wait for each other."""

    def __init__(
        self, client: "DynamoDBClient", table: str, *, segments: int, stop: StopRequest, budgets: Budgets
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            client: made with the page parser.
            table: the table's name.
            segments: how many parts are read at once.
            stop: a request ends the reading early and quietly.
            budgets: what the pages may cost.
        """
        self._client, self._table, self._segments = client, table, segments
        self._stop, self._budgets = stop, budgets

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """As `Reader.batches`: a batch a page."""
        scan = Scan(
            client=self._client,
            table=self._table,
            segments=self._segments,
            filter=lambda: filter_of(rules, patterns()),
            stop=self._stop,
            budgets=self._budgets,
        )
        for page in scan.pages():
            yield judge(page, rules, patterns())


def filter_of(rules: Rules, patterns: Sequence[str]) -> dict[str, Any]:
    """Scan's arguments that bring the rows which have to be looked at, and of those what has to be known.

    Rows of users whom one of the patterns may fit come too, active or not, so that it can be told whether it fits any.
    """
    if rules.listing is not None and rules.listing.wants_active:
        return unfiltered()
    return filter_for(rules.now, rules.policy, whole_items=rules.plans, patterns=patterns)

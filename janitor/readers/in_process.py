"""Readers that run in this process, and judge each page as it arrives."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page
from janitor.dynamodb.scan import Scan, build_filter, build_projection
from janitor.readers.interface import Batch, Rules
from janitor.readers.judging import judge_page
from janitor.stopping import StopRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class PageReader:
    """Reads the pages of an export, a dump, a plan or a table, one after the other."""

    def __init__(self, pages: Callable[[], Iterable[Page]]) -> None:
        """Prepare; `pages` returns every page once."""
        self._pages = pages

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """Yield one batch for each page."""
        for page in self._pages():
            yield judge_page(page, rules, patterns())


class ThreadReader:
    """Reads a table, one segment after the other or several at once in threads.

    One thread judges all pages: more would only wait for each other.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, *, segments: int, stop: StopRequest, budgets: Budgets
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            client: made with the page parser.
            table: the table's name.
            segments: how many segments are read at once.
            stop: a request ends the reading early, without an error.
            budgets: what the pages may cost.
        """
        self._client, self._table, self._segments = client, table, segments
        self._stop, self._budgets = stop, budgets

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """Yield one batch for each page."""
        scan = Scan(
            client=self._client,
            table=self._table,
            segments=self._segments,
            filter=lambda: build_scan_filter(rules, patterns()),
            stop=self._stop,
            budgets=self._budgets,
        )
        for page in scan.pages():
            yield judge_page(page, rules, patterns())


def build_scan_filter(rules: Rules, patterns: Sequence[str]) -> dict[str, Any]:
    """Build arguments for Scan that return the rows to judge, with the attributes that are needed.

    Rows of users whom one of the patterns may match come too, active or not, to find out whether it matches any.
    """
    if rules.listing is not None and rules.listing.wants_active:
        return build_projection()
    return build_filter(rules.now, rules.policy, whole_items=rules.plans, patterns=patterns)

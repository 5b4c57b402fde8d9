"""Reads by itself: pages of a table, an export, a dump or a plan, one after the other, each judged as it comes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from janitor.dynamodb.decode import Page
from janitor.readers.interface import Batch, Rules
from janitor.readers.judging import judge


class Pages:
    """A reader of whatever gives pages. Those of a table may come from several threads (`janitor.dynamodb.scan`)."""

    def __init__(self, pages: Callable[[], Iterable[Page]]) -> None:
        """Args: gives every page once."""
        self._pages = pages

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """As `Reader.batches`: a batch a page."""
        for page in self._pages():
            yield judge(page, rules, patterns())

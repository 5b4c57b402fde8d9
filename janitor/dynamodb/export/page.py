"""A page of rows that no server sent."""

from collections.abc import Callable

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError, SourceError


class SourcePage(Page):
    """As a page of a table, whole rows, and all of them. It costs no read units."""

    __slots__ = ("_row_name",)

    def __init__(self, items: list[msgspec.Raw], row_name: Callable[[int], str]) -> None:
        """Take the rows.

        Args:
            items: of each its DynamoDB JSON.
            row_name: what an error calls the row at a position.
        """
        self._body = b'{"Items":[%b]}' % b",".join(items)
        self._items = items
        self._row_name = row_name
        self.count = self.scanned = len(items)
        self.next_key = None
        self.read_units = 0.0

    def _unreadable(self, position: int, error: Exception) -> JanitorError:
        sentence = f"{self._row_name(position)} is no row of a token table in DynamoDB's JSON: {error}"
        return SourceError(sentence, "make the dump with `aws dynamodb scan --output json`", "source-row")

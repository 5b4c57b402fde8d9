"""A page of rows that no server sent."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError, SourceError
from janitor.tokens.row import Glance, Row


class _Key(msgspec.Struct, gc=False):
    S: str


class _Keyed(Glance, kw_only=True, gc=False):
    """As a glance at a row of a table, of which DynamoDB has seen to it that there is a key."""

    key: _Key = msgspec.field(name="token")


class _Glances(msgspec.Struct, gc=False):
    glances: list[_Keyed] = msgspec.field(name="Items")


class _KeyAlone(msgspec.Struct, gc=False):
    key: _Key = msgspec.field(name="token")


_GLANCES = msgspec.json.Decoder(_Glances, strict=False)
_KEY_ALONE = msgspec.json.Decoder(_KeyAlone)
_UNREADABLE = (ValueError, RecursionError)


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

    def glances(self) -> Sequence[Glance]:
        """As `Page` has it.

        Raises:
            SourceError: a row has no key, or one that is no text.
        """
        try:
            return _GLANCES.decode(self._body).glances
        except _UNREADABLE:
            # A date that is not whole, or a row without a key.
            self._check_keys(range(self.count))
            return super().glances()

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """As `Page` has it.

        Raises:
            SourceError: a row does not decode, or has no key, or one that is no text.
        """
        positions = list(positions)
        rows = super().rows(positions)
        if any(row.key.S is None for row in rows):
            self._check_keys(positions)
        return rows

    def _check_keys(self, positions: Iterable[int]) -> None:
        for position in positions:
            try:
                _KEY_ALONE.decode(self._items[position])
            except _UNREADABLE as error:
                raise self._unreadable(position, error) from None

    def _unreadable(self, position: int, error: Exception) -> JanitorError:
        sentence = f"{self._row_name(position)} is no row of a token table in DynamoDB's JSON: {error}"
        return SourceError(sentence, "make the dump with `aws dynamodb scan --output json`", "source-row")

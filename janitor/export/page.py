"""A page of rows from an export or a dump, instead of a server."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError, SourceError
from janitor.tokens.row import Glance, Row, TextGlance


class _Key(TextGlance, gc=False):
    S: str


class _GlanceWithKey(Glance, kw_only=True, gc=False):
    """A glance that also requires a key. In a table DynamoDB guarantees it; a file may lack it."""

    key: _Key = msgspec.field(name="token")


class _KeyOnly(msgspec.Struct, gc=False):
    key: _Key = msgspec.field(name="token")


_GLANCES = msgspec.json.Decoder(list[_GlanceWithKey], strict=False)
_KEY_ONLY = msgspec.json.Decoder(_KeyOnly)
_UNREADABLE = (ValueError, RecursionError)


class SourcePage(Page):
    """A page with whole rows, none filtered out. It costs no read units."""

    __slots__ = ("_name_row",)

    def __init__(self, items: list[msgspec.Raw], name_row: Callable[[int], str]) -> None:
        """Make a page of these rows.

        Args:
            items: the rows' DynamoDB JSON.
            name_row: returns the name in errors of the row at a position.
        """
        self._items = items
        self.size = sum(map(len, items))
        self._name_row = name_row
        self.count = self.scanned = len(items)
        self.next_key = None
        self.read_units = 0.0

    def _decode_glances(self, positions: range) -> Sequence[Glance]:
        """Decode a glance at these rows, and check their keys.

        Raises:
            SourceError: a row has no key, or one that is not a text.
        """
        try:
            return _GLANCES.decode(self._join_items(positions))
        except _UNREADABLE:
            # An attribute is of another type than LISA writes, a date is not a whole number, or a row has no key.
            self._check_keys(positions)
            return super()._decode_glances(positions)

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """Decode the rows at these positions as a whole, and check their keys.

        Raises:
            SourceError: a row cannot be decoded, or has no key, or one that is not a text.
        """
        positions = list(positions)
        rows = super().rows(positions)
        if any(row.key.S is None for row in rows):
            self._check_keys(positions)
        return rows

    def _check_keys(self, positions: Iterable[int]) -> None:
        for position in positions:
            try:
                _KEY_ONLY.decode(self._items[position])
            except _UNREADABLE as error:
                raise self._unreadable_error(position, error) from None

    def _unreadable_error(self, position: int, error: Exception) -> JanitorError:
        sentence = f"{self._name_row(position)} is not a row of a token table in DynamoDB JSON: {error}"
        return SourceError(sentence, "make the dump with `aws dynamodb scan --output json`", "source-row")

"""What `aws dynamodb scan --output json` prints, to pages.

    {"Items": [{…}, …], "Count": 2, "ScannedCount": 2, "ConsumedCapacity": null}

The keys come in any order, the text is indented or not, and several of these may stand one after the other, as a loop
over parts or segments of a table leaves them. `--query Items` leaves the array alone, which says nothing of how many
rows there should be.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import SourceError
from janitor.export.page import SourcePage
from janitor.export.window import Window

# What the CLI leaves where it stopped before the table's end (--max-items, --no-paginate).
_GOES_ON = ("NextToken", "LastEvaluatedKey")
_COUNTS = ("Count", "ScannedCount")
_COUNT = msgspec.json.Decoder(int | None)
_KEY = msgspec.json.Decoder(str)


def pages_of_dump(chunks: Iterator[bytes], name: str, warn: Callable[[str], None] = lambda _: None) -> Iterator[Page]:
    """A page for about every megabyte.

    Args:
        chunks: the dump, cut anywhere.
        name: what an error calls it.
        warn: told at the end, in a sentence, that rows may be missing.

    Raises:
        SourceError: it is damaged or cut short, was made with a filter, or is none.
    """
    window, rows, dumps, going_on = Window(chunks, name), 0, 0, 0
    document = _Document(window, name)
    while window.peek():
        document = _Document(window, name)
        for items in document.items():
            if items:
                yield SourcePage(items, partial(_row_name, name, rows))
            rows += len(items)
        dumps += 1
        going_on += document.goes_on is not None
    if document.goes_on:
        sentence = f"{name} is cut short: it ends with a {document.goes_on}, where `aws dynamodb scan` was to go on"
        raise SourceError(sentence, "make it without --max-items and --no-paginate", "source-cut-short")
    if going_on:
        warn(f"{going_on:,} of {dumps:,} dumps in it say that they go on; if they are segments, rows are missing")


class _Document:
    """One answer, or one array.

    Attributes:
        goes_on: the key that says that there is more to come; None where there is not.
    """

    def __init__(self, window: Window, name: str) -> None:
        self.goes_on: str | None = None
        self._window = window
        self._name = name
        self._rows = 0
        self._counts: dict[str, int | None] = {}

    def items(self) -> Iterator[list[msgspec.Raw]]:
        """Take the document; its items by the megabyte."""
        if self._window.take(b"["):
            yield from self._window.elements()
            return
        self._expect(b"{")
        has_items = False
        while True:
            key = self._key()
            if key == "Items":
                has_items = True
                self._expect(b"[")
                yield from self._counted()
            else:
                self._note(key, self._window.value())
            if not self._window.take(b","):
                break
        self._expect(b"}")
        self._check(has_items=has_items)

    def _counted(self) -> Iterator[list[msgspec.Raw]]:
        for items in self._window.elements():
            self._rows += len(items)
            yield items

    def _key(self) -> str:
        try:
            key = _KEY.decode(self._window.value())
        except ValueError:
            raise self._window.failure() from None
        self._expect(b":")
        return key

    def _note(self, key: str, value: bytes) -> None:
        if key in _COUNTS:
            try:
                self._counts[key] = _COUNT.decode(value)
            except ValueError:
                raise self._window.failure() from None
        elif key in _GOES_ON and value != b"null":
            self.goes_on = key

    def _expect(self, byte: bytes) -> None:
        if not self._window.take(byte):
            raise self._window.failure()

    def _check(self, *, has_items: bool) -> None:
        count, scanned = (self._counts.get(key) for key in _COUNTS)
        if not has_items or count is None or scanned is None:
            sentence = f"{self._name} is no whole dump: it has no {'Items' if not has_items else 'Count'}"
            raise SourceError(sentence, "make it with `aws dynamodb scan --output json`, without --query")
        if self.goes_on is not None:
            # The CLI then counts the rows of the page that it was in, not those that it has printed of it.
            return
        if scanned > count:
            raise SourceError(
                f"{self._name} was made with a filter: it holds {count:,} of {scanned:,} rows, so nobody can tell what "
                "the others are",
                "make it without --filter-expression",
                "source-filtered",
            )
        if count != self._rows:
            raise SourceError(
                f"{self._name} is damaged: it holds {self._rows:,} rows where its Count says {count:,}",
                "make it anew",
                "source-cut-short",
            )


def _row_name(name: str, before: int, position: int) -> str:
    return f"{name}, item {before + position + 1:,},"

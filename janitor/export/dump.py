"""Read the output of `aws dynamodb scan --output json` as pages.

    {"Items": [{…}, …], "Count": 2, "ScannedCount": 2, "ConsumedCapacity": null}

The keys come in any order, with or without indentation. A dump may hold several of these documents one after the other,
as a loop over parts or segments of a table writes them. With `--query Items` there is only the array, which does not
say how many rows there should be.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import SourceError
from janitor.export.json_window import JsonWindow
from janitor.export.page import SourcePage

# The keys that the CLI writes where it stopped before the table's end (--max-items, --no-paginate).
_CONTINUATION_KEYS = ("NextToken", "LastEvaluatedKey")
_COUNTS = ("Count", "ScannedCount")
_COUNT = msgspec.json.Decoder(int | None)
_KEY = msgspec.json.Decoder(str)


def read_dump_pages(chunks: Iterator[bytes], name: str, warn: Callable[[str], None] = lambda _: None) -> Iterator[Page]:
    """Read a dump, in pages of about a megabyte.

    Args:
        chunks: the dump, cut anywhere.
        name: its name in errors.
        warn: called at the end with a sentence, if rows may be missing.

    Raises:
        SourceError: it is damaged or truncated, was made with a filter, or is not a dump.
    """
    window, rows, dumps, unfinished = JsonWindow(chunks, name), 0, 0, 0
    document = _Document(window, name)
    while window.peek():
        document = _Document(window, name)
        for items in document.items():
            if items:
                yield SourcePage(items, partial(_name_row, name, rows))
            rows += len(items)
        dumps += 1
        unfinished += document.continuation_key is not None
    if document.continuation_key:
        sentence = f"{name} is not complete: it ends with {document.continuation_key}, so the table has more rows"
        raise SourceError(sentence, "make it without --max-items and --no-paginate", "source-cut-short")
    if unfinished:
        warn(f"{unfinished:,} of {dumps:,} dumps in it are not complete; if they are segments, rows are missing")


class _Document:
    """One answer of Scan, or one array of items.

    Attributes:
        continuation_key: the key that says that the table has more rows; None if it has not.
    """

    def __init__(self, window: JsonWindow, name: str) -> None:
        self.continuation_key: str | None = None
        self._window = window
        self._name = name
        self._rows = 0
        self._counts: dict[str, int | None] = {}

    def items(self) -> Iterator[list[msgspec.Raw]]:
        """Read the document, and yield its items in pieces of about a megabyte."""
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
                yield from self._count_items()
            else:
                self._note(key, self._window.value())
            if not self._window.take(b","):
                break
        self._expect(b"}")
        self._check(has_items=has_items)

    def _count_items(self) -> Iterator[list[msgspec.Raw]]:
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
        elif key in _CONTINUATION_KEYS and value != b"null":
            self.continuation_key = key

    def _expect(self, byte: bytes) -> None:
        if not self._window.take(byte):
            raise self._window.failure()

    def _check(self, *, has_items: bool) -> None:
        count, scanned = (self._counts.get(key) for key in _COUNTS)
        if not has_items or count is None or scanned is None:
            sentence = f"{self._name} is not a complete dump: it has no {'Items' if not has_items else 'Count'}"
            raise SourceError(sentence, "make it with `aws dynamodb scan --output json`, without --query")
        if self.continuation_key is not None:
            # The CLI then counts all rows of its last page, not only those that it printed.
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
                f"{self._name} is damaged: it holds {self._rows:,} rows, but its Count says {count:,}",
                "make it again",
                "source-cut-short",
            )


def _name_row(name: str, before: int, position: int) -> str:
    return f"{name}, item {before + position + 1:,},"

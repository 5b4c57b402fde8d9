"""Ready-made Scan pages: the rows' bytes and their checksum are made once, only the end differs from page to page."""

import functools
import hashlib
import zlib
from dataclasses import dataclass

import msgspec

from tests.bench.rows import ROWS_PER_PAGE, Item, expiry_of, hashed_row, row_of_key, stale_expiry_of, state_of

READ_UNITS = 128.0
"""What an eventually consistent page of 1 MB costs."""

_VARIANTS = 4
_MARK = "PAGE"


@dataclass(frozen=True)
class Body:
    """Bytes of an answer, in parts that are sent one after the other, with the CRC-32 of the whole."""

    parts: tuple[bytes, ...]
    crc: int

    def __add__(self, suffix: bytes) -> "Body":
        return Body((*self.parts, suffix), zlib.crc32(suffix, self.crc))


class Pages:
    """The pages of one table, as if read at `now` (UNIX seconds).

    Four pages differ and come round again; with `unique` no two pages share a row, which costs some milliseconds each.
    With `stale` every row is.
    """

    def __init__(self, *, now: int, unique: bool = False, stale: bool = False) -> None:
        self._now = now
        self._stale = stale
        self._variants = 0x10000 if unique else _VARIANTS
        self._template = functools.cache(self._make_template)
        self._rendered = functools.lru_cache(maxsize=2 * _VARIANTS)(self._render)

    def head(self, page: int, *, filtered: bool) -> Body:
        """Give page number `page` from its opening brace up to, not including, what differs: key and closing brace.

        With `filtered` only the findings are in it, as a server that filters sends them; ScannedCount stays.
        """
        return self._rendered(page % self._variants, filtered=filtered)

    def _render(self, variant: int, *, filtered: bool) -> Body:
        content = self._template(filtered=filtered).replace(_MARK.encode(), b"%04x" % variant)
        return Body((content,), zlib.crc32(content))

    def _make_template(self, *, filtered: bool) -> bytes:
        numbers = [number for number in range(ROWS_PER_PAGE) if not filtered or self._state(number) != "active"]
        items = [self._row(number) for number in numbers]
        page = {"Count": len(items), "ScannedCount": ROWS_PER_PAGE, "Items": items}
        return msgspec.json.encode(page).removesuffix(b"}")

    def _state(self, number: int) -> str:
        return "stale" if self._stale else state_of(number)

    def _row(self, number: int) -> Item:
        if not self._stale:
            return hashed_row(number, expiry=expiry_of(number, self._now), mark=_MARK)
        key = hashlib.sha256(str(number).encode()).hexdigest()
        return row_of_key(_MARK + key[len(_MARK) :], stale_expiry_of(number, self._now))

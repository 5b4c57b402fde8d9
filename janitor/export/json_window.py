"""Read a JSON text of any length piece by piece: single values as bytes, and long arrays a megabyte at a time.

A long array is cut where an element ends, and each piece is decoded as an array of its own. The cut is guessed from the
end of what has been read: after a `}` that is followed by a comma and a `{`. A wrong guess, inside a text or a nested
list, does no harm: the piece before it then does not decode as an array. After a few wrong guesses the piece is
searched token by token, which always finds the cut and takes several times as long.
"""

import re
from collections.abc import Iterator

import msgspec

from janitor.errors import SourceError
from janitor.export.lines import MAX_ROW_BYTES

_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN_ELEMENTS = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
# A text, a bracket, or any other value; last, a quote whose text has no end yet. Possessive, so it never backtracks.
_TOKEN = re.compile(rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]|[^ \t\r\n"{}\[\],:]+|"')
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (ValueError, RecursionError)

# How many ends of objects are tried, and how many pieces are decoded, before the guessing stops.
_MAX_ENDS = 2_000
_MAX_GUESSES = 8


class JsonWindow:
    """The part of a JSON text that has been read and not yet consumed."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        """Begin at the start of the text.

        Args:
            chunks: the text, cut anywhere.
            name: its name in errors.
        """
        self._chunks = chunks
        self._name = name
        self._buffer = b""
        self._at = 0
        self._consumed = 0
        self._is_at_end = False

    def peek(self) -> bytes:
        """Return the next byte that is not white space; nothing at the end of the text."""
        while True:
            self._at = _skip_space(self._buffer, self._at)
            if self._at < len(self._buffer) or not self._read_more():
                return self._buffer[self._at : self._at + 1]

    def take(self, byte: bytes) -> bool:
        """Consume the next byte that is not white space, if it is this one; return whether it is."""
        if self.peek() != byte:
            return False
        self._at += 1
        return True

    def value(self) -> bytes:
        """Consume the next value as a whole.

        Raises:
            SourceError: there is none, or it has no end.
        """
        self.peek()
        while (end := _find_end_of_value(self._buffer, self._at, is_last=self._is_at_end)) is None:
            self._read_more_or_fail()
        start, self._at = self._at, end
        return self._buffer[start:end]

    def elements(self) -> Iterator[list[msgspec.Raw]]:
        """Consume an array from after its `[` to its end, and yield its elements a megabyte at a time.

        Raises:
            SourceError: it has no end, or is not an array.
        """
        if self.take(b"]"):
            return
        while True:
            self.peek()
            yield self._next_elements()
            if self.take(b"]"):
                return
            if not self.take(b","):
                raise self.failure()

    def failure(self) -> SourceError:
        """Return the error for a text that is not as it should be; it says at which byte."""
        byte = self._consumed + self._at
        if self.peek() == b"":
            return SourceError(f"{self._name} is truncated: it ends after {byte:,} bytes", "make it again")
        return SourceError(f"{self._name} is not the JSON of a dump at byte {byte:,}", "make it again")

    def _next_elements(self) -> list[msgspec.Raw]:
        while True:
            cut = self._guess_cut() or self._search_cut()
            if cut is not None:
                items, self._at = cut
                return items
            self._read_more_or_fail()

    def _guess_cut(self) -> tuple[list[msgspec.Raw], int] | None:
        limit, guesses = len(self._buffer), 0
        for _ in range(_MAX_ENDS):
            limit = self._buffer.rfind(b"}", self._at, limit)
            if limit < 0 or guesses == _MAX_GUESSES:
                return None
            if _BETWEEN_ELEMENTS.match(self._buffer, limit):
                guesses += 1
                items = self._decode_up_to(limit + 1)
                if items is not None:
                    return items, limit + 1
        return None

    def _search_cut(self) -> tuple[list[msgspec.Raw], int] | None:
        position, last = self._at, None
        while (end := _find_end_of_value(self._buffer, position, is_last=self._is_at_end)) is not None:
            last = end
            comma = _skip_space(self._buffer, end)
            if self._buffer[comma : comma + 1] != b",":
                break
            position = _skip_space(self._buffer, comma + 1)
        if last is None:
            return None
        items = self._decode_up_to(last)
        if items is None:
            raise self.failure()
        return items, last

    def _decode_up_to(self, end: int) -> list[msgspec.Raw] | None:
        try:
            return _ELEMENTS.decode(b"[%b]" % self._buffer[self._at : end])
        except _UNREADABLE:
            return None

    def _read_more_or_fail(self) -> None:
        if len(self._buffer) - self._at > MAX_ROW_BYTES:
            byte = self._consumed + self._at
            sentence = f"{self._name}: the value at byte {byte:,} is longer than {MAX_ROW_BYTES:,} bytes"
            raise SourceError(sentence, "make it again")
        if not self._read_more():
            if self._is_at_end:
                self._at = len(self._buffer)
                raise self.failure()
            self._is_at_end = True

    def _read_more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._consumed += self._at
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True


def _skip_space(buffer: bytes, position: int) -> int:
    space = _SPACE.match(buffer, position)
    return space.end() if space else position


def _find_end_of_value(buffer: bytes, start: int, *, is_last: bool) -> int | None:
    """Return where the value that starts here ends; None if its end is not in the buffer."""
    depth = 0
    for token in _TOKEN.finditer(buffer, start):
        text = token[0]
        if text == b'"':
            return None
        if text in (b"{", b"["):
            depth += 1
        elif text in (b"}", b"]"):
            depth -= 1
        if depth < 0:
            return None
        if depth == 0:
            # A number may continue in the next piece.
            may_continue = token.end() == len(buffer) and text[:1] not in b'"}]'
            return None if may_continue and not is_last else token.end()
    return None

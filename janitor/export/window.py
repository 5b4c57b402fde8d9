"""A JSON text of any length, read a piece at a time: values as bytes, and the elements of an array by the megabyte.

A long array is cut where an element ends, and each piece is decoded as an array of its own. Where that is, is guessed
from the end of what has been read: after a `}` that a comma and a `{` follow. A wrong guess, inside a text or a nested
list, cannot do harm: what stands before it then decodes as no array. After a few wrong ones the piece is gone through
token by token, which always finds the place and takes several times as long.
"""

import re
from collections.abc import Iterator

import msgspec

from janitor.errors import SourceError
from janitor.export.lines import MOST_BYTES_A_ROW

_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN_ELEMENTS = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
# A text, a bracket, any other value; last a quote whose text has no end yet. What a text has taken is not tried again.
_TOKEN = re.compile(rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]|[^ \t\r\n"{}\[\],:]+|"')
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (ValueError, RecursionError)

# Of the ends of objects looked at, and of the pieces decoded, before the guessing stops.
_MOST_ENDS = 2_000
_MOST_GUESSES = 8


class Window:
    """What has been read of the text and not yet been taken."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        """Begin at the start of the text.

        Args:
            chunks: the text, cut anywhere.
            name: what an error calls it.
        """
        self._chunks = chunks
        self._name = name
        self._buffer = b""
        self._at = 0
        self._passed = 0
        self._is_at_end = False

    def peek(self) -> bytes:
        """The next byte that is no white space; nothing at the end of the text."""
        while True:
            self._at = _after_space(self._buffer, self._at)
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def take(self, byte: bytes) -> bool:
        """Go beyond the next byte that is no white space, if it is this one."""
        if self.peek() != byte:
            return False
        self._at += 1
        return True

    def value(self) -> bytes:
        """Take the next value, whole.

        Raises:
            SourceError: there is none, or it has no end.
        """
        self.peek()
        while (end := _end_of_value(self._buffer, self._at, is_last=self._is_at_end)) is None:
            self._more_or_fail()
        start, self._at = self._at, end
        return self._buffer[start:end]

    def elements(self) -> Iterator[list[msgspec.Raw]]:
        """Take an array up to its end, from behind its `[`: its elements by the megabyte.

        Raises:
            SourceError: it has no end, or is none.
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
        """What to raise where the text is not as it should be; it says where that is."""
        byte = self._passed + self._at
        if self.peek() == b"":
            return SourceError(f"{self._name} is cut short: it ends after {byte:,} bytes", "make it anew")
        return SourceError(f"{self._name} is no JSON of a dump at byte {byte:,}", "make it anew")

    def _next_elements(self) -> list[msgspec.Raw]:
        while True:
            found = self._guessed() or self._walked()
            if found is not None:
                items, self._at = found
                return items
            self._more_or_fail()

    def _guessed(self) -> tuple[list[msgspec.Raw], int] | None:
        limit, guesses = len(self._buffer), 0
        for _ in range(_MOST_ENDS):
            limit = self._buffer.rfind(b"}", self._at, limit)
            if limit < 0 or guesses == _MOST_GUESSES:
                return None
            if _BETWEEN_ELEMENTS.match(self._buffer, limit):
                guesses += 1
                items = self._decoded(limit + 1)
                if items is not None:
                    return items, limit + 1
        return None

    def _walked(self) -> tuple[list[msgspec.Raw], int] | None:
        position, last = self._at, None
        while (end := _end_of_value(self._buffer, position, is_last=self._is_at_end)) is not None:
            last = end
            comma = _after_space(self._buffer, end)
            if self._buffer[comma : comma + 1] != b",":
                break
            position = _after_space(self._buffer, comma + 1)
        if last is None:
            return None
        items = self._decoded(last)
        if items is None:
            raise self.failure()
        return items, last

    def _decoded(self, end: int) -> list[msgspec.Raw] | None:
        try:
            return _ELEMENTS.decode(b"[%b]" % self._buffer[self._at : end])
        except _UNREADABLE:
            return None

    def _more_or_fail(self) -> None:
        if len(self._buffer) - self._at > MOST_BYTES_A_ROW:
            byte = self._passed + self._at
            sentence = f"{self._name}: what begins at byte {byte:,} is longer than {MOST_BYTES_A_ROW:,} bytes"
            raise SourceError(sentence, "make it anew")
        if not self._more():
            if self._is_at_end:
                self._at = len(self._buffer)
                raise self.failure()
            self._is_at_end = True

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._passed += self._at
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True


def _after_space(buffer: bytes, position: int) -> int:
    found = _SPACE.match(buffer, position)
    return found.end() if found else position


def _end_of_value(buffer: bytes, start: int, *, is_last: bool) -> int | None:
    """Where the value that starts here ends; None where it does not in what there is."""
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
            # A number may go on in the next piece.
            may_go_on = token.end() == len(buffer) and text[:1] not in b'"}]'
            return None if may_go_on and not is_last else token.end()
    return None

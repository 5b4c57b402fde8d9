"""A snapshot's entries as chunks of bytes, and back.

A chunk is a byte that tells its version, and then compressed lines of JSON, one an entry.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from janitor.errors import StoreError
from janitor.store.memory import LARGEST_CHUNK

_VERSION = b"\x01"
# Before it is compressed: what does not compress at all grows by a few bytes in a thousand, and still fits.
_LONGEST = LARGEST_CHUNK - 4_096  # bytes
_WHAT = "what the last run left"
_WAY_OUT = "run again: the next complete run leaves a new one"


class RememberedToken(NamedTuple):
    """A finding, as far as the next run wants to know of it. Nothing of the row's key but its fingerprint.

    Attributes:
        fingerprint: the token's.
        state: its state, in the report's word.
        expiry: in UNIX seconds, None where it has none.
        username, name: as they may be shown (`janitor.tokens.redact`).
    """

    fingerprint: str
    state: str
    expiry: int | None
    username: str | None
    name: str | None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(RememberedToken)


def to_chunks(entries: Iterable[RememberedToken]) -> Iterator[bytes]:
    """Chunks of at most `LARGEST_CHUNK` bytes; one for no entries at all, which is not the same as none.

    Args:
        entries: any number of them, each of at most a few kilobytes.
    """
    waiting = bytearray()
    for line in map(_ENCODER.encode, entries):
        if len(waiting) + len(line) + 1 > _LONGEST:
            yield _packed(waiting)
            waiting.clear()
        waiting += line
        waiting += b"\n"
    # The last one, or the only one.
    yield _packed(waiting)


def entries_of(chunk: bytes) -> list[RememberedToken]:
    """The entries of one chunk.

    Raises:
        StoreError: it is damaged, or of another version.
    """
    lines = _lines_of(chunk)
    try:
        return _DECODER.decode_lines(lines)
    except (ValueError, RecursionError) as error:
        # The error's own words may hold a piece of a text.
        raise StoreError(f"{_WHAT} is damaged ({type(error).__name__})", _WAY_OUT, "snapshot") from None


def _lines_of(chunk: bytes) -> bytes:
    if chunk[:1] != _VERSION:
        raise StoreError(f"{_WHAT} is of a version that this janitor does not know", _WAY_OUT, "snapshot")
    try:
        return _unpacked(chunk[1:])
    except (ValueError, zlib.error) as error:
        raise StoreError(f"{_WHAT} is damaged ({type(error).__name__})", _WAY_OUT, "snapshot") from None


def _packed(lines: bytearray) -> bytes:
    return _VERSION + zlib.compress(lines)


def _unpacked(packed: bytes) -> bytes:
    """No more than a chunk may hold: a few bytes can be made to unpack into gigabytes."""
    unpacking = zlib.decompressobj()
    lines = unpacking.decompress(packed, _LONGEST)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("more or less than a chunk")
    return lines

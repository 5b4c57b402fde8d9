"""Encodes a snapshot's entries as chunks of bytes, and back.

A chunk is a version byte, followed by compressed lines of JSON, one for each entry.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from janitor.errors import StoreError
from janitor.store.run_memory import MAX_CHUNK_BYTES

_VERSION = b"\x01"
# Before compression: data that cannot be compressed grows by a few bytes in a thousand, and still fits.
_MAX_LINES_BYTES = MAX_CHUNK_BYTES - 4_096  # bytes
_WHAT = "what the last run left"
_WAY_OUT = "run again: the next complete run leaves a new one"


class RememberedToken(NamedTuple):
    """A finding as the next run needs it. Of the row's key it holds nothing but the fingerprint.

    Attributes:
        fingerprint: the token's.
        state: its state, in the report's word.
        expiry: in UNIX seconds, None if it has none.
        username, name: as they may be shown (`janitor.tokens.redact`).
    """

    fingerprint: str
    state: str
    expiry: int | None
    username: str | None
    name: str | None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(RememberedToken)


def encode_chunks(entries: Iterable[RememberedToken]) -> Iterator[bytes]:
    """Encode entries as chunks of at most `MAX_CHUNK_BYTES` bytes. Without entries it is one empty chunk, not none.

    Args:
        entries: any number of them, each of at most a few kilobytes.
    """
    pending = bytearray()
    for line in map(_ENCODER.encode, entries):
        if len(pending) + len(line) + 1 > _MAX_LINES_BYTES:
            yield _compress(pending)
            pending.clear()
        pending += line
        pending += b"\n"
    # The last one, or the only one.
    yield _compress(pending)


def decode_chunk(chunk: bytes) -> list[RememberedToken]:
    """Decode the entries of one chunk.

    Raises:
        StoreError: it is damaged, or of another version.
    """
    lines = _decode_lines(chunk)
    try:
        return _DECODER.decode_lines(lines)
    except (ValueError, RecursionError) as error:
        # Without the error's text, which may hold a part of a name.
        raise StoreError(f"{_WHAT} is damaged ({type(error).__name__})", _WAY_OUT, "snapshot") from None


def _decode_lines(chunk: bytes) -> bytes:
    if chunk[:1] != _VERSION:
        raise StoreError(f"{_WHAT} is of a version that this janitor does not know", _WAY_OUT, "snapshot")
    try:
        return _decompress(chunk[1:])
    except (ValueError, zlib.error) as error:
        raise StoreError(f"{_WHAT} is damaged ({type(error).__name__})", _WAY_OUT, "snapshot") from None


def _compress(lines: bytearray) -> bytes:
    return _VERSION + zlib.compress(lines)


def _decompress(compressed: bytes) -> bytes:
    """Decompress no more than a chunk may hold: a few bytes can be made to decompress to gigabytes."""
    decompressor = zlib.decompressobj()
    lines = decompressor.decompress(compressed, _MAX_LINES_BYTES)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("more or less than a chunk")
    return lines

"""Decompress gzip piece by piece; other bytes pass through unchanged."""

import zlib
from collections.abc import Iterator

from janitor.errors import SourceError
from janitor.export.places import CHUNK_BYTES

MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


def decompress(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the content in pieces of at most 1 MB, so that memory stays flat however well it is compressed.

    Args:
        chunks: the bytes as they are stored.
        name: the file's name in errors.

    Raises:
        SourceError: the gzip stream is damaged or truncated.
    """
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= len(MAGIC):
            break
    if not first.startswith(MAGIC):
        if first:
            yield first
        yield from chunks
        return
    try:
        yield from _decompress_gzip(first, chunks, name)
    except zlib.error:
        raise SourceError(f"{name} is damaged: its gzip stream cannot be read", "copy or make it again") from None


def _decompress_gzip(first: bytes, chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    reader = zlib.decompressobj(_GZIP)
    piece: bytes | None = first
    while piece is not None:
        while piece:
            if reader.eof:
                # Several gzip streams one after the other are also a gzip file.
                reader = zlib.decompressobj(_GZIP)
            content = reader.decompress(piece, CHUNK_BYTES)
            piece = reader.unused_data if reader.eof else reader.unconsumed_tail
            if content:
                yield content
        piece = next(chunks, None)
    while not reader.eof and (content := reader.decompress(reader.unconsumed_tail, CHUNK_BYTES)):
        yield content
    if not reader.eof:
        raise SourceError(f"{name} is truncated: its gzip stream has no end", "copy or make it again")

"""Gzip to plain bytes, a piece at a time; what is not zipped passes through."""

import zlib
from collections.abc import Iterator

from janitor.errors import SourceError
from janitor.export.places import CHUNK_BYTES

MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


def unzipped(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The content, in pieces of at most 1 MB, so that memory stays flat however well it is packed.

    Args:
        chunks: the bytes as they are stored.
        name: what an error calls them.

    Raises:
        SourceError: the gzip stream is damaged or cut short.
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
        yield from _unzipped(first, chunks, name)
    except zlib.error:
        raise SourceError(f"{name} is damaged: its gzip stream cannot be read", "copy or make it anew") from None


def _unzipped(first: bytes, chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    reader = zlib.decompressobj(_GZIP)
    piece: bytes | None = first
    while piece is not None:
        while piece:
            if reader.eof:
                # Several gzip files one after the other are one, too.
                reader = zlib.decompressobj(_GZIP)
            content = reader.decompress(piece, CHUNK_BYTES)
            piece = reader.unused_data if reader.eof else reader.unconsumed_tail
            if content:
                yield content
        piece = next(chunks, None)
    while not reader.eof and (content := reader.decompress(reader.unconsumed_tail, CHUNK_BYTES)):
        yield content
    if not reader.eof:
        raise SourceError(f"{name} is cut short: its gzip stream has no end", "copy or make it anew")

"""Which part of a table one process takes: the I-th of N (DESIGN, "shard")."""

import re
from typing import Literal, TypeAlias

import msgspec

# Each may have 256 segments, and DynamoDB takes a million of them (API reference of Scan, `TotalSegments`).
MAX_SHARDS = 1_000

AUTO: Literal["auto"] = "auto"

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})").fullmatch


class Shard(msgspec.Struct, frozen=True):
    """One of `count` equal parts of a table; `index` is from 0."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Shard(0, 1)
ShardChoice: TypeAlias = Shard | Literal["auto"]


def parse_shard(text: str) -> ShardChoice:
    """`I/N`, or `auto` for what Kubernetes says.

    Raises:
        ValueError: the text is neither, or there is no such part.
    """
    if text == AUTO:
        return AUTO
    match = _SHARD(text)
    if match is None:
        raise ValueError(f"{text!r} is not I/N, for example 0/8, nor auto")
    return shard_of(int(match[1]), int(match[2]), text)


def shard_of(index: int, count: int, text: str) -> Shard:
    """The I-th of N parts; `text` is what the user calls it.

    Raises:
        ValueError: there is no such part.
    """
    if not 1 <= count <= MAX_SHARDS:
        raise ValueError(f"{text!r} is none of 1 to {MAX_SHARDS:,} parts")
    if index >= count:
        raise ValueError(f"{text!r} has no such part: {count:,} parts are numbered from 0 to {count - 1:,}")
    return Shard(index, count)

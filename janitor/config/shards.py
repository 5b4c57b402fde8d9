"""Which part of the table, and what it has to do with the other parts."""

import re
from dataclasses import dataclass

from janitor.parsers import ReportTarget, parse_report
from janitor.settings import setting
from janitor.shard import ShardChoice, parse_shard
from janitor.tokens.duration import parse_duration

# How many shards there are, where `--shard auto` asks.
COUNT_VARIABLE = "JANITOR_SHARDS"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}").fullmatch


def parse_shard_run(text: str) -> str:
    """The name of a sharded run, which becomes a part of keys.

    Raises:
        ValueError: it has other characters.
    """
    if not _NAME(text):
        raise ValueError(f"{text!r} is no name of 1 to 200 letters, digits, _ . or -")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSettings:
    """Which part of the table, and what it has to do with the other parts."""

    shard: ShardChoice | None = setting(
        "Take the I-th of N parts of the table, I from 0; auto: I is JOB_COMPLETION_INDEX, N is JANITOR_SHARDS.",
        metavar="I/N|auto",
        parse=parse_shard,
        default_words="the whole table",
    )
    shard_run: str | None = setting(
        "The name of the run that the shards share in the state store; a shard that is started again joins it anew.",
        metavar="NAME",
        parse=parse_shard_run,
        default_words="the last one of the table that lacks this shard and is less than an hour old, or a new one",
    )
    shard_wait: int | None = setting(
        "How long a shard that has read its part waits for the others: before it refuses to delete, or before it "
        "reports without them.",
        metavar="DURATION",
        parse=parse_duration,
        default_words="10m to delete, else it does not wait",
    )
    merged_report: tuple[ReportTarget, ...] = setting(
        "Where the last shard writes the report of all of them, as --report does. Repeatable.",
        metavar="FORMAT=PATH|S3",
        parse=parse_report,
        many=True,
        may_hold_spaces=True,
    )

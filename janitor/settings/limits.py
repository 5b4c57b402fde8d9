"""Limits of a run: parallelism, capacity, time; and the prices for its cost."""

from dataclasses import dataclass

from janitor.settings.parsers import parse_price, parse_scheduler, parse_segments, parse_units, parse_workers
from janitor.settings.setting import Settings, setting
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings(Settings):
    """How a table is read, with how much capacity, and at what price."""

    segments: int | None = setting(
        "How many segments the table is read in; auto is one for each 16 MB. One process reads all at once, with "
        "auto at most 8; several processes take one after the other.",
        metavar="N|auto",
        parse=parse_segments,
        default="auto",
    )
    workers: int | None = setting(
        "How many processes of this machine read the table; auto is one, and for 128 MB and more one per core, at most "
        "4 and as far as memory allows; one where read units are limited.",
        metavar="N|auto",
        parse=parse_workers,
        default="auto",
    )
    dask: str | None = setting(
        "Read with the workers of this Dask cluster; each reaches the table with the settings of its own machine.",
        metavar="tcp://HOST:PORT",
        parse=parse_scheduler,
    )
    max_rcu: float | None = setting(
        "How many read units a second the whole run may use; none for no limit. auto is a quarter of what is "
        "provisioned, and no limit on demand.",
        metavar="N|none|auto",
        parse=parse_units,
        default="auto",
    )
    read_price: float = setting(
        "Dollars for a million read units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.125",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLimitSettings(Settings):
    """How much capacity the deletes, or the writes of an import, may use."""

    max_wcu: float | None = setting(
        "How many write units a second deletes and writes may use, including those of the table's indexes; none for no "
        "limit. auto is a quarter of what is provisioned, and no limit on demand.",
        metavar="N|none|auto",
        parse=parse_units,
        default="auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings(Settings):
    """How long a run may take."""

    deadline: int | None = setting(
        "Stop the run after this time, as after a signal, with exit code 1.",
        metavar="DURATION",
        parse=parse_duration,
    )

"""How much at once, how long, and what it costs."""

from dataclasses import dataclass

from janitor.settings.parsers import parse_price, parse_scheduler, parse_segments, parse_units, parse_workers
from janitor.settings.setting import Settings, setting
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings(Settings):
    """How much at once, and what it costs."""

    segments: int | None = setting(
        "How many parts the table is read in; auto is one for each 16 MB. One process reads as many at once, at most 8 "
        "of auto; several take one after the other.",
        metavar="N|auto",
        parse=parse_segments,
        default="auto",
    )
    workers: int | None = setting(
        "How many processes of this machine read; auto is one a core, for a table of more than 16 MB.",
        metavar="N|auto",
        parse=parse_workers,
        default="1",
    )
    dask: str | None = setting(
        "Let the workers of this Dask cluster read, each as its own machine reaches the table.",
        metavar="tcp://HOST:PORT",
        parse=parse_scheduler,
    )
    max_rcu: float | None = setting(
        "How many read units a second the whole run may take; none for no limit. auto is a quarter of what is "
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
    """How much at once of what deletes."""

    max_wcu: float | None = setting(
        "How many write units a second the deletes may take, those of the table's indexes among them; none for no "
        "limit. auto is a quarter of what is provisioned, and no limit on demand.",
        metavar="N|none|auto",
        parse=parse_units,
        default="auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings(Settings):
    """How long."""

    deadline: int | None = setting(
        "End by itself after this time, as after a signal, with exit code 1.",
        metavar="DURATION",
        parse=parse_duration,
    )

"""How much at once, how long, and what it costs."""

from dataclasses import dataclass

from janitor.parsers import parse_price, parse_segments, parse_units
from janitor.settings import setting
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How much at once, and what it costs."""

    segments: int | None = setting(
        "How many parts of the table are read at once; auto goes by the table's size, 1 to 8.",
        metavar="N|auto",
        parse=parse_segments,
        default="auto",
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
class WriteLimitSettings:
    """How much at once of what deletes."""

    max_wcu: float | None = setting(
        "How many write units a second the deletes may take, those of the table's indexes among them; none for no "
        "limit. auto is a quarter of what is provisioned, and no limit on demand.",
        metavar="N|none|auto",
        parse=parse_units,
        default="auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings:
    """How long."""

    deadline: int | None = setting(
        "End by itself after this time, as after a signal, with exit code 1.",
        metavar="DURATION",
        parse=parse_duration,
    )

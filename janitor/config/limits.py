"""How much at once, how long, and what it costs."""

from dataclasses import dataclass

from janitor.parsers import parse_price, parse_segments
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
    read_price: float = setting(
        "Dollars for a million read units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.125",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings:
    """How long."""

    deadline: int | None = setting(
        "End by itself after this time, as after a signal, with exit code 1.",
        metavar="DURATION",
        parse=parse_duration,
    )

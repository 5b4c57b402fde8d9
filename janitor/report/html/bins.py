"""The numbers of the charts: expiries ahead by day, and behind by month. Pure."""

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from janitor.report.model import Report
from janitor.tokens.classify import State
from janitor.tokens.policy import DAY

MONTHS_BEHIND = 12
_MOST_BARS = 62
_WEEK = 7
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DEAD = (State.EXPIRED, State.STALE)


class Bar(NamedTuple):
    """A bar of a chart.

    Attributes:
        tick: what stands below it.
        name: the time that it covers, in full.
        tokens: how many.
        unusual: whether a day of it holds an unusual share.
    """

    tick: str
    name: str
    tokens: int
    unusual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A chart's bars, earliest first.

    Attributes:
        unit: what a bar covers, in words.
        every: how many bars share a tick.
    """

    bars: list[Bar]
    unit: str
    every: int

    @property
    def total(self) -> int:
        """All tokens of the chart."""
        return sum(bar.tokens for bar in self.bars)


def now_of(report: Report) -> dt.datetime:
    """The time by which the rows were judged, to the run's start."""
    return report.policy.as_of or report.run.started_at


def days_ahead(report: Report) -> Bars:
    """Expiries by day over the horizon; by several days where there are too many for one chart."""
    first = now_of(report).toordinal()
    last = min(first + math.ceil(max(report.policy.thresholds_seconds) / DAY), dt.date.max.toordinal())
    size = _days_of_a_bar(last - first + 1)
    starts = range(first, last + 1, size)
    counts, unusual = [0] * len(starts), [False] * len(starts)
    for day in report.forecast:
        # A run that began just before midnight may have judged its rows just after.
        position = min(max(0, (day.day.toordinal() - first) // size), len(starts) - 1)
        counts[position] += day.expiring
        unusual[position] |= day.unusual
    bars = [
        Bar(*_names(start, min(start + size - 1, last)), count, is_unusual)
        for start, count, is_unusual in zip(starts, counts, unusual, strict=True)
    ]
    return Bars(bars=bars, unit="day" if size == 1 else f"{size} days", every=max(1, math.ceil(len(bars) / 5)))


def months_behind(report: Report) -> Bars:
    """Expired and stale rows by the month of their expiry, as far as the report lists them; all older ones in one."""
    now = now_of(report)
    this_month = now.year * 12 + now.month - 1
    counts = Counter(
        this_month - (finding.expires_at.year * 12 + finding.expires_at.month - 1)
        for finding in report.findings
        if finding.state in _DEAD and finding.expires_at is not None
    )
    recent = [_month(this_month - ago, counts[ago]) for ago in reversed(range(MONTHS_BEHIND)) if ago <= this_month - 12]
    older = sum(count for ago, count in counts.items() if ago >= MONTHS_BEHIND)
    first = recent[0].name if recent else "this year"
    return Bars(bars=[Bar("older", f"before {first}", older), *recent], unit="month", every=1)


def dead_rows(report: Report) -> int:
    """How many rows were expired or stale, listed or not."""
    return report.counts.expired + report.counts.stale


def _days_of_a_bar(days: int) -> int:
    if days <= _MOST_BARS:
        return 1
    return _WEEK if days <= _MOST_BARS * _WEEK else math.ceil(days / _MOST_BARS)


def _names(first: int, last: int) -> tuple[str, str]:
    start, end = dt.date.fromordinal(first), dt.date.fromordinal(last)
    tick = f"{start.day} {_MONTHS[start.month - 1]}"
    return tick, start.isoformat() if first == last else f"{start.isoformat()} to {end.isoformat()}"


def _month(number: int, count: int) -> Bar:
    year, month = divmod(number, 12)
    return Bar(_MONTHS[month], f"{_MONTHS[month]} {year:04}", count)

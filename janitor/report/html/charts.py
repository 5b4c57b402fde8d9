"""The page's two charts: tokens that will expire, by day, and rows that have expired, by month. Pure.

A template draws them as SVG. Widths are percentages and heights pixels, without a viewBox: so a chart fits a phone, and
its text keeps its size.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from janitor.report.model import Report
from janitor.report.summary import describe_forecast
from janitor.tokens.classify import State
from janitor.tokens.duration import DAY, format_duration
from janitor.tokens.words import format_count

MONTHS_BEHIND = 12
_MAX_BARS = 62
_WEEK = 7
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DEAD = (State.EXPIRED, State.STALE)

_TOP, _BASE = 30, 162
_LEFT, _RIGHT = 8.0, 99.5  # percent
_BAR_SHARE = 0.72
_MIN_HEIGHT = 2.0
_MAX_LABELED = 13
_MAX_NAMED = 10
_THOUSAND, _TEN_THOUSAND, _MILLION = 1_000, 10_000, 1_000_000


class Bar(NamedTuple):
    """A bar of a chart.

    Attributes:
        tick: the text below it.
        name: the time that it covers, in full.
        tokens: how many.
        unusual: whether it covers a day with an unusual share.
    """

    tick: str
    name: str
    tokens: int
    unusual: bool = False

    @property
    def words(self) -> str:
        """When, and how many tokens."""
        return _tokens_on(self.name, self.tokens)


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


class GridLine(NamedTuple):
    """A horizontal line of a chart: its distance from the top in pixels, and its number."""

    y: str
    label: str
    is_base: bool


class DrawnBar(NamedTuple):
    """A bar with its place: `x`, `middle` and `width` in percent, `y`, `label_y` and `height` in pixels.

    Attributes:
        tick: the text below it; empty if several bars share one.
        label: the number above it; empty if there is no room, or nothing to draw.
    """

    bar: Bar
    x: str
    y: str
    width: str
    height: str
    middle: str
    tick: str
    label: str
    label_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, ready to be drawn.

    Attributes:
        name: the end of its element ids.
        title: its title.
        when: the header of the first column of its table.
        what: the header of the second column.
        bars: its numbers.
        nothing: the text where there are none.
        unusual: on which days unusually many tokens expire, in sentences.
        note: what a reader has to know to understand it; may be empty.
    """

    name: str
    title: str
    when: str
    what: str
    bars: Bars
    nothing: str
    unusual: str = ""
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars.total

    @property
    def description(self) -> str:
        """The chart in words, for people who cannot see it."""
        bars = self.bars.bars
        largest = max(bars, key=lambda bar: bar.tokens)
        unusual = [bar.words for bar in bars if bar.unusual]
        words = f"{self.bars.total:,} in all, from {bars[0].name} to {bars[-1].name}. Most: {largest.words}."
        return f"{words} Unusual: {', '.join(unusual[:_MAX_NAMED])}." if unusual else words

    def grid(self) -> list[GridLine]:
        """The lines behind the bars: at zero, at half, and at the top."""
        top = self._scale_top()
        values = (0, top // 2, top)
        return [GridLine(f"{_BASE - _height(value, top):.1f}", _short(value), not value) for value in values]

    def drawn(self) -> Iterator[DrawnBar]:
        """Each bar with its place in the chart."""
        bars, top = self.bars.bars, self._scale_top()
        step = (_RIGHT - _LEFT) / len(bars)
        width = step * _BAR_SHARE
        for position, bar in enumerate(bars):
            middle = _LEFT + step * (position + 0.5)
            height = max(_MIN_HEIGHT, _height(bar.tokens, top))
            is_labeled = bar.tokens and (bar.unusual or len(bars) <= _MAX_LABELED)
            yield DrawnBar(
                bar=bar,
                x=_percent(middle - width / 2),
                y=f"{_BASE - height:.1f}",
                width=_percent(width),
                height=f"{height:.1f}",
                middle=_percent(middle),
                tick="" if position % self.bars.every else bar.tick,
                label=_short(bar.tokens) if is_labeled else "",
                label_y=f"{_BASE - height - 6:.1f}",
            )

    def _scale_top(self) -> int:
        """The smallest even round number that is not below any bar."""
        largest = max(bar.tokens for bar in self.bars.bars)
        power: int = 10 ** (len(str(largest)) - 1)
        return next(digit * power for digit in (2, 4, 6, 8, 10) if digit * power >= largest)


def build_expiry_chart(report: Report) -> Chart:
    """Build the chart of tokens that will expire within the report's horizon."""
    horizon = format_duration(max(report.policy.thresholds_seconds))
    bars = days_ahead(report)
    return Chart(
        name="ahead",
        title=f"Ahead: the next {horizon}, by {bars.unit}",
        when="Day (UTC)",
        what="Expire",
        bars=bars,
        nothing=f"No token expires within {horizon}.",
        unusual=" ".join(describe_forecast(report)),
    )


def build_expired_chart(report: Report) -> Chart:
    """Build the chart of rows that have expired, as far as the report lists them."""
    bars = months_behind(report)
    dead = report.counts.expired + report.counts.stale
    note = f"This rests on the {bars.total:,} expired rows that were kept for this page, of {dead:,} in all."
    return Chart(
        name="behind",
        title="Behind: expired rows, by month",
        when="Month (UTC)",
        what="Expired",
        bars=bars,
        nothing="None is listed." if dead else "There are none.",
        note=note if bars.total < dead else "",
    )


def judged_at(report: Report) -> dt.datetime:
    """The time by which the rows were judged; if that was the present, the run's start."""
    return report.policy.as_of or report.run.started_at


def days_ahead(report: Report) -> Bars:
    """Count expiries by day over the horizon; by several days where there are too many for one chart."""
    first = judged_at(report).toordinal()
    last = min(first + math.ceil(max(report.policy.thresholds_seconds) / DAY), dt.date.max.toordinal())
    size = _days_per_bar(last - first + 1)
    starts = range(first, last + 1, size)
    counts, unusual = [0] * len(starts), [False] * len(starts)
    for day in report.forecast:
        # A run that began just before midnight may have judged its rows just after.
        position = min(max(0, (day.day.toordinal() - first) // size), len(starts) - 1)
        counts[position] += day.expiring
        unusual[position] |= day.unusual
    bars = [
        Bar(*_name_days(start, min(start + size - 1, last)), count, is_unusual)
        for start, count, is_unusual in zip(starts, counts, unusual, strict=True)
    ]
    return Bars(bars=bars, unit="day" if size == 1 else f"{size} days", every=max(1, math.ceil(len(bars) / 5)))


def months_behind(report: Report) -> Bars:
    """Count the listed expired and stale rows by the month of their expiry; all older ones in one bar."""
    now = judged_at(report)
    this_month = now.year * 12 + now.month - 1
    counts = Counter(
        this_month - (finding.expires_at.year * 12 + finding.expires_at.month - 1)
        for finding in report.findings
        if finding.state in _DEAD and finding.expires_at is not None
    )
    recent = [_month(this_month - ago, counts[ago]) for ago in reversed(range(MONTHS_BEHIND)) if ago <= this_month - 12]
    older = sum(count for ago, count in counts.items() if ago >= MONTHS_BEHIND)
    first = recent[0].name if recent else "this year"
    # Names of all months would touch each other where the page is no wider than a tablet.
    return Bars(bars=[Bar("older", f"before {first}", older), *recent], unit="month", every=2)


def _days_per_bar(days: int) -> int:
    if days <= _MAX_BARS:
        return 1
    return _WEEK if days <= _MAX_BARS * _WEEK else math.ceil(days / _MAX_BARS)


def _name_days(first: int, last: int) -> tuple[str, str]:
    """The tick and the full name of the bar of these days, given as ordinals."""
    start, end = dt.date.fromordinal(first), dt.date.fromordinal(last)
    tick = f"{start.day} {_MONTHS[start.month - 1]}"
    return tick, start.isoformat() if first == last else f"{start.isoformat()} to {end.isoformat()}"


def _month(number: int, count: int) -> Bar:
    year, month = divmod(number, 12)
    return Bar(_MONTHS[month], f"{_MONTHS[month]} {year:04}", count)


def _tokens_on(when: str, count: int) -> str:
    return f"{when} ({format_count(count, 'token')})"


def _height(value: int, top: int) -> float:
    """The height of a bar of this value, in pixels."""
    return (_BASE - _TOP) * value / top


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _short(number: int) -> str:
    if number < _TEN_THOUSAND:
        return f"{number:,}"
    return f"{number / _THOUSAND:.0f}k" if number < _MILLION else f"{number / _MILLION:.1f}M"

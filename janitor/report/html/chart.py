"""The two charts, as SVG whose text alternative and table say the same numbers.

Widths are percentages and heights pixels, without a viewBox: so a chart fits a phone, and its letters keep their size.
"""

import itertools
from collections.abc import Iterator

from janitor.report.html.bins import Bar, Bars, days_ahead, dead_rows, months_behind
from janitor.report.html.markup import Markup, joined, lines, tag
from janitor.report.model import Report
from janitor.tokens.duration import spoken_duration

_HEIGHT, _TOP, _BASE = 190, 30, 162
_LEFT, _RIGHT = 8.0, 99.5  # percent
_BAR_SHARE = 0.72
_LEAST_HEIGHT = 2.0
_MOST_LABELLED = 13
_MOST_NAMED = 10
_THOUSAND, _TEN_THOUSAND, _MILLION = 1_000, 10_000, 1_000_000


def charts(report: Report) -> Markup:
    """The section: the days ahead, and the months behind."""
    return tag(
        "section",
        lines(
            tag("h2", "When tokens expire", id="h-when"),
            tag("div", _ahead(report), _behind(report), class_="charts"),
        ),
        aria_labelledby="h-when",
    )


def _ahead(report: Report) -> Markup:
    horizon = spoken_duration(max(report.policy.thresholds_seconds))
    bars = days_ahead(report)
    title = f"Ahead: the next {horizon}, by {bars.unit}"
    if not bars.total:
        return _figure(title, tag("p", f"No token expires within {horizon}.", class_="calm"))
    days = [day for day in report.forecast if day.unusual]
    said = joined((_tokens_on(f"{day.day}", day.expiring) for day in days[:_MOST_NAMED]), ", ")
    more = f" and {len(days) - _MOST_NAMED:,} more days" if len(days) > _MOST_NAMED else ""
    note = tag("p", tag("b", "◆ An unusual share"), " expires on ", said, more, ".", class_="note") if days else ""
    return _figure(title, _svg("ahead", title, bars), note, _numbers("Day (UTC)", "Expire", bars))


def _behind(report: Report) -> Markup:
    bars = months_behind(report)
    title = "Behind: expired rows, by month"
    dead = dead_rows(report)
    if not bars.total:
        return _figure(title, tag("p", "None is listed." if dead else "There are none.", class_="calm"))
    note = ""
    if bars.total < dead:
        words = f"This rests on the {bars.total:,} expired rows that were kept for this page, of {dead:,} in all."
        note = tag("p", words, class_="note")
    return _figure(title, _svg("behind", title, bars), note, _numbers("Month (UTC)", "Expired", bars))


def _tokens_on(when: str, count: int) -> str:
    return f"{when} ({count:,} token{'' if count == 1 else 's'})"


def _figure(title: str, *content: str) -> Markup:
    return tag("div", tag("h3", title), *content, class_="panel chart")


def _svg(name: str, title: str, bars: Bars) -> Markup:
    top = _round_top(max(bar.tokens for bar in bars.bars))
    return tag(
        "svg",
        lines(
            tag("title", title, id=f"t-{name}"),
            tag("desc", _description(bars), id=f"d-{name}"),
            *_grid(top),
            *itertools.chain.from_iterable(_bar(bars, position, top) for position in range(len(bars.bars))),
        ),
        class_=name,
        role="img",
        aria_labelledby=f"t-{name}",
        aria_describedby=f"d-{name}",
        width="100%",
        height=str(_HEIGHT),
    )


def _description(bars: Bars) -> str:
    most = max(bars.bars, key=lambda bar: bar.tokens)
    unusual = [_tokens_on(bar.name, bar.tokens) for bar in bars.bars if bar.unusual]
    words = f"{bars.total:,} in all, from {bars.bars[0].name} to {bars.bars[-1].name}. "
    words += f"Most: {_tokens_on(most.name, most.tokens)}."
    return f"{words} Unusual: {', '.join(unusual[:_MOST_NAMED])}." if unusual else words


def _grid(top: int) -> Iterator[Markup]:
    for value in (0, top // 2, top):
        y = _y(value, top)
        yield tag("line", x1=f"{_LEFT}%", x2="100%", y1=y, y2=y, class_="base" if value == 0 else "grid")
        yield tag("text", _short(value), x="0", y=y, dy="4")


def _bar(bars: Bars, position: int, top: int) -> Iterator[Markup]:
    bar = bars.bars[position]
    step = (_RIGHT - _LEFT) / len(bars.bars)
    left, middle = _LEFT + step * (position + (1 - _BAR_SHARE) / 2), _LEFT + step * (position + 0.5)
    if position % bars.every == 0:
        # On a phone every other month is enough.
        style = "minor" if position % 2 else "major"
        yield tag("text", bar.tick, x=f"{middle:.2f}%", y=str(_BASE + 18), text_anchor="middle", class_=style)
    if not bar.tokens:
        return
    height = max(_LEAST_HEIGHT, (_BASE - _TOP) * bar.tokens / top)
    yield tag(
        "rect",
        tag("title", f"{_tokens_on(bar.name, bar.tokens)}{', an unusual share' if bar.unusual else ''}"),
        x=f"{left:.2f}%",
        y=f"{_BASE - height:.1f}",
        width=f"{step * _BAR_SHARE:.2f}%",
        height=f"{height:.1f}",
        class_="bar odd" if bar.unusual else "bar",
    )
    if bar.unusual or len(bars.bars) <= _MOST_LABELLED:
        yield _count_above(bar, f"{middle:.2f}%", _BASE - height)


def _count_above(bar: Bar, x: str, y: float) -> Markup:
    words = f"◆ {_short(bar.tokens)}" if bar.unusual else _short(bar.tokens)
    return tag("text", words, x=x, y=f"{y - 6:.1f}", text_anchor="middle", class_="odd" if bar.unusual else "count")


def _numbers(when: str, what: str, bars: Bars) -> Markup:
    rows = (
        tag(
            "tr",
            tag("th", bar.name, scope="row"),
            tag("td", f"{bar.tokens:,}"),
            tag("td", "unusual" if bar.unusual else ""),
        )
        for bar in bars.bars
        if bar.tokens
    )
    titles = (tag("th", title, scope="col") for title in (when, what, "Remark"))
    head, body = tag("thead", tag("tr", *titles)), tag("tbody", joined(rows, Markup("\n")))
    return tag("details", tag("summary", "The numbers as a table"), tag("table", head, body, class_="numbers"))


def _y(value: int, top: int) -> str:
    return f"{_BASE - (_BASE - _TOP) * value / top:.1f}"


def _round_top(most: int) -> int:
    """The least even and round number that is not below `most`."""
    power: int = 10 ** (len(str(most)) - 1)
    return next(digit * power for digit in (2, 4, 6, 8, 10) if digit * power >= most)


def _short(number: int) -> str:
    if number < _TEN_THOUSAND:
        return f"{number:,}"
    return f"{number / _THOUSAND:.0f}k" if number < _MILLION else f"{number / _MILLION:.1f}M"

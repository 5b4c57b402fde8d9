"""What stands first: which table, how the run ended, what went wrong, and the counts."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from janitor.report.html.bins import now_of
from janitor.report.html.markup import Markup, escaped, joined, lines, tag, with_code
from janitor.report.html.rows import when
from janitor.report.html.states import sign, words_of_states
from janitor.report.model import Outcome, Remark, Report
from janitor.report.summary import listing_line, shortfalls
from janitor.report.text import due, owner
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import spoken_duration

MOST_REMARKS = 20
LONGEST_REMARK = 1_000

_ENDED = {
    Outcome.COMPLETE: ("good", "✓ complete"),
    Outcome.INTERRUPTED: ("bad", "✕ interrupted"),
    Outcome.FAILED: ("bad", "✕ failed"),
    Outcome.REFUSED: ("bad", "✕ deletion refused by a guard"),
    Outcome.SKIPPED: ("bad", "✕ skipped"),
}


def masthead(report: Report) -> Markup:
    """The table's name, where it is, how the run ended, and the report in a sentence."""
    style, ended = _ENDED[report.run.outcome]
    badges = [tag("span", ended, class_=f"badge {style}")]
    if report.run.dry_run and not report.run.only_reads:
        badges.append(tag("span", "dry run", class_="badge"))
    return tag(
        "header",
        lines(
            tag("p", "janitor · token report", class_="brand"),
            tag("h1", report.title),
            tag("p", joined(_facts(report), " · "), " ", joined(badges, " "), class_="facts"),
            tag("p", *_lede(report), class_="lede"),
        ),
    )


def alerts(report: Report) -> Markup:
    """Errors, then warnings; nothing where there are none."""
    shortfall = _shortfall(report)
    errors = [with_code(f"{remark.message}.") for remark in _shown(report.errors)]
    if shortfall:
        errors.insert(0, escaped(shortfall))
    warnings = [with_code(f"{remark.message}.") for remark in _shown(report.warnings)]
    return lines(
        _alert("Errors", "errors", errors, len(report.errors) - MOST_REMARKS),
        _alert("Warnings", "warnings", warnings, len(report.warnings) - MOST_REMARKS),
    )


def counts(report: Report) -> Markup:
    """A tile for each state, most urgent first; it leads to the state's rows."""
    listed = {finding.state for finding in report.findings}
    tiles = (_tile(state, rows, meaning, is_link=state in listed) for state, rows, meaning in words_of_states(report))
    scanned = f"{report.counts.scanned:,} row{'' if report.counts.scanned == 1 else 's'} scanned"
    heading = tag("h2", "Counts ", tag("small", scanned), id="counts")
    return tag(
        "section", lines(heading, tag("ul", joined(tiles, Markup("\n")), class_="tiles")), aria_labelledby="counts"
    )


def _facts(report: Report) -> Iterator[Markup]:
    table, now = report.only_table, now_of(report)
    if table is not None:
        if table.region:
            yield escaped(table.region)
        if table.source:
            yield escaped(f"from {table.spoken_source}")
        if table.account_id:
            yield escaped(f"account {table.account_id}")
        if table.endpoint:
            yield escaped(f"at {table.endpoint}")
    if report.policy.dialect is not None:
        is_hashed = report.policy.dialect is Dialect.HASHED
        yield escaped("LISA 6.1 and later (hashed)" if is_hashed else "LISA before 6.1 (classic)")
    yield joined(["as of " if report.policy.as_of else "", when(now), " UTC"])


def _lede(report: Report) -> Iterator[str]:
    expiring, horizon = report.counts.expiring, spoken_duration(max(report.policy.thresholds_seconds))
    if report.run.outcome is Outcome.SKIPPED:
        yield "Nothing was scanned."
        return
    if report.listing is not None:
        yield listing_line(report)
        return
    if not expiring:
        yield f"No token expires within {horizon}."
        return
    yield tag("b", f"{expiring:,} token{' expires' if expiring == 1 else 's expire'} within {horizon}")
    first = next((finding for finding in report.findings if finding.state is State.EXPIRING), None)
    if first is None:
        yield "."
        return
    yield ", the next " if expiring > 1 else ", "
    yield tag("b", due(first))
    if first.username:
        yield ": that of "
        yield tag("bdi", owner(first))
    yield "."


def _shortfall(report: Report) -> str:
    return next(shortfalls(report), "")


def _shown(remarks: Sequence[Remark]) -> list[Remark]:
    return [
        remark
        if len(remark.message) <= LONGEST_REMARK
        else structs.replace(remark, message=f"{remark.message[: LONGEST_REMARK - 1]}…")
        for remark in remarks[:MOST_REMARKS]
    ]


def _alert(title: str, name: str, sentences: list[Markup], more: int) -> Markup:
    if not sentences:
        return Markup()
    if more > 0:
        sentences = [*sentences, escaped(f"And {more:,} more, in the JSON report.")]
    heading = tag("h2", tag("span", "✕ " if name == "errors" else "! ", aria_hidden="true"), title, id=f"h-{name}")
    items = tag("ul", joined((tag("li", sentence) for sentence in sentences), Markup("\n")))
    return tag("section", heading, items, class_=f"alert {name}", aria_labelledby=f"h-{name}")


def _size(number: str) -> str:
    """A tile is narrow, and a number does not wrap."""
    if len(number) <= len("99,999"):
        return "short"
    return "long" if len(number) <= len("9,999,999") else "longest"


def _tile(state: State, rows: str, meaning: str, *, is_link: bool) -> Markup:
    content = joined([
        tag("span", sign(state), state.value, class_="state-name"),
        Markup(" "),
        tag("strong", rows, class_=_size(rows)),
        Markup(" "),
        tag("span", meaning, class_="words"),
    ])  # fmt: skip
    box = tag("a", content, href=f"#{state.value}") if is_link else tag("div", content)
    return tag("li", box, class_=f"{state.value} none" if rows == "0" else state.value)

"""The findings: a section a state, most urgent first, and filters that need no script.

A filter is a control and a rule of CSS: `:has()` sees which option is chosen, and rows without its class name vanish.
How many are left is a CSS counter, which counts no row that is not displayed.
"""

from collections.abc import Iterator

from janitor.report.html.markup import Markup, joined, lines, tag, with_code
from janitor.report.html.rows import Listed, Marks, listed, marks_for, table
from janitor.report.html.states import BY_URGENCY, count_of, sign, words_of_states
from janitor.report.model import Report
from janitor.report.summary import in_order, omitted_line
from janitor.tokens.classify import State
from janitor.tokens.duration import spoken_duration
from janitor.tokens.plain import plain

_ACCEPTED = {"a": "LISA's API", "w": "MCP Workbench only", "n": "nothing"}
_PLANNED = {"p": "in the plan", "-p": "not in the plan"}
_LONGEST_OPTION = 48
_HIDE = "{display:none}\n"


# What the section may take besides its rows: the filters and their rules.
_BESIDES_ROWS = 50_000


def findings(report: Report, *, room: int) -> Markup:
    """As many findings as fit into so many bytes, and how many are left out."""
    if not report.findings:
        # What there is, but not listed, has to be said all the same.
        return _section(tag("p", "No finding is listed." if report.findings_omitted else "There are none."), report, 0)
    labels = [table.label for table in report.tables]
    marks = marks_for(report.findings, report.policy.thresholds_seconds, labels)
    page = listed(report.findings, marks, room=room - _BESIDES_ROWS)
    states = [state for state in BY_URGENCY if page.rows[state]]
    rules = tag("style", Markup(_rules(states, marks)))
    parts = lines(rules, _filters(report, page, states, marks), *_tables(report, page))
    return _section(parts, report, page.left_out)


def _section(content: Markup, report: Report, left_out: int) -> Markup:
    more = report.findings_omitted + left_out
    note = tag("p", with_code(omitted_line(report, more)), class_="note") if more else Markup()
    heading = "Findings" if report.listing is None else "Rows"
    parts = lines(tag("h2", heading, id="findings"), note, content)
    return tag("section", parts, class_="found", aria_labelledby="findings")


def _tables(report: Report, page: Listed) -> Iterator[Markup]:
    for state, _, meaning in words_of_states(report):
        rows = page.rows[state]
        if not rows:
            continue
        total = max(count_of(report, state), len(rows))
        told = f"{total:,}" if total == len(rows) else f"{len(rows):,} of {total:,} listed"
        heading = tag("h3", sign(state), f"{state.value.capitalize()} ", tag("small", told), id=f"h-{state.value}")
        shown = tag("p", f" of {len(rows):,} listed rows match the filter", class_="shown")
        yield tag(
            "section",
            lines(
                heading,
                tag("p", meaning, class_="meaning"),
                table(rows, f"{state.value} rows, {in_order(report)}", of_several=report.is_of_several),
                shown,
                tag("p", tag("a", "Back to the counts", href="#counts"), class_="back"),
            ),
            id=state.value,
            class_=f"state {state.value}",
            aria_labelledby=f"h-{state.value}",
        )


def _filters(report: Report, page: Listed, states: list[State], marks: Marks) -> Markup:
    boxes = (
        tag(
            "label",
            tag("input", type="checkbox", id=f"show-{state.value}", checked=""),
            sign(state),
            f"{state.value} ",
            tag("small", f"{len(page.rows[state]):,}"),
            class_=state.value,
        )
        for state in states
    )
    within = {f"t{position}": spoken_duration(limit) for position, limit in enumerate(marks.within)}
    owners = {mark: _short(name) for name, mark in marks.owners.items()}
    planned = _PLANNED if any(finding.outcome is not None for finding in report.findings) else {}
    return tag(
        "form",
        lines(
            tag("fieldset", tag("legend", "Show"), *boxes),
            _select("table", "Table", "all", {mark: _short(name) for name, mark in marks.tables.items()}),
            _select("owner", "Owner", "everybody", owners),
            _select("within", "Expires within", "any time", within),
            _select("accepted", "Accepted by", "whatever", _ACCEPTED),
            _select("plan", "Deletion", "any", planned),
            tag("button", "Show all", type="reset"),
        ),
        class_="filters panel",
        autocomplete="off",
        aria_label="Filter the findings",
    )


def _select(name: str, title: str, everything: str, options: dict[str, str]) -> Markup:
    if not options:
        return Markup()
    choices = [tag("option", everything, value="")]
    choices += (tag("option", words, value=mark) for mark, words in options.items())
    return tag("label", tag("span", title), tag("select", joined(choices), id=f"by-{name}"))


def _rules(states: list[State], marks: Marks) -> str:
    hidden = [(f"#show-{state.value}:not(:checked)", f"#{state.value}") for state in states]
    chosen = [("owner", mark) for mark in marks.owners.values()]
    chosen += [("table", mark) for mark in marks.tables.values()]
    chosen += [("within", f"t{position}") for position in range(len(marks.within))]
    chosen += [("accepted", mark) for mark in _ACCEPTED]
    for name, mark in chosen:
        control = f"#by-{name} [value={mark}]:checked"
        hidden.append((control, f".rows tbody tr:not(.{mark})"))
        # A state of which nothing is left keeps its heading, and the line that says so.
        hidden.append((control, f".state:not(:has(tr.{mark})) :is(table,.back)"))
    hidden += [
        ("#by-plan [value=p]:checked", ".rows tbody tr:not(.p)"),
        ("#by-plan [value=-p]:checked", ".rows tbody tr.p"),
    ]
    return "".join(f"body:has({control}) .found {what}{_HIDE}" for control, what in hidden)


def _short(name: str) -> str:
    shown = plain(name)
    return shown if len(shown) <= _LONGEST_OPTION else f"{shown[: _LONGEST_OPTION - 1]}…"

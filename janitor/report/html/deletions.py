"""What the run deleted or would, and who is locked out until it does."""

from collections.abc import Iterator

from janitor.report.html.markup import Markup, escaped, joined, lines, tag, with_code
from janitor.report.html.rows import Marks, finding_row, table
from janitor.report.model import Report
from janitor.report.summary import deletion_lines
from janitor.report.text import row_names
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.plain import plain

MOST_UNEXPECTED = 40
MOST_OWNERS = 200
LONGEST_OWNER = 120

_UNEXPECTED = (DeletionOutcome.FAILED, DeletionOutcome.CHANGED, DeletionOutcome.ALREADY_GONE)
_NO_MARKS = Marks({}, [])


def deletions(report: Report) -> Markup:
    """Counts by outcome, where the archive is, and the rows that did not go as planned; nothing for a scan."""
    sentences = [with_code(sentence) for sentence in deletion_lines(report)]
    if not sentences:
        return Markup()
    counted = (
        tag("div", tag("dt", words), tag("dd", f"{count:,}"), class_=style if count else "none")
        for words, count, style in _outcomes(report)
    )
    parts = [
        tag("h2", "Deletions of this run", id="deletions"),
        tag("dl", joined(counted), class_="outcomes"),
        *(tag("p", sentence) for sentence in sentences),
        *_unexpected(report),
    ]
    return tag("section", lines(*parts), class_="panel", aria_labelledby="deletions")


def locked_out(report: Report) -> Markup:
    """The owners who can create no token; nothing where nobody is."""
    owners, unchecked = report.locked_out, report.locked_out_unchecked
    if not owners and not unchecked:
        return Markup()
    names = [tag("li", tag("bdi", _cut(owner))) for owner in owners[:MOST_OWNERS]]
    more = len(owners) - len(names)
    why = (
        "LISA lets these owners create no token until their expired row is gone. A sweep takes it once the grace is "
        "over; “What to do next” says how to do it sooner."
    )
    parts = [
        tag("h2", "Locked out ", tag("small", f"{len(owners):,}"), id="locked-out"),
        tag("p", why) if owners else "",
        tag("ul", joined(names, Markup("\n")), class_="owners") if names else "",
        tag("p", f"And {more:,} more, in the JSON report.", class_="note") if more > 0 else "",
        tag("p", f"{unchecked:,} more owners were not checked.", class_="note") if unchecked else "",
    ]
    return tag("section", lines(*parts), class_="panel", aria_labelledby="locked-out")


def _outcomes(report: Report) -> Iterator[tuple[str, int, str]]:
    deletion = report.deletion
    yield "planned", deletion.planned, "said"
    yield "deleted", deletion.deleted, "said"
    yield "changed", deletion.changed, "said"
    yield "gone already", deletion.already_gone, "said"
    yield "failed", deletion.failed, "failed"
    yield "protected", deletion.protected, "said"
    if deletion.waiting:
        yield "wait for their notice", deletion.waiting, "said"


def _unexpected(report: Report) -> Iterator[Markup]:
    unexpected = [finding for finding in report.findings if finding.outcome in _UNEXPECTED]
    if not unexpected:
        return
    called = row_names(report.findings)
    rows = [finding_row(finding, _NO_MARKS, called(finding)) for finding in unexpected[:MOST_UNEXPECTED]]
    yield tag("h3", "Not as planned")
    caption = "rows that were planned for deletion and did not go as planned"
    yield table(rows, caption, of_several=report.is_of_several)
    more = len(unexpected) - len(rows)
    if more:
        yield tag("p", escaped(f"And {more:,} more; the findings below can be filtered by deletion."), class_="note")


def _cut(owner: str) -> str:
    shown = plain(owner)
    return shown if len(shown) <= LONGEST_OWNER else f"{shown[: LONGEST_OWNER - 1]}…"

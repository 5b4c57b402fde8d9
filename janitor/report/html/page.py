"""The page, from its first line to its last."""

from collections.abc import Iterator

from janitor.report.html.chart import charts
from janitor.report.html.deletions import deletions, locked_out
from janitor.report.html.findings import findings
from janitor.report.html.markup import Markup, lines, tag
from janitor.report.html.next_steps import section as next_steps
from janitor.report.html.styles import STYLES
from janitor.report.html.tables import tables
from janitor.report.html.top import alerts, counts, masthead
from janitor.report.model import Report
from janitor.report.summary import headline
from janitor.report.text import utc
from janitor.tokens.duration import spoken_duration

# The page stays under 3 MB, whatever it reports: mail servers and issue trackers take no more.
_MOST_BYTES = 2_980_000

# Nothing is loaded, nothing runs, nothing is sent; only the page's own styles apply.
_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(report: Report) -> Markup:
    """The whole page."""
    head, footer = _head(report), _about(report)
    skip = tag("a", "Skip to the findings", href="#findings", class_="skip")
    above = lines(
        alerts(report),
        tables(report),
        counts(report),
        charts(report),
        next_steps(report),
        deletions(report),
        locked_out(report),
    )
    top = lines(skip, masthead(report))
    room = _MOST_BYTES - sum(len(part.encode()) for part in (head, top, above, footer))
    main = tag("main", lines(above, findings(report, room=room)))
    return lines(
        Markup("<!doctype html>"),
        tag("html", lines(head, tag("body", lines(top, main, footer))), lang="en"),
        Markup("\n"),
    )


def _head(report: Report) -> Markup:
    return tag(
        "head",
        lines(
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=_SECURITY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="robots", content="noindex"),
            tag("meta", name="description", content=headline(report)),
            tag("title", f"janitor: {report.title}, {utc(report.run.started_at)[:10]}"),
            tag("style", Markup(STYLES)),
        ),
    )


def _about(report: Report) -> Markup:
    facts = (tag("div", tag("dt", words), tag("dd", fact)) for words, fact in _facts(report))
    return tag("footer", lines(tag("h2", "About this run", id="about"), tag("dl", *facts)), aria_labelledby="about")


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    run, policy, capacity, skew = report.run, report.policy, report.capacity, report.clock.skew_seconds
    yield "Command", f"janitor {run.command}"
    yield "Run", run.id
    yield "Started", f"{utc(run.started_at)} UTC"
    yield "Took", f"{run.duration_seconds:,.1f} s"
    thresholds = sorted(policy.thresholds_seconds, reverse=True)
    yield "About to expire", ", ".join(spoken_duration(seconds) for seconds in thresholds[:5])
    yield "Grace", spoken_duration(policy.grace_seconds)
    yield "Units", f"{capacity.read_units:,.1f} read, {capacity.write_units:,.1f} written"
    yield "Requests", f"{capacity.requests:,}, {capacity.throttled:,} throttled"
    yield "Cost", f"${capacity.cost_usd:,.6f}".rstrip("0").rstrip(".") + " on demand"
    yield "Clock", "unknown" if skew is None else f"{skew:+,} s off the server's"
    yield "Version", run.version

"""`ics`: a calendar of the coming expiries, to import once or to subscribe to (RFC 5545, RFC 7986)."""

import datetime as dt
import uuid
from collections.abc import Iterator

from icalendar import Alarm, Calendar, Event, vDuration, vText

from janitor.report.finding_cells import format_name, format_owner
from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Finding, Report, TableReport
from janitor.report.summary import headline, listing_line, omitted_line
from janitor.tokens.classify import State
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

# How often a subscriber should refresh: twice as often as a nightly run has news.
_REFRESH = dt.timedelta(hours=12)

# The states that may have an expiry ahead. A malformed date is not reliable, whatever LISA reads from it.
_DATED = {State.EXPIRING: "expiring", State.LEGACY: "legacy"}

# Generated once for this project, so that its events never have the UID of another program's event.
_NAMESPACE = uuid.UUID("6a6e2f5c-0a52-5d3b-9d0e-4f7f3b1c8a21")


class IcsFormat(WholeFormat):
    """An event for each token that LISA accepts and that expires, with an alarm at each threshold that lies ahead.

    A token keeps its UID for as long as it stays in its table, so that an extended token moves in a subscribed calendar
    and does not appear twice.
    """

    # A subscribed calendar would drop the events of tokens that a scan which broke off never reached.
    shows_outcome = False
    shows_each_outcome = False

    def tail(self, report: Report) -> bytes:
        """The whole calendar."""
        calendar = _calendar(report)
        tables: dict[str | None, TableReport | None] = {
            None: report.only_table,
            **{table.label: table for table in report.tables},
        }
        for finding in _expiring(report):
            table = tables[finding.table]
            assert table is not None  # noqa: S101  # a finding of several tables says of which it is
            calendar.add_component(_event(finding, table, report))
        content: bytes = calendar.to_ical()
        return content


class _Text(vText):
    r"""A text as RFC 5545 escapes it; icalendar would take `\N` for a line end even if it is a part of a name."""

    __slots__ = ()

    def to_ical(self) -> bytes:
        escaped = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
        return escaped.encode()


def _calendar(report: Report) -> Calendar:
    name = _Text(printable(f"Expiring LISA tokens, {report.title}"))
    description = _Text("\n".join(_calendar_description(report)))
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", f"-//token-janitor//janitor {report.run.version}//EN")
    calendar.add("method", "PUBLISH")
    calendar.add("last-modified", report.run.started_at)
    calendar.add("refresh-interval", vDuration(_REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("name", name)
    calendar.add("description", description)
    # For calendar programs that know only RFC 5545.
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-caldesc", description)
    calendar.add("x-published-ttl", vDuration(_REFRESH))
    return calendar


def _calendar_description(report: Report) -> Iterator[str]:
    yield printable(headline(report))
    if report.listing is not None:
        yield listing_line(report)
        if report.findings_omitted:
            yield omitted_line(report, report.findings_omitted).replace("`", "")
        return
    for state, word in _DATED.items():
        listed = sum(finding.state is state for finding in report.findings)
        omitted = getattr(report.counts, state.value) - listed
        if omitted > 0:
            rows = format_count(omitted, f"more {word} row")
            yield f"{rows} did not fit; allow more with --max-findings, or list all with --report ndjson=PATH."


def _expiring(report: Report) -> Iterator[Finding]:
    """The tokens that a gate accepts until a date, in the order of the report, each once.

    A hashed table may still have a token's legacy row beside its present one; both have the token's fingerprint.
    """
    # Active rows are listed only by a run that was asked for them.
    dated = (*_DATED, State.ACTIVE) if report.listing is not None else tuple(_DATED)
    seen_tokens = set()
    for finding in report.findings:
        token = (finding.table, finding.fingerprint)
        if finding.state in dated and finding.accepted_by and finding.expires_at and token not in seen_tokens:
            seen_tokens.add(token)
            yield finding


def _event(finding: Finding, table: TableReport, report: Report) -> Event:
    started = report.run.started_at
    title = _title(finding)
    event = Event()
    event.add("uid", _uid(finding, table))
    event.add("dtstamp", started)
    event.add("last-modified", started)
    # It has to grow, and to fit in 31 bits: seconds would overflow in 2038, so these are minutes.
    event.add("sequence", int(started.timestamp()) // 60)
    event.add("dtstart", finding.expires_at)
    event.add("transp", "TRANSPARENT")
    event.add("summary", _Text(f"{title} expires"))
    event.add("description", _Text("\n".join(_description_lines(finding, table))))
    for threshold in sorted(set(report.policy.thresholds_seconds), reverse=True):
        if threshold < (finding.seconds_to_expiry or 0):
            event.add_component(_alarm(title, threshold))
    return event


def _alarm(title: str, threshold: int) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", dt.timedelta(seconds=-threshold))
    alarm.add("description", _Text(f"{title} expires in {format_duration(threshold)}"))
    return alarm


def _uid(finding: Finding, table: TableReport) -> str:
    # None of them has a slash. The expiry is left out on purpose.
    place = f"{table.account_id}/{table.region}/{table.name}/{finding.fingerprint}"
    return str(uuid.uuid5(_NAMESPACE, place))


def _title(finding: Finding) -> str:
    token_name = format_name(finding) if finding.name else finding.fingerprint
    if finding.username:
        return f"LISA token {token_name} of {format_owner(finding)}"
    return f"LISA {'system ' if finding.system else ''}token {token_name}"


def _description_lines(finding: Finding, table: TableReport) -> Iterator[str]:
    account = f", account {table.account_id}" if table.account_id else ""
    yield f"Owner: {format_owner(finding)}"
    yield f"Name: {format_name(finding)}"
    yield f"Fingerprint: {finding.fingerprint}"
    region = f" in {printable(table.region)}" if table.region else ""
    yield f"Table: {printable(table.name)}{region}{account}"
    yield ""
    if Gate.API in finding.accepted_by:
        yield "From this moment on LISA rejects the token, and whatever uses it stops working."
    else:
        yield "LISA's API rejects the token already; from this moment on MCP Workbench does too."
    yield "Before that, extend it, or replace it wherever it is used. A token that nobody needs may expire."

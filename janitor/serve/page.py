"""The daemon's page: the values that its templates show."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jinja2 import Template
from markupsafe import Markup

from janitor.errors import ExitCode, describe_exit_code
from janitor.report.html.templating import load_styles, make_environment
from janitor.report.model import Outcome
from janitor.serve.api import make_report_path
from janitor.serve.last_report import LastReport
from janitor.serve.status import DaemonStatus, JobStatus
from janitor.tokens.duration import format_duration, format_relative
from janitor.tokens.printable import printable
from janitor.tokens.times import format_minute, time_of
from janitor.tokens.words import format_count

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_MAX_TABLES = 20
_GOOD_OUTCOMES = (Outcome.COMPLETE, Outcome.SKIPPED)
_ALWAYS_SHOWN = ("expiring", "expired", "stale")
_STATES = (*_ALWAYS_SHOWN, "permanent", "malformed", "legacy")


class _Figure(NamedTuple):
    """A number of rows and what it counts; `style` has CSS class names."""

    name: str
    rows: int
    style: str


class _TableReport(NamedTuple):
    """What the page shows of a job's last report about one table."""

    report: LastReport
    is_of_last_run: bool
    figures: Sequence[_Figure]


class _Job(NamedTuple):
    """A job as the page shows it.

    Attributes:
        status: its status.
        tables: the names of its tables.
        schedule: time zone, jitter and catching up, in words.
        duration: how long its last run took; empty if not known.
        ended_well: whether its last run succeeded, or was not needed.
        why: what is known of the last run's end besides its outcome.
        errors: what the last run said of what went wrong, if it went wrong.
        run_counts: how many runs had which outcome, in words.
        report_path: the path of its HTML report, relative to the page.
        reports: its last report, one part per table.
    """

    status: JobStatus
    tables: str
    schedule: str
    duration: str
    ended_well: bool
    why: str
    errors: Sequence[str]
    run_counts: str
    report_path: str
    reports: Sequence[_TableReport]


def render_page(status: DaemonStatus) -> str:
    """Render the whole page."""
    return _load_template().render(
        status=status,
        title=_make_title(status),
        uptime=format_duration(max(0, int(status.now - status.started_at))),
        jobs=[_make_job(each) for _, each in sorted(status.jobs.items())],
    )


@functools.cache
def _load_template() -> Template:
    environment = make_environment("janitor.serve")
    environment.filters["relative"] = format_relative
    environment.filters["utc"] = _format_utc
    styles = [load_styles("janitor.report", "report.css"), load_styles("janitor.serve", "page.css")]
    environment.globals["styles"] = Markup("\n").join(styles)
    return environment.get_template("page.html")


def _make_title(status: DaemonStatus) -> str:
    """Say what is wrong, or that nothing is."""
    problems = []
    if status.folder_error:
        problems.append("the folder cannot be read")
    if status.broken:
        problems.append(format_count(len(status.broken), "broken file"))
    wrong = sum(1 for each in status.jobs.values() if each.record.outcome not in (None, *_GOOD_OUTCOMES))
    if wrong:
        problems.append(f"{format_count(wrong, 'job')} whose last run went wrong")
    if not problems:
        return "All is well" if status.jobs else "No jobs"
    text = ", ".join(problems)
    return text[0].upper() + text[1:]


def _make_job(each: JobStatus) -> _Job:
    record = each.record
    duration = (
        ""
        if record.started_at is None or record.ended_at is None
        else _format_seconds(record.ended_at - record.started_at)
    )
    return _Job(
        status=each,
        tables=", ".join(_list_tables(each)),
        schedule=", ".join(_describe_schedule(each)),
        duration=duration,
        ended_well=record.outcome in _GOOD_OUTCOMES,
        why=_explain_end(each),
        errors=() if record.outcome in _GOOD_OUTCOMES else [printable(line) for line in record.errors],
        run_counts=", ".join(_count_runs(each)),
        report_path=make_report_path(each.job.name),
        reports=[
            _TableReport(report, each.is_of_last_run(report), list(_list_figures(each, report)))
            for report in each.last_reports
        ],
    )


def _list_tables(each: JobStatus) -> Iterator[str]:
    tables = each.job.tables
    yield from (table.label for table in tables[:_MAX_TABLES])
    if len(tables) > _MAX_TABLES:
        yield f"and {len(tables) - _MAX_TABLES:,} more"


def _describe_schedule(each: JobStatus) -> Iterator[str]:
    when = each.job.schedule.when
    yield when.timezone
    if when.jitter:
        yield f"up to {format_duration(when.jitter)} later"
    if when.catch_up:
        yield "catches up"


def _count_runs(each: JobStatus) -> Iterator[str]:
    record = each.record
    yield from (f"{count:,} {outcome}" for outcome, count in sorted(record.runs.items(), key=lambda item: -item[1]))
    if record.missed:
        last = "" if record.missed_at is None else f", last {_format_utc(record.missed_at)}"
        yield f"{record.missed:,} missed{last}"


def _explain_end(each: JobStatus) -> str:
    record = each.record
    if record.outcome == "lost":
        return "the daemon was killed while it was running"
    if record.was_overdue and record.outcome not in _GOOD_OUTCOMES:
        return "it was long past its deadline, and was stopped"
    if record.exit_code is None:
        return ""
    left_no_report = record.outcome == Outcome.FAILED and record.exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
    meaning = "it left no report" if left_no_report else describe_exit_code(record.exit_code)
    code = f"exit code {record.exit_code}" if record.exit_code >= 0 else ""
    is_explained = record.errors or record.outcome in _GOOD_OUTCOMES
    return f"{': '.join(part for part in (code, meaning) if part)}{'' if is_explained else '; see the log'}"


def _list_figures(each: JobStatus, report: LastReport) -> Iterator[_Figure]:
    for state in _STATES:
        count = getattr(report.counts, state)
        if count or state in _ALWAYS_SHOWN:
            yield _format_figure(state, count, state)
    if each.job.schedule.is_sweep:
        deletion = report.deletion
        if deletion.enabled:
            yield _format_figure("deleted", deletion.deleted)
        else:
            yield _format_figure("would be deleted", deletion.planned)
        if deletion.failed:
            yield _format_figure("failed to delete", deletion.failed, "failed")


def _format_figure(name: str, count: int, style: str = "") -> _Figure:
    return _Figure(name, count, style if count else f"{style} none".lstrip())


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 2 * 60 else format_duration(round(seconds))


def _format_utc(second: float) -> str:
    return f"{format_minute(time_of(second))} UTC"

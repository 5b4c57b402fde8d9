"""The daemon's page: the values that its templates show of each job."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jinja2 import Template
from markupsafe import Markup

from janitor.errors import ExitCode
from janitor.report.html.templating import environment_of, styles_of
from janitor.report.model import Outcome
from janitor.serve.api import report_path
from janitor.serve.board import Board, JobOnBoard
from janitor.serve.ending import words_of
from janitor.serve.kept import Kept
from janitor.tokens.duration import relative, spoken_duration
from janitor.tokens.times import minute_of, time_of
from janitor.tokens.words import counted

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_MOST_TABLES = 20
_GOOD = (Outcome.COMPLETE, Outcome.SKIPPED)
_ALWAYS_COUNTED = ("expiring", "expired", "stale")
_STATES = (*_ALWAYS_COUNTED, "permanent", "malformed", "legacy")


class _Figure(NamedTuple):
    """How many rows of a table are in a state, or what became of so many; `style` are class names."""

    name: str
    rows: int
    style: str


class _TableReport(NamedTuple):
    """What the job's last report says of a table."""

    kept: Kept
    is_of_last_run: bool
    figures: Sequence[_Figure]


class _Job(NamedTuple):
    """A job as the page shows it.

    Attributes:
        on_board: what the daemon knows of it.
        tables: its tables, in words.
        schedule: what its cron line leaves open, in words.
        took: how long its last run took, empty where that is not known.
        ended_well: whether its last run did what it had to, or was not needed.
        why: what is known of the last run's end besides its outcome.
        so_far: how many runs ended how, in words.
        report_path: where its HTML report is, relative to the page.
        reports: its last report, a table each.
    """

    on_board: JobOnBoard
    tables: str
    schedule: str
    took: str
    ended_well: bool
    why: str
    so_far: str
    report_path: str
    reports: Sequence[_TableReport]


def render_page(board: Board) -> str:
    """The whole page."""
    return _template().render(
        board=board,
        title=_title(board),
        up_for=spoken_duration(max(0, int(board.now - board.started_at))),
        jobs=[_job(each) for _, each in sorted(board.jobs.items())],
    )


@functools.cache
def _template() -> Template:
    environment = environment_of("janitor.serve")
    environment.filters["relative"] = relative
    environment.filters["utc"] = _utc
    styles = [styles_of("janitor.report", "report.css"), styles_of("janitor.serve", "page.css")]
    environment.globals["styles"] = Markup("\n").join(styles)
    return environment.get_template("page.html")


def _title(board: Board) -> str:
    """What is wrong, or that nothing is."""
    troubles = []
    if board.fault:
        troubles.append("the folder cannot be read")
    if board.broken:
        troubles.append(counted(len(board.broken), "broken file"))
    wrong = sum(1 for each in board.jobs.values() if each.known.outcome not in (None, *_GOOD))
    if wrong:
        troubles.append(f"{counted(wrong, 'job')} whose last run went wrong")
    if not troubles:
        return "All is well" if board.jobs else "No jobs"
    text = ", ".join(troubles)
    return text[0].upper() + text[1:]


def _job(each: JobOnBoard) -> _Job:
    known = each.known
    took = "" if known.started_at is None or known.ended_at is None else _took(known.ended_at - known.started_at)
    return _Job(
        on_board=each,
        tables=", ".join(_tables(each)),
        schedule=", ".join(_schedule(each)),
        took=took,
        ended_well=known.outcome in _GOOD,
        why=_why(each),
        so_far=", ".join(_so_far(each)),
        report_path=report_path(each.job.name),
        reports=[_TableReport(kept, each.is_of_last_run(kept), list(_figures(each, kept))) for kept in each.kept],
    )


def _tables(each: JobOnBoard) -> Iterator[str]:
    tables = each.job.tables
    yield from (table.label for table in tables[:_MOST_TABLES])
    if len(tables) > _MOST_TABLES:
        yield f"and {len(tables) - _MOST_TABLES:,} more"


def _schedule(each: JobOnBoard) -> Iterator[str]:
    when = each.job.schedule.when
    yield when.timezone
    if when.jitter:
        yield f"up to {spoken_duration(when.jitter)} later"
    if when.catch_up:
        yield "catches up"


def _so_far(each: JobOnBoard) -> Iterator[str]:
    known = each.known
    yield from (f"{count:,} {outcome}" for outcome, count in sorted(known.runs.items(), key=lambda item: -item[1]))
    if known.missed:
        last = "" if known.missed_at is None else f", last {_utc(known.missed_at)}"
        yield f"{known.missed:,} missed{last}"


def _why(each: JobOnBoard) -> str:
    known = each.known
    if known.outcome == "lost":
        return "the daemon was killed while it was at work"
    if known.was_overdue and known.outcome not in _GOOD:
        return "it outlived its deadline, and was ended"
    if known.exit_code is None:
        return ""
    left_nothing = known.outcome == Outcome.FAILED and known.exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
    words = "it left no report" if left_nothing else words_of(known.exit_code)
    code = f"exit code {known.exit_code}" if known.exit_code >= 0 else ""
    return ": ".join(part for part in (code, words) if part)


def _figures(each: JobOnBoard, kept: Kept) -> Iterator[_Figure]:
    for state in _STATES:
        count = getattr(kept.counts, state)
        if count or state in _ALWAYS_COUNTED:
            yield _figure(state, count, state)
    if each.job.schedule.is_sweep:
        deletion = kept.deletion
        if deletion.enabled:
            yield _figure("deleted", deletion.deleted)
        else:
            yield _figure("would be deleted", deletion.planned)
        if deletion.failed:
            yield _figure("failed to delete", deletion.failed, "failed")


def _figure(name: str, count: int, style: str = "") -> _Figure:
    return _Figure(name, count, style if count else f"{style} none".lstrip())


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 2 * 60 else spoken_duration(round(seconds))


def _utc(second: float) -> str:
    return f"{minute_of(time_of(second))} UTC"

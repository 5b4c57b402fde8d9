"""The daemon's page: each job, how its last run ended, and when it runs next. No script, no request, no button."""

import datetime as dt
from collections.abc import Iterator

from janitor.errors import ExitCode
from janitor.report.html.markup import Markup, joined, lines, tag
from janitor.report.html.styles import STYLES
from janitor.report.model import Outcome
from janitor.serve.api import report_path
from janitor.serve.board import Board, JobOnBoard
from janitor.serve.ending import words_of
from janitor.serve.kept import Kept
from janitor.tokens.duration import relative, spoken_duration
from janitor.tokens.plain import plain

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_MOST_TABLES = 20
_OWN_STYLES = """
.jobs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,540px),1fr));gap:14px}
main>.jobs{margin-top:24px}
.job{min-width:0}
.job h2{margin-bottom:6px}
.job h2 .badge{vertical-align:2px}
.badge.deletes{color:var(--expired)}.badge.works{color:var(--link)}.badge.calm{color:var(--soft)}
.job>p{margin-bottom:12px}
.job dl{margin:0 0 14px}
.times{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:5px 16px;font-size:14px}
.times dt{color:var(--soft)}
.times dd{margin:0}
.times .badge{margin:0 6px 0 0}
.times small,.of small{color:var(--soft);font-size:13px}
.of{margin:12px 0 6px;padding-top:12px;border-top:1px solid var(--line);font-size:14px}
.of b{margin-right:8px}
.job .outcomes{gap:6px 26px;margin-bottom:4px}
.job .outcomes dd{font-size:20px}
.job .outcomes :not(.none) dd{color:var(--tone,inherit)}
.alert p{margin-bottom:4px}
.alert li{margin-bottom:6px}
"""

_GOOD = (Outcome.COMPLETE, Outcome.SKIPPED)
_STATES = ("expiring", "expired", "stale", "permanent", "malformed", "legacy")


def page_of(board: Board) -> Markup:
    """The whole page."""
    wrong = sum(1 for each in board.jobs.values() if each.known.outcome not in (None, *_GOOD))
    jobs = [_job(each, board.now) for _, each in sorted(board.jobs.items())]
    content = tag("section", lines(*jobs), class_="jobs", aria_label="Jobs") if jobs else _nothing()
    return lines(
        Markup("<!doctype html>"),
        tag(
            "html",
            lines(_head(), tag("body", lines(_masthead(board, wrong), tag("main", lines(_broken(board), content))))),
            lang="en",
        ),
        Markup("\n"),
    )


def _head() -> Markup:
    return tag(
        "head",
        lines(
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="robots", content="noindex"),
            tag("title", "janitor: jobs"),
            tag("style", Markup(STYLES + _OWN_STYLES)),
        ),
    )


def _masthead(board: Board, wrong: int) -> Markup:
    count = len(board.jobs)
    facts = [
        f"{count:,} job{'' if count == 1 else 's'} in {plain(board.folder)}",
        f"as of {_utc(board.now)}",
        f"up for {spoken_duration(max(0, int(board.now - board.started_at)))}",
        f"janitor {board.version}",
    ]
    title = "All is well" if not (wrong or board.broken or board.fault) else _trouble(board, wrong)
    return tag(
        "header",
        lines(
            tag("p", "janitor · daemon", class_="brand"),
            tag("h1", title if board.jobs or board.broken or board.fault else "No jobs"),
            tag("p", joined(facts, " · "), class_="facts"),
        ),
    )


def _trouble(board: Board, wrong: int) -> str:
    said = []
    if board.fault:
        said.append("the folder cannot be read")
    if board.broken:
        said.append(f"{len(board.broken):,} broken file{'' if len(board.broken) == 1 else 's'}")
    if wrong:
        said.append(f"{wrong:,} job{' whose' if wrong == 1 else 's whose'} last run went wrong")
    text = ", ".join(said)
    return text[0].upper() + text[1:]


def _broken(board: Board) -> Markup:
    if not board.broken and board.fault is None:
        return Markup()
    items = [
        tag("li", tag("b", f"{plain(name)}.toml"), Markup("<br>"), plain(why))
        for name, why in sorted(board.broken.items())
    ]
    if board.fault is not None:
        items.insert(0, tag("li", plain(board.fault)))
    words = "No run of these starts until they are right, not even by what they said before. The other jobs go on."
    if board.fault is not None:
        words = "No run starts until the folder can be read again."
    return tag(
        "section",
        lines(
            tag("h2", tag("span", "✕ ", aria_hidden="true"), "Broken files", id="broken"),
            tag("p", words),
            tag("ul", *items),
        ),
        class_="alert errors",
        aria_labelledby="broken",
    )


def _nothing() -> Markup:
    return tag("section", tag("p", "No schedule file is loaded: put files that end in .toml into it."), class_="panel")


def _job(each: JobOnBoard, now: float) -> Markup:
    description = each.job.schedule.description
    return tag(
        "article",
        lines(
            tag("h2", each.job.name, *_badges(each)),
            tag("p", description, class_="note") if description else "",
            tag(
                "dl",
                *(joined([tag("dt", name), tag("dd", *parts)]) for name, parts in _facts(each, now)),
                class_="times",
            ),
            *(_report(each, report, now) for report in each.kept),
        ),
        class_="panel job",
    )


def _badges(each: JobOnBoard) -> Iterator[Markup]:
    if each.job.deletes:
        yield tag("span", "deletes", class_="badge deletes")
    else:
        yield tag("span", "dry run" if each.job.schedule.is_sweep else "only reports", class_="badge calm")
    if each.running_since is not None:
        yield tag("span", "● running", class_="badge works")
    elif each.is_waiting:
        yield tag("span", "waits for its turn", class_="badge works")


def _facts(each: JobOnBoard, now: float) -> Iterator[tuple[str, list[str]]]:
    known, when = each.known, each.job.schedule.when
    tables = [plain(table.label) for table in each.job.tables]
    more = [f"and {len(tables) - _MOST_TABLES:,} more"] if len(tables) > _MOST_TABLES else []
    yield ("Table" if len(tables) == 1 else "Tables"), [", ".join([*tables[:_MOST_TABLES], *more])]
    yield "Schedule", _schedule(each)
    if each.running_since is not None:
        yield "Running", [f"since {_utc(each.running_since)}", *_ago(each.running_since, now)]
    if known.started_at is None:
        yield "Last run", ["none yet"]
    else:
        took = []
        if known.ended_at is not None:
            took = [f", took {_took(known.ended_at - known.started_at)}"]
        yield "Last run", [_utc(known.started_at), *_ago(known.started_at, now), *took]
        yield "Ended", list(_ended(each))
    if when.cron is not None:
        at = each.next_at
        yield "Next run", ["not known"] if at is None else [_utc(at), *_ago(at, now)]
    runs = [f"{count:,} {outcome}" for outcome, count in sorted(known.runs.items(), key=lambda item: -item[1])]
    if known.missed:
        last = f", last {_utc(known.missed_at)}" if known.missed_at is not None else ""
        runs.append(f"{known.missed:,} missed{last}")
    if runs:
        yield "So far", [", ".join(runs)]


def _schedule(each: JobOnBoard) -> list[str]:
    when = each.job.schedule.when
    if when.cron is None:
        return ["not scheduled: [when] has no cron line"]
    extra = [when.timezone]
    if when.jitter:
        extra.append(f"up to {spoken_duration(when.jitter)} later")
    if when.catch_up:
        extra.append("catches up")
    return [tag("code", when.cron), f" {', '.join(extra)}"]


def _ended(each: JobOnBoard) -> Iterator[Markup | str]:
    known = each.known
    outcome = known.outcome or "?"
    is_good = outcome in _GOOD
    yield tag("span", f"{'✓' if is_good else '✕'} {outcome}", class_=f"badge {'good' if is_good else 'bad'}")
    if outcome == "lost":
        yield "the daemon was killed while it was at work"
    elif known.was_overdue and not is_good:
        yield "it outlived its deadline, and was ended"
    elif known.exit_code is not None:
        left_nothing = outcome == Outcome.FAILED and known.exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
        words = "it left no report" if left_nothing else words_of(known.exit_code)
        code = f"exit code {known.exit_code}" if known.exit_code >= 0 else ""
        yield ": ".join(part for part in (code, words) if part)


def _report(each: JobOnBoard, report: Kept, now: float) -> Markup:
    link = tag("a", "report", href=report_path(each.job.name))
    where = f"{report.table}, {report.region}"
    older = "" if each.is_of_last_run(report) else "an earlier run's: "
    line = tag(
        "p", tag("b", where), tag("small", older, _utc(report.ended_at), *_ago(report.ended_at, now)), " ", link,
        class_="of",
    )  # fmt: skip
    figures = [(state, getattr(report.counts, state), state) for state in _STATES]
    shown = [figure for figure in figures if figure[1] or figure[0] in ("expiring", "expired", "stale")]
    if each.job.schedule.is_sweep:
        deletion = report.deletion
        name, count = ("deleted", deletion.deleted) if deletion.enabled else ("would be deleted", deletion.planned)
        shown.append((name, count, ""))
        if deletion.failed:
            shown.append(("failed to delete", deletion.failed, "failed"))
    counts = (
        tag(
            "div",
            tag("dt", name),
            tag("dd", f"{count:,}"),
            class_=f"{tone} {'' if count else 'none'}".strip() or "said",
        )
        for name, count, tone in shown
    )
    return lines(line, tag("dl", *counts, class_="outcomes"))


def _ago(second: float, now: float) -> list[Markup]:
    return [tag("small", f" {relative(round(second - now))}")]


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 2 * 60 else spoken_duration(round(seconds))


def _utc(second: float) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%d %H:%M} UTC"

"""log-events.md: each event that the program logs, found in its source."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.reference.markdown import WIDE, code, codes, page, table

_SOURCE = Path(__file__).resolve().parents[2] / "janitor"
_LOGS = {"log", "log_error", "log_warning"}
_LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
# Events with names that the source puts together, or with levels that depend on where the log goes.
_BY_HAND = {"log_remarks": (("run.error", "error"), ("run.warning", "warning"))}

_OPENING = """\
After this page you can find a line of the log again, and know what it says.

Logs go to standard error: JSON lines, or on a terminal a readable console that begins with warnings (`--log-format`,
`--log-level`). Every line has `event`, `level`, `logger` and `timestamp`, and in a run `run_id`; `job` besides in a run of
`janitor serve`, and `table` in a run of several tables. `--log-level debug` adds a line a page, and botocore's, of which only the
pattern is kept. No line ever holds a token.

`run.started` and `run.finished` frame a run, the latter with its counts and capacity; `deletes.started` and `deletes.finished`
frame the deletes of a sweep. Right before `run.finished` stands a line for each error and warning of the report, at most 50:
so a dry run's `would refuse to delete` is read in the log too where no report is printed (`--format none`).

On a terminal nothing is said twice: a line that the report there, or a sentence at the end, says as well counts as `info`, and
`--log-level info` shows it.

A module is one below `janitor`; `…` stands for more fields, counts and limits among them."""


MEANINGS: Mapping[str, str] = {
    "archive.incomplete": "The archive holds the rows, but not all of their outcomes.",
    "capacity.limited": "How many units a second the run is held to.",
    "capacity.throttled": "DynamoDB throttled requests, and the run goes slower.",
    "clock.set_back": "The daemon's clock was set back.",
    "clock.skewed": "The local clock is off by more than is allowed.",
    "daemon.idle": "There is no schedule file to run.",
    "daemon.reloads": "SIGHUP came; every schedule file is read anew.",
    "daemon.started": "The daemon runs, and serves its pages there.",
    "daemon.stopped": "The daemon has ended.",
    "daemon.stopping": "The daemon ends, and so do the runs at work.",
    "delete.not_looked_at": "A delete's answer left open what became of a row, and the look at it failed.",
    "delete.without_partiql": "PartiQL is denied, so the run deletes by single requests.",
    "deletes.finished": "The deletes of a sweep have ended, with the number of each outcome.",
    "deletes.started": "The deletes of a sweep begin.",
    "digest.not_published": "A digest could not be sent.",
    "file.broken": "A schedule file is not valid, and does not run.",
    "file.not_read": "A bug of janitor kept a schedule file from being read.",
    "folder.not_read": "The folder of schedule files cannot be read.",
    "job.catches_up": "A job runs now that was due while no daemon was running.",
    "job.changed": "A schedule file was changed.",
    "job.forgotten": "What was remembered of a job without a file is removed.",
    "job.killed": "A run did not end in time and was killed.",
    "job.late": "A job started later than it was due.",
    "job.loaded": "A schedule file was read.",
    "job.missed": "A job was due and not run.",
    "job.not_removed": "The files of a job without a schedule file could not be removed.",
    "job.not_scheduled": "A schedule file has no cron line, so it never fires by itself.",
    "job.not_started": "The process of a run could not be started.",
    "job.overdue": "A run is at work beyond its deadline, and is stopped.",
    "job.removed": "A schedule file was removed.",
    "job.started": "A run began.",
    "job.stopping": "A run is asked to end.",
    "last_seen.not_looked_up": "Not every owner could be looked up in the usage table.",
    "lease.broken": "The lease of a run that ended without giving it back was taken over.",
    "lease.held": "Another run has the lease, so this one waits or leaves it.",
    "lease.left": "The lease could not be given back; it ends by itself.",
    "lease.lost": "Another run took the lease; this one stops.",
    "lease.not_renewed": "The lease could not be renewed this time.",
    "lease.taken": "This run has the lease.",
    "lease.watched": "This run watches whether the holder of the lease is at work.",
    "listing.cut": "More tokens match than are listed.",
    "memory.damaged": "What the daemon remembers is damaged; it was put aside, and it begins anew.",
    "memory.not_read": "What the daemon remembers could not be read.",
    "memory.not_written": "What the daemon remembers could not be written.",
    "notices.published": "Digests were published.",
    "owners.not_looked_up": "Whether changed tokens were removed or extended could not be looked up.",
    "page.read": "A page of the table or of the source was read.",
    "plan.not_removed": "The plan of an earlier sweep that was refused could not be removed.",
    "plan.removed": "The plan of an earlier sweep that was refused was removed, because a later sweep was not.",
    "reader.died": "A process that reads the table died; its part is read again.",
    "reader.not_started": "The processes that were chosen to read the table cannot be started; this one reads it alone.",
    "report.bug": "A bug of janitor kept a report from being written.",
    "report.not_read": "The last report of a job could not be read.",
    "report.not_written": "A report could not be written.",
    "report.too_long": "The last report of a job is too long for the daemon's page.",
    "report.written": "A report was written.",
    "restore.failed": "A restore ended before its end.",
    "run.bug": "A bug of janitor; the line says where.",
    "run.error": "An error of the report.",
    "run.finished": "The run has ended: how, its counts, what it deleted, its capacity, and where its reports are.",
    "run.lost": "The daemon was killed while this run was at work.",
    "run.remarks_omitted": "How many more errors and warnings the report has.",
    "run.skipped": "Another run has the table, so this one leaves it.",
    "run.started": "The run begins to read a table.",
    "run.warning": "A warning of the report.",
    "scan.failed": "The table could not be read to its end.",
    "source.broken_off": "A connection to the source broke, and is made anew.",
    "state.failed": "The state store failed; nothing more is announced.",
    "state.not_loaded": "What is remembered could not be read; nothing is announced.",
    "store.old_snapshot_left": "An old record of the state store could not be removed.",
    "sweep.broken_off": "The deletes ended before their end.",
    "table.not_located": "A bug of janitor kept the daemon from finding a table.",
    "table.not_looked_at": "A table could not be looked at while the right one was searched.",
    "token.added": "A token was added.",
    "token.expiry": "The expiry of a token was changed, or not: the outcome says it.",
    "token.imported": "A row of an import was written, or not: the outcome says it.",
    "token.others_not_looked_up": "Whether an owner has other rows could not be looked up.",
    "token.removed": "A token was removed, or not: the outcome says it.",
    "trouble.not_known": "Whether a problem was told already could not be looked up.",
    "ttl.not_looked_at": "Whether the table has a TTL could not be looked up.",
    "unlock.failed": "Owners could not be looked up for `--unlock-after`.",
}


class LogEvent(NamedTuple):
    """An event, with the fields of all places that log it."""

    levels: tuple[str, ...]
    fields: tuple[str, ...]
    modules: tuple[str, ...]


def build_log_events_page() -> str:
    """Every event by name."""
    events = find_events(_SOURCE)
    rows = [
        (code(name), ", ".join(each.levels), MEANINGS[name], codes(each.fields), codes(each.modules))
        for name, each in sorted(events.items())
    ]
    return WIDE + page("Log events", _OPENING, table(("event", "level", "meaning", "fields", "module"), rows))


def find_events(source: Path) -> Mapping[str, LogEvent]:
    """Every event below this folder."""
    events: dict[str, LogEvent] = {}
    for path in sorted(source.rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        for name, level, fields in _find_calls(ast.parse(path.read_text(encoding="utf-8"))):
            known = events.get(name, LogEvent((), (), ()))
            events[name] = LogEvent(
                tuple(dict.fromkeys([*known.levels, level])),
                tuple(dict.fromkeys([*known.fields, *fields])),
                tuple(dict.fromkeys([*known.modules, module])),
            )
    return events


def _find_calls(tree: ast.Module) -> Iterator[tuple[str, str, list[str]]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        texts = {
            target.id: list(_texts(node.value))
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            fields = [word.arg or "…" for word in node.keywords if word.arg != "exc_info"]
            if (
                isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in _LOGS
            ):
                level = _LEVELS.get(node.func.attr)
                first = node.args[0]
                names = texts.get(first.id, []) if isinstance(first, ast.Name) else list(_texts(first))
                if level:
                    yield from ((name, level, fields) for name in names)
            elif isinstance(node.func, ast.IfExp) and function.name in _BY_HAND:
                yield from ((name, level, fields) for name, level in _BY_HAND[function.name])


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)

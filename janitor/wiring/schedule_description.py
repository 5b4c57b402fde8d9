"""Describes what a schedule file does, for `janitor run FILE --check`."""

import itertools
from collections.abc import Iterator, Sequence

from janitor.settings.commands import RunCommand
from janitor.settings.cron import next_times
from janitor.settings.parsers import Folder
from janitor.settings.schedule import Schedule
from janitor.settings.table import TableSettings
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import format_duration, format_relative
from janitor.tokens.printable import printable
from janitor.tokens.times import format_minute, time_of
from janitor.wiring.archives import keeps_no_archive

_TIMES = 5
_WIDTH = 11
# The choices of --include.
_INCLUDED = {"legacy": "legacy rows", "undated": "rows without a date by their createdDate"}


def describe_schedule(
    schedule: Schedule, commands: Sequence[RunCommand], *, deletes: bool, now: float
) -> Iterator[str]:
    """Yield lines for a person: what the file does, to which tables, and when it fires next.

    Args:
        schedule: the file.
        commands: the settings for each table.
        deletes: whether rows are deleted.
        now: the present in UNIX seconds.
    """
    yield printable(f"{schedule.path} is valid" + (f": {schedule.description}" if schedule.description else ""))
    first = commands[0]
    yield _format_line("does", _describe_action(schedule, first, deletes=deletes))
    if Gate.WORKBENCH not in first.scan.policy.gates:
        yield _format_line("gates", "api alone: what only MCP Workbench would accept counts as dead")
    for command in commands:
        yield _format_line("table", _describe_table(command.scan.table))
    yield from _describe_outputs(first, is_dry_run=first.run.dry_run or (schedule.is_sweep and not deletes))
    yield from _describe_next_times(schedule, now)


def _describe_action(schedule: Schedule, command: RunCommand, *, deletes: bool) -> str:
    if not schedule.is_sweep:
        return "a scan: reports, deletes nothing"
    what = f"tokens that expired {format_duration(command.scan.policy.grace)} ago or longer"
    unlock_after = command.scan.unlock.unlock_after
    if unlock_after is not None:
        what += f" ({format_duration(unlock_after)} if they keep their owner from a new one)"
    if command.plan.include:
        what += f", {' and '.join(_INCLUDED[state] for state in sorted(set(command.plan.include)))} too"
    for which, patterns in (("of", command.plan.user), ("named", command.plan.fingerprint)):
        what += f", only those {which} {' or '.join(patterns)}" if patterns else ""
    deletion = command.deletion
    if not deletes:
        return f"a sweep, dry run: reports which {what} would be deleted"
    bounds = f"at most {deletion.max_deletes:,} rows and {deletion.max_delete_percent:g} percent of the table"
    return f"a sweep: DELETES {what}, {bounds}; {_describe_archive(command)}"


def _describe_archive(command: RunCommand) -> str:
    archive = command.deletion.archive
    if keeps_no_archive(command.deletion):
        return "NO archive"
    place = archive.path if isinstance(archive, Folder) else archive
    return f"archived in {place or 'the state directory'}"


def _describe_table(table: TableSettings) -> str:
    named = {
        "": table.table,
        "deployment ": ", ".join(table.deployment),
        "named by the parameter ": table.ssm_parameter,
    }
    words = [f"{what}{name}" for what, name in named.items() if name]
    words += [f"in {table.region}"] if table.region else []
    words += [f"as {table.role_arn}"] if table.role_arn else []
    return ", ".join(words) or "none is named; give --table, --deployment or --ssm-parameter"


def _describe_outputs(command: RunCommand, *, is_dry_run: bool) -> Iterator[str]:
    notices = command.scan.notices
    if notices.sns_topic_arn:
        yield _format_line("notices", f"{notices.sns_topic_arn}{'; a dry run sends none' if is_dry_run else ''}")
    for given in notices.notify:
        yield _format_line("notices", f"{given}{'; a dry run sends none' if is_dry_run else ''}")
    for target in command.scan.output.report:
        yield _format_line("report", str(target))
    if command.scan.state.state_url:
        yield _format_line("state", str(command.scan.state.state_url))


def _describe_next_times(schedule: Schedule, now: float) -> Iterator[str]:
    when = schedule.when
    if when.cron is None:
        yield _format_line("fires", "only by hand: [when] has no cron line")
        return
    jitter = f", up to {format_duration(when.jitter)} later" if when.jitter else ""
    yield _format_line("fires", f"{when.cron} ({when.timezone}){jitter}")
    start = time_of(now)
    for at in itertools.islice(next_times(when, start), _TIMES):
        yield _format_line("", f"{format_minute(at)} UTC  {format_relative(int(at.timestamp() - now))}")


def _format_line(name: str, text: str) -> str:
    return f"  {name:<{_WIDTH}}{printable(text)}"

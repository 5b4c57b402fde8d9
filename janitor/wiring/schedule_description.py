"""What `janitor run FILE --check` says of a file that is right."""

import itertools
from collections.abc import Iterator, Sequence

from janitor.settings.cron import next_times
from janitor.settings.parsers import Folder
from janitor.settings.schedule import Schedule
from janitor.settings.table import TableSettings
from janitor.tokens.duration import relative, spoken_duration
from janitor.tokens.printable import printable
from janitor.tokens.times import minute_of, time_of
from janitor.wiring.archives import keeps_no_archive
from janitor.wiring.schedule import RunCommand

_TIMES = 5
_WIDTH = 11


def described(schedule: Schedule, commands: Sequence[RunCommand], *, deletes: bool, now: float) -> Iterator[str]:
    """Lines for a person: what the file does, to what, and when it fires next.

    Args:
        schedule: the file.
        commands: the settings of each of its runs.
        deletes: whether rows are deleted.
        now: the present in UNIX seconds.
    """
    yield printable(f"{schedule.path} is right" + (f": {schedule.description}" if schedule.description else ""))
    first = commands[0]
    yield _line("does", _does(schedule, first, deletes=deletes))
    for command in commands:
        yield _line("table", _table(command.scan.table))
    yield from _who_hears(first, is_silent=first.run.dry_run or (schedule.is_sweep and not deletes))
    yield from _fires(schedule, now)


def _does(schedule: Schedule, command: RunCommand, *, deletes: bool) -> str:
    if not schedule.is_sweep:
        return "a scan: reports, deletes nothing"
    what = f"tokens that expired {spoken_duration(command.scan.policy.grace)} ago or longer"
    deletion = command.deletion
    if not deletes:
        return f"a sweep, dry run: says which {what} would be deleted"
    bounds = f"at most {deletion.max_deletes:,} rows and {deletion.max_delete_percent:g} percent of the table"
    return f"a sweep: DELETES {what}, {bounds}; {_archive(command)}"


def _archive(command: RunCommand) -> str:
    archive = command.deletion.archive
    if keeps_no_archive(command.deletion):
        return "keeps NO archive"
    place = archive.path if isinstance(archive, Folder) else archive
    return f"archived in {place or 'the state directory'}"


def _table(table: TableSettings) -> str:
    named = {
        "": table.table,
        "deployment ": ", ".join(table.deployment),
        "named by the parameter ": table.ssm_parameter,
    }
    words = [f"{what}{name}" for what, name in named.items() if name]
    words += [f"in {table.region}"] if table.region else []
    words += [f"as {table.role_arn}"] if table.role_arn else []
    return ", ".join(words) or "none is named; give --table, --deployment or --ssm-parameter"


def _who_hears(command: RunCommand, *, is_silent: bool) -> Iterator[str]:
    notices = command.scan.notices
    if notices.sns_topic_arn:
        yield _line("notices", f"{notices.sns_topic_arn}{', which a dry run tells nothing' if is_silent else ''}")
    for target in command.scan.output.report:
        yield _line("report", str(target))
    if command.scan.state.state_url:
        yield _line("state", str(command.scan.state.state_url))


def _fires(schedule: Schedule, now: float) -> Iterator[str]:
    when = schedule.when
    if when.cron is None:
        yield _line("fires", "only by hand: [when] has no cron line")
        return
    jitter = f", up to {spoken_duration(when.jitter)} later" if when.jitter else ""
    yield _line("fires", f"{when.cron} ({when.timezone}){jitter}")
    start = time_of(now)
    for at in itertools.islice(next_times(when, start), _TIMES):
        yield _line("", f"{minute_of(at)} UTC  {relative(int(at.timestamp() - now))}")


def _line(name: str, text: str) -> str:
    return f"  {name:<{_WIDTH}}{printable(text)}"

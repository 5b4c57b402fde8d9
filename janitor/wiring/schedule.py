"""Settings out of a schedule file, under those of the command line and the environment."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from janitor.errors import ConfigurationError
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.limits import WriteLimitSettings
from janitor.settings.run import RunSettings
from janitor.settings.scan import ScanSettings
from janitor.settings.schedule import Schedule
from janitor.settings.setting import Origin, Settings, flag, settings_of, variable
from janitor.settings.table import TABLE_NAMES
from janitor.tokens.printable import printable
from janitor.wiring.table import each_of

_Group = TypeVar("_Group", bound=Settings)


_WAYS = ("region", "profile", "role_arn", "endpoint_url")


class RunCommand(NamedTuple):
    """Everything that the run of a schedule file is told."""

    run: RunSettings
    plan: PlanSettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    scan: ScanSettings


def commands_of(schedule: Schedule, given: RunCommand) -> list[RunCommand]:
    """The settings of the run of each table: a flag beats the environment, that beats the file, that the default.

    Whoever names a table by a flag or a variable means that one, and none of the file's.

    Raises:
        ConfigurationError: a variable names a table, and the file deletes from another.
    """
    tables = schedule.tables
    if schedule.deletes:
        _see_that_it_is_where_the_file_says(schedule, given)
    given_names = [name for name in TABLE_NAMES if given.scan.table.is_given(name)]
    if given_names:
        if schedule.deletes and not given.scan.table.typed(*given_names):
            _see_that_it_is_the_files(given_names, schedule, given)
        named_elsewhere = {name: value for name, value in tables[0].items() if name not in TABLE_NAMES}
        tables = (named_elsewhere,)
    commands = [_filled(given, {**schedule.values, **table}) for table in tables]
    return [
        command._replace(scan=command.scan._replace(table=table))
        for command in commands
        for table in each_of(command.scan.table)
    ]


def _see_that_it_is_where_the_file_says(schedule: Schedule, given: RunCommand) -> None:
    """LISA's tables have the same names everywhere: a variable must not lead a delete to another region or account."""
    for name in _WAYS:
        if given.scan.table.origins.get(name) is not Origin.VARIABLE:
            continue
        chosen = getattr(given.scan.table, name)
        if any(table.get(name) not in (None, chosen) for table in schedule.tables):
            raise ConfigurationError(
                f"{schedule.path} deletes where it says, and {variable(name)}={printable(chosen)} leads elsewhere",
                f"take the variable away, or give {flag(name)} to delete there",
                "other-table",
            )


def _see_that_it_is_the_files(names: Sequence[str], schedule: Schedule, given: RunCommand) -> None:
    """A variable is set for many files at once: it must not aim the delete of one at another table."""
    chosen = {name: getattr(given.scan.table, name) for name in names}
    if all(
        {name: table.get(name) for name in TABLE_NAMES if table.get(name)} in ({}, chosen) for table in schedule.tables
    ):
        return
    texts = {name: " ".join(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
    said = " and ".join(f"{variable(name)}={text}" for name, text in texts.items())
    raise ConfigurationError(
        f"{schedule.path} deletes from the table that it names, and {said} names another",
        "take the variable away, or give --table to delete from that one",
        "other-table",
    )


def _filled(given: RunCommand, values: Mapping[str, Any]) -> RunCommand:
    scan = (_under(group, values) for group in given.scan)
    return RunCommand(
        given.run,
        _under(given.plan, values),
        _under(given.deletion, values),
        _under(given.writes, values),
        ScanSettings(*cast("Any", scan)),
    )


def _under(group: _Group, values: Mapping[str, Any]) -> _Group:
    """A group of settings, those that nobody gave replaced by the file's."""
    names = settings_of(type(group))
    filled = {name: values[name] for name in names if name in values and not group.is_given(name)}
    origins = {**group.origins, **dict.fromkeys(filled, Origin.FILE)}
    if "protect_user" in values and "protect_user" not in filled and hasattr(group, "protect_user"):
        # Protection adds up: nobody sets a variable that protects to take another's protection away.
        filled["protect_user"] = tuple(dict.fromkeys([*values["protect_user"], *group.protect_user]))
    return dataclasses.replace(group, origins=origins, **filled)

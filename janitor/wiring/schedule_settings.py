"""Combines the settings of a schedule file with those of the command line and the environment, which beat it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from janitor.errors import ConfigurationError
from janitor.settings.commands import RunCommand
from janitor.settings.scan import ScanCommand
from janitor.settings.schedule import Schedule
from janitor.settings.setting import Origin, Settings, flag, settings_of, variable
from janitor.settings.table import CONNECTION_OPTIONS, TABLE_OPTIONS
from janitor.tokens.printable import printable
from janitor.wiring.open_table import expand_deployments

_Group = TypeVar("_Group", bound=Settings)


def build_commands(schedule: Schedule, given: RunCommand) -> list[RunCommand]:
    """The settings for each table. A flag beats a variable, which beats the file, which beats the default.

    A table that is named by a flag or a variable replaces all tables of the file.

    Raises:
        ConfigurationError: a variable would make the file delete from another table, region or account.
    """
    tables = schedule.tables
    if schedule.deletes:
        _check_connection(schedule, given)
    given_names = [name for name in TABLE_OPTIONS if given.scan.table.is_given(name)]
    if given_names:
        if schedule.deletes and not given.scan.table.given_by_flag(*given_names):
            _check_table(given_names, schedule, given)
        connection = {name: value for name, value in tables[0].items() if name not in TABLE_OPTIONS}
        tables = (connection,)
    commands = [_fill_in(given, {**schedule.values, **table}) for table in tables]
    return [
        command._replace(scan=command.scan._replace(table=table))
        for command in commands
        for table in expand_deployments(command.scan.table)
    ]


def _check_connection(schedule: Schedule, given: RunCommand) -> None:
    """Refuse variables that lead deletes to another region or account: LISA's tables have the same names everywhere."""
    for name in CONNECTION_OPTIONS:
        if given.scan.table.origins.get(name) is not Origin.VARIABLE:
            continue
        chosen = getattr(given.scan.table, name)
        if any(table.get(name) not in (None, chosen) for table in schedule.tables):
            raise ConfigurationError(
                f"{schedule.path} deletes, and {variable(name)}={printable(chosen)} contradicts its [table] {name}",
                f"unset the variable, or give {flag(name)} to delete there",
                "other-table",
            )


def _check_table(names: Sequence[str], schedule: Schedule, given: RunCommand) -> None:
    """Refuse variables that name another table to delete from: they may be set for many schedule files at once."""
    chosen = {name: getattr(given.scan.table, name) for name in names}
    if all(
        {name: table.get(name) for name in TABLE_OPTIONS if table.get(name)} in ({}, chosen)
        for table in schedule.tables
    ):
        return
    texts = {name: " ".join(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
    assignments = " and ".join(f"{variable(name)}={text}" for name, text in texts.items())
    raise ConfigurationError(
        f"{schedule.path} deletes from the table that it names, and {assignments} names another",
        "unset the variable, or give --table to delete from that one",
        "other-table",
    )


def _fill_in(given: RunCommand, values: Mapping[str, Any]) -> RunCommand:
    scan = (_fill_group(group, values) for group in given.scan)
    return RunCommand(
        given.run,
        _fill_group(given.plan, values),
        _fill_group(given.deletion, values),
        _fill_group(given.writes, values),
        ScanCommand(*cast("Any", scan)),
    )


def _fill_group(group: _Group, values: Mapping[str, Any]) -> _Group:
    """The group with the file's values for the settings that neither a flag nor a variable gives."""
    names = settings_of(type(group))
    filled = {name: values[name] for name in names if name in values and not group.is_given(name)}
    origins = {**group.origins, **dict.fromkeys(filled, Origin.FILE)}
    if "protect_user" in values and "protect_user" not in filled and hasattr(group, "protect_user"):
        # Patterns of protected users are added: a variable that protects must not remove the file's protection.
        filled["protect_user"] = tuple(dict.fromkeys([*values["protect_user"], *group.protect_user]))
    return dataclasses.replace(group, origins=origins, **filled)

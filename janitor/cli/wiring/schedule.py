"""Settings out of a schedule file, under those of the command line and the environment."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, cast

import click

from janitor.config.commands import ScanSettings
from janitor.config.deletion import DeletionSettings, PlanSettings
from janitor.config.run import RunSettings
from janitor.config.schedule import Schedule
from janitor.config.schedule_keys import TABLE_NAMES

_Group = TypeVar("_Group")


class RunCommand(NamedTuple):
    """Everything that the run of a schedule file is told."""

    run: RunSettings
    plan: PlanSettings
    deletion: DeletionSettings
    scan: ScanSettings


def commands_of(schedule: Schedule, given: RunCommand) -> list[RunCommand]:
    """The settings of the run of each table: a flag beats the environment, that beats the file, that the default.

    Whoever names a table by a flag or a variable means that one, and none of the file's.
    """
    tables = schedule.tables
    if any(_is_given(name) for name in TABLE_NAMES):
        named_elsewhere = {name: value for name, value in tables[0].items() if name not in TABLE_NAMES}
        tables = (named_elsewhere,)
    return [_filled(given, {**schedule.values, **table}) for table in tables]


def _filled(given: RunCommand, values: Mapping[str, Any]) -> RunCommand:
    scan = (_under(group, values) for group in given.scan)
    return RunCommand(
        given.run, _under(given.plan, values), _under(given.deletion, values), ScanSettings(*cast("Any", scan))
    )


def _under(group: _Group, values: Mapping[str, Any]) -> _Group:
    """A group of settings, those that nobody gave replaced by the file's."""
    fields = dataclasses.fields(cast("Any", group))
    named = [field.name for field in fields if field.name in values and not _is_given(field.name)]
    return cast("_Group", dataclasses.replace(cast("Any", group), **{name: values[name] for name in named}))


def _is_given(name: str) -> bool:
    """Whether a flag or a variable gives this setting."""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT

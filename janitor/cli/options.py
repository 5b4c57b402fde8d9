"""Flags from settings, and settings from flags: no list of options but the one in config.py."""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from janitor.cli.variables import refuse_unclear_variables, refuse_unheard_variables, refuse_unknown_variables
from janitor.settings.parsers import FORMATS, NO_REPORT
from janitor.settings.setting import Origin, Setting, Settings, flag, settings_of, values_in, variable

_ORIGINS = {
    click.core.ParameterSource.COMMANDLINE: Origin.FLAG,
    click.core.ParameterSource.ENVIRONMENT: Origin.VARIABLE,
}


def takes(*groups: type[Settings]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Decorate a command with the flags of these groups.

    It is called with one instance of each, in order, and with click's own arguments by their names; but first of all
    every variable of the environment that begins like one of janitor's has to be one, to hold something, and to be read
    where it would spare rows.
    """
    names = {name for group in groups for name in settings_of(group)}

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def called(**values: Any) -> int:
            context = click.get_current_context()
            refuse_unknown_variables(os.environ, context.find_root().command, context.command)
            refuse_unclear_variables(os.environ)
            refuse_unheard_variables(os.environ, context.command_path.partition(" ")[2], context.command)
            filled = [_filled(group, values, context) for group in groups]
            arguments = {name: value for name, value in values.items() if name not in names}
            return command(*filled, **arguments)

        decorated = called
        for group in reversed(groups):
            for name, setting in reversed(settings_of(group).items()):
                decorated = _option(name, setting)(decorated)
        return decorated

    return decorate


class _Parsed(click.ParamType[Any]):
    """A text that a setting's own parser turns into a value."""

    name = "text"

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The parsed value, or click's usage error with the parser's sentence."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


class _Option(click.Option):
    """An option whose variable is shared by commands that do not all have every choice."""

    def __init__(self, *args: Any, setting: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._setting = setting

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """What an error names: the variable where the value came from there, else the option."""
        source = None if ctx is None or self.name is None else ctx.get_parameter_source(self.name)
        if source is click.core.ParameterSource.ENVIRONMENT:
            return f"'{self.envvar}'"
        return click.Parameter.get_error_hint(self, ctx)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The variable's value; none, as if it was not set, for a report's format that this command has not."""
        if self.multiple:
            return self._several(ctx)
        value = super().value_from_envvar(ctx)
        is_elsewhere = (
            isinstance(self.type, click.Choice) and value in {*FORMATS, NO_REPORT} and value not in self.type.choices
        )
        return None if is_elsewhere else value

    def _several(self, ctx: click.Context) -> list[str] | None:
        text = self.resolve_envvar_value(ctx)
        try:
            return None if text is None else values_in(self._setting, text) or None
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param_hint=f"'{self.envvar}'") from None


def _option(name: str, setting: Setting) -> Callable[[Any], Any]:
    common: dict[str, Any] = {"help": setting.help}
    if not setting.is_typed:
        common |= {"envvar": variable(name), "show_envvar": True}
    if setting.is_switch:
        return click.option(flag(name), name, is_flag=True, default=False, **common)
    if setting.value_if_bare is not None:
        common |= {"is_flag": False, "flag_value": setting.value_if_bare}
    default = setting.default.split() if setting.many and setting.default is not None else setting.default
    return click.option(
        flag(name),
        name,
        cls=_Option,
        setting=setting,
        type=click.Choice(setting.choices) if setting.choices else _Parsed(setting.parse),
        metavar=None if setting.choices else setting.metavar,
        default=default,
        show_default=setting.default_words or (setting.default is not None),
        multiple=setting.many,
        **common,
    )


def _filled(group: type[Settings], values: Mapping[str, Any], context: click.Context) -> Settings:
    settings = settings_of(group)
    sources = {name: context.get_parameter_source(name) for name in settings}
    origins = {name: _ORIGINS[source] for name, source in sources.items() if source in _ORIGINS}
    return group(origins=origins, **{name: _value(setting, values[name]) for name, setting in settings.items()})


def _value(setting: Setting, value: Any) -> Any:
    if setting.many:
        return tuple(setting.parse(part) if isinstance(part, str) else part for part in value)
    return setting.parse(value) if setting.choices and value is not None else value

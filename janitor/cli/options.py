"""Makes click's options from the settings, and fills the settings from their values."""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from janitor.cli.usage_errors import suggest_one_of
from janitor.cli.variables import refuse_ignored_variables, refuse_unclear_variables, refuse_unknown_variables
from janitor.settings.parsers import FORMATS, NO_REPORT
from janitor.settings.setting import Origin, Setting, Settings, flag, settings_of, split_values, variable

_ORIGINS = {
    click.core.ParameterSource.COMMANDLINE: Origin.FLAG,
    click.core.ParameterSource.ENVIRONMENT: Origin.VARIABLE,
}


def takes(*groups: type[Settings]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Decorate a command with the flags of these groups.

    The command is called with one instance of each group, in order, and with click's own arguments by name. Before
    that, the environment is checked: each variable that begins with JANITOR_ must be known and not blank, and one that
    would spare rows must be read by this command.
    """
    names = {name for group in groups for name in settings_of(group)}

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def called(**values: Any) -> int:
            context = click.get_current_context()
            refuse_unknown_variables(os.environ, context.find_root().command, context.command)
            refuse_unclear_variables(os.environ)
            refuse_ignored_variables(os.environ, context.command_path.partition(" ")[2], context.command)
            filled = [_fill_group(group, values, context) for group in groups]
            arguments = {name: value for name, value in values.items() if name not in names}
            return command(*filled, **arguments)

        decorated = called
        for group in reversed(groups):
            for name, setting in reversed(settings_of(group).items()):
                decorated = _make_option(name, setting)(decorated)
        return decorated

    return decorate


class _Parsed(click.ParamType[Any]):
    """The type of an option whose text is parsed by its setting's own parser."""

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


class Choice(click.Choice[str]):
    """A click.Choice that names the value that was probably meant."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's
        """Say what there is, and which of it is most similar."""
        return f"{value!r} is not one of {', '.join(self.choices)}{suggest_one_of(str(value), list(self.choices))}"


class _Switch(click.types.BoolParamType):
    """The type of a switch, which only its variable can give a wrong value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Whether it is on, or click's usage error."""
        answer = self.str_to_bool(value)
        return self.fail(f"{value!r} is neither yes nor no; write 1 or 0", param, ctx) if answer is None else answer


class _Option(click.Option):
    """An option whose variable several commands share, not all with the same choices."""

    def __init__(self, *args: Any, setting: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._setting = setting

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """The name for errors: the variable if the value came from it, otherwise the option."""
        source = None if ctx is None or self.name is None else ctx.get_parameter_source(self.name)
        if source is click.core.ParameterSource.ENVIRONMENT:
            return f"'{self.envvar}'"
        return click.Parameter.get_error_hint(self, ctx)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The variable's value; None, as if unset, for a report format that this command does not have."""
        if self.multiple:
            return self._split_variable(ctx)
        value = super().value_from_envvar(ctx)
        is_of_other_command = (
            isinstance(self.type, click.Choice) and value in {*FORMATS, NO_REPORT} and value not in self.type.choices
        )
        return None if is_of_other_command else value

    def _split_variable(self, ctx: click.Context) -> list[str] | None:
        text = self.resolve_envvar_value(ctx)
        try:
            return None if text is None else split_values(self._setting, text) or None
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param_hint=f"'{self.envvar}'") from None


def _make_option(name: str, setting: Setting) -> Callable[[Any], Any]:
    common: dict[str, Any] = {"help": setting.help}
    if not setting.is_flag_only:
        common |= {"envvar": variable(name), "show_envvar": True}
    if setting.is_switch:
        switch: Any = {"cls": _Option, "setting": setting, "type": _Switch(), "is_flag": True, "default": False}
        return click.option(flag(name), name, **switch, **common)
    if setting.value_if_bare is not None:
        common |= {"is_flag": False, "flag_value": setting.value_if_bare}
    default = setting.default.split() if setting.is_repeatable and setting.default is not None else setting.default
    return click.option(
        flag(name),
        name,
        cls=_Option,
        setting=setting,
        type=Choice(setting.choices) if setting.choices else _Parsed(setting.parse_text),
        metavar=None if setting.choices else setting.metavar,
        default=default,
        show_default=setting.default_words or (setting.default is not None),
        multiple=setting.is_repeatable,
        **common,
    )


def _fill_group(group: type[Settings], values: Mapping[str, Any], context: click.Context) -> Settings:
    settings = settings_of(group)
    sources = {name: context.get_parameter_source(name) for name in settings}
    origins = {name: _ORIGINS[source] for name, source in sources.items() if source in _ORIGINS}
    return group(origins=origins, **{name: _parse_value(setting, values[name]) for name, setting in settings.items()})


def _parse_value(setting: Setting, value: Any) -> Any:
    if setting.is_repeatable:
        return tuple(setting.parse(part) if isinstance(part, str) else part for part in value)
    return setting.parse(value) if setting.choices and value is not None else value

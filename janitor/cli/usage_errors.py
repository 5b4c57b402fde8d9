"""Sentences for a command line that is wrong: what is wrong, then what to write.

click's own sentences name the fault, but suggest options that have little in common with what was typed.
"""

import difflib
import re
from collections.abc import Iterator

import click

from janitor.tokens.words import list_some

_CLOSE_MATCH = 0.7
_MAX_NAMED = 3
_NOT_REPEATED = "it is not repeated: it may be a token"
_NO_COMMAND = re.compile(r"No such command '(.*)'\.", re.DOTALL).match
_EXTRA_ARGUMENTS = re.compile(r"Got unexpected extra arguments? \((.*)\)")
_OPTION_ALONE = re.compile(r"Option '(--[a-z-]+)' requires (?:an argument|\d+ arguments)")
_SWITCH_WITH_VALUE = re.compile(r"Option '(--[a-z-]+)' does not take a value")


def explain_usage_error(error: click.ClickException) -> str:
    """Say in one line what is wrong with the command line, or with a variable, and the way out."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return _explain_other(_tidy(error.format_message()), is_secret=False)
    # The arguments of `janitor token` are not repeated.
    is_secret = context.command_path.split()[1:2] == ["token"]
    match error:
        case click.MissingParameter():
            return f"{_name_parameter(error, context)} is missing; {_see_help(context)}"
        case click.BadParameter():
            return f"{_name_parameter(error, context)}: {_tidy(error.message)}"
        case click.NoSuchOption():
            return _explain_no_option(error.option_name, context, is_secret=is_secret)
        case _:
            if command := _NO_COMMAND(error.message):
                return _explain_no_command(command[1], context, is_secret=is_secret)
            return f"{_explain_other(_tidy(error.format_message()), is_secret=is_secret)}; {_see_help(context)}"


def suggest_one_of(text: str, known: list[str]) -> str:
    """The way out for a text that is none of these: the most similar one, or nothing if none is similar."""
    near = difflib.get_close_matches(text, known, n=1, cutoff=_CLOSE_MATCH)
    return f"; did you mean {near[0]}?" if near else ""


def _tidy(sentence: str) -> str:
    return " ".join(sentence.split()).rstrip(".")


def _see_help(context: click.Context) -> str:
    return f"see `{context.command_path} --help`"


def _name_parameter(error: click.BadParameter, context: click.Context) -> str:
    if isinstance(error.param, click.Argument):
        return error.param.human_readable_name
    hint = error.param_hint or (error.param.get_error_hint(context) if error.param else "the command line")
    # A variable is named only where it gave the value: `_Option` names it alone.
    return (hint if isinstance(hint, str) else " / ".join(hint)).partition(" (env var")[0].replace("'", "")


def _explain_no_option(name: str, context: click.Context, *, is_secret: bool) -> str:
    known = [option for param in context.command.params for option in param.opts if option.startswith("--")]
    way_out = suggest_one_of(name, known) or f"; {_see_help(context)}"
    if is_secret:
        return f"there is no such option ({_NOT_REPEATED}){way_out}"
    having = list(_list_commands_with(name, context.find_root().command, context.find_root()))
    if having:
        others = f"{list_some([f'`{each}`' for each in having], _MAX_NAMED)} {'has' if len(having) == 1 else 'have'} it"
        return f"`{context.command_path}` has no option {name} ({others}); {_see_help(context)}"
    return f"there is no option {name}{way_out}"


def _list_commands_with(option: str, group: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the commands that have this option, by their whole names."""
    if not isinstance(group, click.Group):
        if any(option in param.opts for param in group.params):
            yield context.command_path
        return
    for name in group.list_commands(context):
        inner = group.get_command(context, name)
        if inner is not None:
            yield from _list_commands_with(option, inner, click.Context(inner, parent=context, info_name=name))


def _explain_no_command(name: str, context: click.Context, *, is_secret: bool) -> str:
    group = context.command
    known = group.list_commands(context) if isinstance(group, click.Group) else []
    what = f"there is no such command ({_NOT_REPEATED})" if is_secret else f"there is no command {name}"
    return f"{what}{suggest_one_of(name, known) or f'; {_see_help(context)}'}"


def _explain_other(sentence: str, *, is_secret: bool) -> str:
    if extra := _EXTRA_ARGUMENTS.search(sentence):
        return f"there is an argument too many{f' ({_NOT_REPEATED})' if is_secret else f': {extra[1]}'}"
    if alone := _OPTION_ALONE.search(sentence):
        return f"{alone[1]} needs a value"
    if switch := _SWITCH_WITH_VALUE.search(sentence):
        return f"{switch[1]} takes no value"
    return sentence

"""options.md: every option once, with its variable, its key of a schedule file and the commands that take it."""

from collections import defaultdict

import click

from janitor.settings.schedule_keys import SECTIONS
from tests.reference.commands import walk_commands
from tests.reference.markdown import code, codes, page, prose

_OPENING = """\
After this page you know what each option means, and how to give it elsewhere than on the command line.

A flag beats its variable, and a variable beats the schedule file. A variable has one value a line where an option may be
given several times (or a JSON array, or values with spaces between them where none can hold a space), and `1` or `0` for
an option without a value. Options that choose what to delete, or that consent to it, have no variable where one that
is set for many commands would be dangerous. An unknown variable that begins with `JANITOR_` is an error.

A DURATION is a number with a unit: `90s`, `30m`, `12h`, `7d`, `2w`."""


def build_options_page() -> str:
    """Every option by name; one that means something else in another command has a paragraph for each meaning."""
    options: dict[str, dict[str, list[tuple[str, click.Option]]]] = defaultdict(lambda: defaultdict(list))
    for context in walk_commands():
        for option in context.command.params:
            if isinstance(option, click.Option):
                command = " ".join(context.command_path.split()[1:]) or "janitor"
                options[option.opts[-1]][option.help or ""].append((command, option))
    keys = {
        (key.field, key.setting.help): f"[{section}] {name}"
        for section, of in SECTIONS.items()
        for name, key in of.items()
    }
    parts = []
    for flag in sorted(options):
        parts.append(f"## `{flag}`")
        for help_text, uses in options[flag].items():
            parts += [prose(help_text.replace(" Repeatable.", "")), _describe(uses, keys)]
    return page("Options", _OPENING, *parts)


def _describe(uses: list[tuple[str, click.Option]], keys: dict[tuple[str, str], str]) -> str:
    option = uses[0][1]
    facts = [("Write", code(_spell(option)) + (", repeatable" if option.multiple else ""))]
    if isinstance(option.envvar, str):
        facts.append(("Variable", code(option.envvar)))
    # With the same help: --user of a scan is not the key of a sweep.
    if key := keys.get((option.name or "", option.help or "")):
        facts.append(("Key of a schedule file", code(key)))
    if default := _default_of(option):
        facts.append(("Default", default))
    facts.append(("Commands", codes(command for command, _ in uses)))
    return "\n".join(f"- {name}: {value}" for name, value in facts)


def _spell(option: click.Option) -> str:
    if option.is_flag:
        return option.opts[-1]
    if isinstance(option.type, click.Choice):
        return f"{option.opts[-1]} {'|'.join(option.type.choices)}"
    value = option.metavar or "TEXT"
    return f"{option.opts[-1]} [{value}]" if _takes_none(option) else f"{option.opts[-1]} {value}"


def _takes_none(option: click.Option) -> bool:
    return not option.is_flag and getattr(option, "flag_value", None) not in (None, False) and option._flag_needs_value  # noqa: SLF001  # click's only sign of it


def _default_of(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.show_default, str):
        return prose(option.show_default)
    default = option.default
    if isinstance(default, list | tuple):
        return codes(map(str, default))
    return code(default) if isinstance(default, str) else ""

"""commands.md: what each command's `--help` prints, at a set width."""

import copy
from collections.abc import Iterator

import click

from janitor.cli.app import SECTIONS, cli
from tests.reference.markdown import listing, page

# As many as a page has room for.
_COLUMNS = 80


def build_commands_page() -> str:
    """Every command, under the headings of `janitor --help`."""
    helps = {" ".join(context.command_path.split()[1:]): context.get_help() for context in walk_commands()}
    parts = ["## janitor", listing(helps.pop(""))]
    for heading, names in SECTIONS.items():
        parts.append(f"## {heading}")
        for name, text in helps.items():
            if name.split()[0] in names:
                parts += [f"### janitor {name}", listing(text)]
    return page(
        "Commands",
        "After this page you know what each command does and which options it takes: it is what `janitor COMMAND --help` "
        "prints. [Options](options.md) explains each option once.",
        *parts,
    )


def walk_commands() -> Iterator[click.Context]:
    """The program, each group and each command, as they are called, in the order of the help."""
    yield from _walk(click.Context(cli, info_name="janitor", terminal_width=_COLUMNS, **cli.context_settings))


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = copy.copy(context.command.get_command(context, name))
            if command is not None:
                # click keeps it from the first call, which may have been without the parent's names for it.
                vars(command)["_help_option"] = None
                yield from _walk(click.Context(command, parent=context, info_name=name, terminal_width=_COLUMNS))

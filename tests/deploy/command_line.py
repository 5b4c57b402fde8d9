"""A command line in a manifest, read by the program itself, without running it."""

from collections.abc import Sequence

import click

from janitor.cli import app


def command_of(arguments: Sequence[str]) -> str:
    """Return the name of the command that these arguments ask for.

    Raises:
        click.UsageError: The program would not take them.
    """
    name, *rest = arguments
    group = click.Context(app.cli, info_name=app.PROGRAM)
    _command(name).make_context(name, rest, parent=group)
    return name


def variables_of(command: str) -> set[str]:
    """The environment variables of a command's options; of the daemon's runs too, which see what the daemon sees."""
    heard_by = ["serve", "run"] if command == "serve" else [command]
    parameters = [parameter for name in heard_by for parameter in _command(name).params]
    return {parameter.envvar for parameter in parameters if isinstance(parameter.envvar, str)}


def _command(name: str) -> click.Command:
    found = app.cli.get_command(click.Context(app.cli), name)
    if found is None:
        raise click.UsageError(f"there is no command {name}")
    return found

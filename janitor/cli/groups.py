"""Command groups that import the module of a command only when it is called or listed."""

import importlib
import keyword
from collections.abc import Sequence

import click


class LazyGroup(click.Group):
    """A group whose commands are modules of a package.

    A module has the name of its command, with a `_` after it if the name is a keyword of Python.
    """

    package: str
    names: Sequence[str]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of the commands, in the order of the help."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command; None if there is none of this name, which click then reports."""
        if cmd_name not in self.names:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"{self.package}.{module}").command
        return command

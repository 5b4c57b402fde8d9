"""Groups of commands, each a module that is imported only when its command is asked for or listed."""

import importlib
from collections.abc import Sequence

import click


class LazyGroup(click.Group):
    """A group whose commands are the modules of a package, named like them."""

    package: str
    names: Sequence[str]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """In the order in which they are named."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None for click to say that there is none."""
        if cmd_name not in self.names:
            return None
        command: click.Command = importlib.import_module(f"{self.package}.{cmd_name}").command
        return command

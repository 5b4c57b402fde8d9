"""`janitor token`: the life of a token, a command a module."""

import click

from janitor.cli.groups import LazyGroup


class _TokenCommands(LazyGroup):
    package = "janitor.cli.token"
    names = ("add", "list", "show", "extend", "revoke", "remove", "fingerprint")


@click.group("token", cls=_TokenCommands)
def command() -> None:
    """Add, look at, extend, revoke and remove a token.

    A token is named by its fingerprint, never by itself: `janitor token fingerprint` reads a token from standard input
    and says it. Where a name fits several rows nothing is changed: they are listed, each with a name that fits it
    alone. Nothing is changed but on the condition that the row is still as it was seen.
    """

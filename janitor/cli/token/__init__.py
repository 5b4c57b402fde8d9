"""`janitor token`: commands for single tokens, each in a module of its own."""

import click

from janitor.cli.groups import LazyGroup


class _TokenCommands(LazyGroup):
    package = "janitor.cli.token"
    names = ("add", "list", "show", "extend", "rotate", "revoke", "remove", "import", "fingerprint")


@click.group("token", cls=_TokenCommands)
def command() -> None:
    """Add, show, extend, rotate, revoke, remove and import tokens.

    \b
    Examples:
      janitor token list --deployment prod --sort expiry
      janitor token extend 3f0c9a1b --by 30d --deployment prod

    A token is named by its fingerprint, never by itself: `janitor token fingerprint` reads a token from standard input
    and prints its fingerprint. If a name matches several rows, nothing is changed: they are listed, each with a name
    that matches no other. A row is changed only if it is still as it was read.
    """

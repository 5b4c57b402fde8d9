"""Renders what rich prints to a text; every table for people is made so."""

import io
from collections.abc import Callable

from rich.console import Console


def render_to_text(show: Callable[[Console], None], *, width: int, colour: bool) -> str:
    """Return what `show` prints, without spaces at the ends of lines.

    Args:
        show: prints to the console it is given.
        width: of the terminal, in columns.
        colour: whether it shows colors.
    """
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as captured:
        show(console)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n"))

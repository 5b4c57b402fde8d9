"""Pieces of a page in Markdown."""

import re
from collections.abc import Iterable, Sequence

WIDE = "---\nhide:\n  - toc\n---\n\n"
"""Stands before a page with a wide table, which gets the room of the table of contents."""


def page(title: str, opening: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join([f"# {title}", opening, *parts]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` in a cell is no border."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """A word that stands as it is typed."""
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Several such words."""
    return ", ".join(map(code, texts))


def listing(lines: str) -> str:
    """Lines as a program prints them."""
    return f"```text\n{lines.rstrip()}\n```"


def prose(text: str) -> str:
    """Text that was written for a terminal: its flags, variables, placeholders and paths look like code."""
    return re.sub(
        r"`[^`]+`|(?<![\w`])(--[a-z][a-z-]+[a-z]|JANITOR_[A-Z_]+|\{\w+\}(?:@[a-z.]+[a-z])?|[a-z]\w+://[\w./…]*[\w/…]|<\w+>|[a-z]+:[A-Z][a-z]\w+|[a-z]+[:=]+/{0,3}[A-Z]+|/prod/\S+\w|\[\w+\](?: \w+_\w+)?|\w+[*]\.\w+|[*]\.\w+)",
        lambda found: found[0] if found[0].startswith("`") else code(found[0]),
        text,
    )


def sentence(text: str) -> str:
    """The same text as a sentence: a capital at its start, unless that is a word of code."""
    return text[:1].upper() + text[1:]

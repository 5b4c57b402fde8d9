"""Where in a TOML text a key stands. The parser of the standard library does not tell."""

import re
import tomllib
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")


def line_of(text: str, section: str, key: str | None = None, number: int = 0) -> int | None:
    """The line of a key, from 1; of the section's own header, or of its first key, without one.

    Args:
        text: TOML that can be parsed.
        section: its name; empty for the keys above every header.
        key: its name.
        number: which of the sections of this name, from 0, where it is a list of tables.

    Returns:
        None where it does not stand on a line of its own, as in a table within braces.
    """
    for line, found, name, which in _places(text):
        if found == section and which == number and (key is None or name == key):
            return line
    # `table = {name = "x"}` and `table.name = "x"`.
    for line, found, name, _ in _places(text):
        if found == "" and name in (section, f"{section}.{key}"):
            return line
    return None


def _places(text: str) -> Iterator[tuple[int, str, str | None, int]]:
    """Line, section, key or None for a header, and how many sections of that name came before."""
    lines = text.splitlines(keepends=True)
    section, seen = "", {"": 0}
    for number, line in enumerate(lines, 1):
        header, key = _HEADER.fullmatch(line.rstrip("\r\n")), _KEY.match(line)
        if header is None and key is None:
            continue
        # What looks like a key may be a line of a text that goes over several.
        if not _is_toml("".join(lines[: number - 1])):
            continue
        if header is not None:
            section = header[1]
            seen[section] = seen.get(section, -1) + 1
            yield number, section, None, seen[section]
        elif key is not None:
            yield number, section, key[1], seen[section]


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True

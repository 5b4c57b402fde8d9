"""Where in a TOML text a key stands. The parser of the standard library does not tell."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

_HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")

# A value may go over several lines; what looks like a key within is none. One that is longer hides the keys after it.
_LONGEST_VALUE = 200  # lines


class _Place(NamedTuple):
    line: int
    section: str
    key: str | None
    number: int


class Places:
    """The lines of every header and key of a text that can be parsed."""

    def __init__(self, text: str) -> None:
        self._places: tuple[_Place, ...] | None = None
        self._text = text

    def line_of(self, section: str, key: str | None = None, number: int = 0) -> int | None:
        """The line of a key, from 1; of the section's own header without one.

        Args:
            section: its name; empty for the keys above every header.
            key: its name.
            number: which of the sections of this name, from 0, where it is a list of tables.

        Returns:
            None where it does not stand on a line of its own.
        """
        if self._places is None:
            self._places = tuple(_places(self._text))
        for place in self._places:
            if (place.section, place.number) == (section, number) and place.key == key:
                return place.line
        # `table = {name = "x"}` and `table.name = "x"`.
        for place in self._places:
            if place.section == "" and place.key in (section, f"{section}.{key}"):
                return place.line
        return None


def _places(text: str) -> Iterator[_Place]:
    section, seen, begun = "", {"": 0}, 0
    # Not `splitlines`, which takes characters for line ends that stand within a line of TOML.
    lines = [f"{line}\n" for line in text.split("\n")]
    for number, line in enumerate(lines):
        header, key = _HEADER.fullmatch(line.rstrip("\r\n")), _KEY.match(line)
        if header is None and key is None:
            continue
        # The line begins something new only where all before it is whole.
        if number - begun > _LONGEST_VALUE or not _is_toml("".join(lines[begun:number])):
            continue
        begun = number
        if header is not None:
            section = header[1]
            seen[section] = seen.get(section, -1) + 1
            yield _Place(number + 1, section, None, seen[section])
        elif key is not None:
            yield _Place(number + 1, section, key[1], seen[section])


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

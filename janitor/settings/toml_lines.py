"""The line numbers of the keys in a TOML text, which the parser of the standard library does not give."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

_HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")

# A value may span several lines, in which nothing is a key. A longer value hides the keys after it.
_LONGEST_VALUE = 200  # lines


class _Place(NamedTuple):
    line: int
    section: str
    key: str | None
    number: int


class KeyLines:
    """The line of every header and key in a valid TOML text."""

    def __init__(self, text: str) -> None:
        self._places: tuple[_Place, ...] | None = None
        self._text = text

    def line_of(self, section: str, key: str | None = None, number: int = 0) -> int | None:
        """The line of a key, from 1; of the section's header if `key` is None.

        Args:
            section: the section's name; empty for the keys above every header.
            key: the key's name.
            number: which of the sections of this name, from 0, in a list of tables.

        Returns:
            None if the key is not on a line of its own.
        """
        if self._places is None:
            self._places = tuple(_find_keys(self._text))
        for place in self._places:
            if (place.section, place.number) == (section, number) and place.key == key:
                return place.line
        # `table = {name = "x"}` and `table.name = "x"`.
        for place in self._places:
            if place.section == "" and place.key in (section, f"{section}.{key}"):
                return place.line
        return None


def _find_keys(text: str) -> Iterator[_Place]:
    section, counts, start = "", {"": 0}, 0
    # Not `splitlines`, which also splits at characters that end no line of TOML.
    lines = [f"{line}\n" for line in text.split("\n")]
    for number, line in enumerate(lines):
        header, key = _HEADER.fullmatch(line.rstrip("\r\n")), _KEY.match(line)
        if header is None and key is None:
            continue
        # The line is a new header or key only if what precedes it is complete.
        if number - start > _LONGEST_VALUE or not _is_toml("".join(lines[start:number])):
            continue
        start = number
        if header is not None:
            section = header[1]
            counts[section] = counts.get(section, -1) + 1
            yield _Place(number + 1, section, None, counts[section])
        elif key is not None:
            yield _Place(number + 1, section, key[1], counts[section])


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

"""The CSV file of `token import` that says whose each token is.

Its columns are `fingerprint`, `username` and `name`, and if wanted `groups` (with `;` between them) and `system` (yes
or no), in any order; others are ignored. A line without a username leaves its token out, whatever else it says: `token
list` knows names of tokens without an owner. A token may have several lines that say the same or leave it out, for a
list of the present table has one for its old row and one for its new. The `_` that `token list` puts before a text that
a spreadsheet would take for a number or a date is taken away again.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click

from janitor.errors import ConfigurationError
from janitor.report.formats.csv import read_text
from janitor.settings.parsers import parse_fingerprint
from janitor.settings.setting import parse_switch
from janitor.settings.token_add import parse_label
from janitor.tokens.fingerprint import FINGERPRINT_LENGTH
from janitor.tokens.words import format_count

_REQUIRED = ("fingerprint", "username", "name")
_MAX_BYTES = 32 * 1024 * 1024
_MAX_PRINTED = 20


class Owner(NamedTuple):
    """Whose a token is, as a line of the file says.

    Attributes:
        line: the number of the line, from 1.
        username: the owner; None if the line leaves the token out.
        name: the token's name, likewise.
        groups: the groups whose rights it has.
        is_system: whether it is a system's.
    """

    line: int
    username: str | None
    name: str | None
    groups: tuple[str, ...]
    is_system: bool


def read_owners(path: Path) -> dict[str, Owner]:
    """Read the file: an owner for each fingerprint. Every mistake is printed with its line; no cell is ever repeated.

    Raises:
        ConfigurationError: the file cannot be read, or has mistakes.
    """
    owners: dict[str, Owner] = {}
    mistakes: list[str] = []
    for line, cells in _read_lines(path):
        try:
            fingerprint, owner = _read_owner(line, cells)
        except ValueError as error:
            mistakes.append(f"{path}, line {line}: {error}")
            continue
        first = owners.get(fingerprint)
        if first is None or (first.username is None and owner.username is not None):
            # Popped first, so that the owners are in the order of their lines.
            owners.pop(fingerprint, None)
            owners[fingerprint] = owner
        elif owner.username is not None and owner[1:] != first[1:]:
            mistakes.append(f"{path}, line {line}: its fingerprint is that of line {first.line}, which says otherwise")
    if mistakes:
        for mistake in mistakes[:_MAX_PRINTED]:
            click.echo(f"janitor: {mistake}", err=True)
        sentence = f"{path} has {format_count(len(mistakes), 'mistake')}, so nothing was read or written"
        more = f", the first {_MAX_PRINTED} of which are above" if len(mistakes) > _MAX_PRINTED else ""
        raise ConfigurationError(sentence, f"correct the lines named above{more}", "owners-file")
    return owners


def _read_lines(path: Path) -> Iterator[tuple[int, Mapping[str, str] | None]]:
    """Yield each line's number and its cells by column, None if there are more or fewer; empty lines are skipped."""
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        missing = [column for column in _REQUIRED if column not in header]
        twice = [column for column in (*_REQUIRED, "groups", "system") if header.count(column) > 1]
        if missing or twice:
            fault = f"there is no column {', no '.join(missing)}" if missing else f"{twice[0]} is there twice"
            way_out = "the first line must name the columns, with commas between them: fingerprint,username,name,groups"
            raise ConfigurationError(f"{path}, line 1: {fault}", way_out, "owners-file")
        before = reader.line_num
        for cells in reader:
            # A cell with a line break takes several lines; the line where it begins is what an editor shows.
            if any(cell.strip() for cell in cells):
                yield before + 1, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
            before = reader.line_num
    except csv.Error as error:
        raise ConfigurationError(f"{path}, line {reader.line_num}: {error}", "save it as CSV", "owners-file") from None


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        sentence = f"--owners {path} cannot be read: {error.strerror}"
        raise ConfigurationError(sentence, "give a CSV file that can be read", "owners-file") from None
    if len(content) > _MAX_BYTES:
        sentence = f"--owners {path} is longer than {_MAX_BYTES // 1024**2} MB"
        raise ConfigurationError(sentence, "split it into several files", "owners-file")
    try:
        # Spreadsheets put a byte order mark before what they save as UTF-8.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"--owners {path} is not UTF-8", "save it as CSV in UTF-8", "owners-file") from None


def _read_owner(line: int, cells: Mapping[str, str] | None) -> tuple[str, Owner]:
    """Read a line.

    Raises:
        ValueError: it has a mistake.
    """
    if cells is None:
        raise ValueError("it has more or fewer cells than the first line; quote a cell that has a comma in it")
    fingerprint = _read_fingerprint(cells["fingerprint"])
    texts = {column: read_text(cells[column]) for column in ("username", "name")}
    if not texts["username"]:
        return fingerprint, Owner(line, None, None, (), is_system=False)
    if not texts["name"]:
        raise ValueError("the token has no name: give it a name, or clear the username to leave it out")
    for column, text in texts.items():
        _check_label(column, text)
    groups = tuple(group.strip() for group in read_text(cells.get("groups", "")).split(";") if group.strip())
    for group in groups:
        _check_label("groups", group)
    is_system = parse_switch(cells.get("system", ""))
    if is_system is None:
        raise ValueError("system is neither yes nor no")
    return fingerprint, Owner(line, texts["username"], texts["name"], groups, is_system)


def _read_fingerprint(text: str) -> str:
    try:
        fingerprint = parse_fingerprint(text)[:FINGERPRINT_LENGTH]
    except ValueError:
        fingerprint = ""
    if len(fingerprint) != FINGERPRINT_LENGTH:
        raise ValueError(f"its fingerprint is not the {FINGERPRINT_LENGTH} hex digits that `janitor token list` shows")
    return fingerprint


def _check_label(column: str, text: str) -> None:
    try:
        parse_label(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None

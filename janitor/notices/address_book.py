"""Which address an owner has: by a template for all, or by a list of owners."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from janitor.errors import ConfigurationError

PLACEHOLDER = "{username}"
_HEADER = ("username", "address")
_WAY_OUT = "give a template like {username}@example.com, or a file with a line username,address for each owner"
# One mail address, and nothing that a mail program would take for a second one, or for a name before it.
_is_address = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+").fullmatch


class AddressBook:
    """The addresses of owners."""

    def __init__(self, template: str | None, addresses: Mapping[str, str], source: str) -> None:
        """Make a book.

        Args:
            template: with `{username}` in it; None where each owner is listed.
            addresses: by username.
            source: the template, or the file, for messages.
        """
        self._template, self._addresses = template, addresses
        self.source = source

    def find(self, username: str | None) -> str | None:
        """The owner's address; None if there is none, or it would be no mail address."""
        if not username:
            return None
        address = self._addresses.get(username)
        if self._template is not None:
            address = self._template.replace(PLACEHOLDER, username)
        return address if address is not None and address.isprintable() and _is_address(address) else None


def open_address_book(text: str) -> AddressBook:
    """Make the book that `--owner-address` names.

    Args:
        text: a template with `{username}`, or the path of a file, comma- or tab-separated, with or without a header.

    Raises:
        ConfigurationError: the file cannot be read, or a line of it is wrong.
    """
    if PLACEHOLDER in text:
        return AddressBook(text, {}, text)
    try:
        content = Path(text).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"
        raise ConfigurationError(f"--owner-address {text}: {reason}", _WAY_OUT, "owner-address") from None
    lines = content.splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    addresses: dict[str, str] = {}
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
        pair = tuple(cell.strip() for cell in cells)
        if not any(pair) or (number == 1 and tuple(map(str.lower, pair)) == _HEADER):
            continue
        username, address = pair if len(pair) == len(_HEADER) else ("", "")
        if not username or not _is_address(address) or addresses.get(username, address) != address:
            sentence = f"--owner-address {text}: line {number} is not one owner and one address, or contradicts another"
            raise ConfigurationError(sentence, "correct the line: username,address", "owner-address")
        addresses[username] = address
    return AddressBook(None, addresses, text)

"""The attributes of a row as they are stored, those that janitor knows nothing of too: for people, without the key."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from janitor.tokens.redact import REMOVED, cut, gives_away

_KEY = "token"
_BINARIES = ("B", "BS")
_BINARY = "(binary)"
_ITEM = msgspec.json.Decoder(dict[str, dict[str, Any]])


class Attribute(NamedTuple):
    """One attribute.

    Attributes:
        name: what it is called.
        type: its type in DynamoDB (`S`, `N`, …).
        value: lists and maps as JSON, all cut to 256 characters; None for a binary, for nobody sees what is in it.
    """

    name: str
    type: str
    value: str | None


def attributes(item: bytes) -> list[Attribute]:
    """Every attribute but the key, by name; a name or a value that gives a token away is replaced whole.

    Args:
        item: the row as DynamoDB JSON.
    """
    stored = _ITEM.decode(item)
    key = stored[_KEY].get("S") or ""
    return [_attribute(name, typed, key) for name, typed in sorted(stored.items()) if name != _KEY]


def _attribute(name: str, typed: dict[str, Any], key: str) -> Attribute:
    kind = next(iter(typed), "")
    called = REMOVED if gives_away(name, key) else cut(name)
    if kind in _BINARIES:
        return Attribute(called, kind, None)
    value = _plain(typed)
    if any(gives_away(text, key) for text in _texts(value)):
        return Attribute(called, kind, REMOVED)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Attribute(called, kind, REMOVED if gives_away(text, key) else cut(text))


def _plain(typed: dict[str, Any]) -> Any:
    """The value without its types; a number stays the text that it is stored as."""
    [(kind, value)] = typed.items()
    match kind:
        case "L":
            return [_plain(each) for each in value]
        case "M":
            return {name: _plain(each) for name, each in value.items()}
        case "NULL":
            return None
        case "B" | "BS":
            return _BINARY
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts(each)

"""All attributes of a row except its key, as text for people; also those that janitor itself does not use."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from janitor.tokens.attribute_names import KEY
from janitor.tokens.redact import REDACTED, reveals_token, shorten_text

_BINARIES = ("B", "BS")
_BINARY = "(binary)"
_ITEM = msgspec.json.Decoder(dict[str, dict[str, Any]])


class Attribute(NamedTuple):
    """One attribute.

    Attributes:
        name: its name.
        type: its type in DynamoDB (`S`, `N`, …).
        value: its value, lists and maps as JSON, cut to 256 characters; None for a binary, which nobody can read.
    """

    name: str
    type: str
    value: str | None


def list_attributes(item: bytes) -> list[Attribute]:
    """List every attribute except the key, sorted by name. A name or a value that reveals a token is replaced whole.

    Args:
        item: the row as DynamoDB JSON.
    """
    stored = _ITEM.decode(item)
    key = stored[KEY].get("S") or ""
    return [_redact_attribute(name, typed, key) for name, typed in sorted(stored.items()) if name != KEY]


def _redact_attribute(name: str, typed: dict[str, Any], key: str) -> Attribute:
    kind = next(iter(typed), "")
    safe_name = REDACTED if reveals_token(name, key) else shorten_text(name)
    if kind in _BINARIES:
        return Attribute(safe_name, kind, None)
    value = _strip_types(typed)
    if any(reveals_token(text, key) for text in _texts_in(value)):
        return Attribute(safe_name, kind, REDACTED)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Attribute(safe_name, kind, REDACTED if reveals_token(text, key) else shorten_text(text))


def _strip_types(typed: dict[str, Any]) -> Any:
    """Return the value without its type markers; a number stays text, as it is stored."""
    [(kind, value)] = typed.items()
    match kind:
        case "L":
            return [_strip_types(each) for each in value]
        case "M":
            return {name: _strip_types(each) for name, each in value.items()}
        case "NULL":
            return None
        case "B" | "BS":
            return _BINARY
        case _:
            return value


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts_in(each)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts_in(each)

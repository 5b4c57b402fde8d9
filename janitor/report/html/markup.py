"""HTML that is safe because of its type: whatever is not Markup is escaped on its way in.

Only `tag` and `joined` make Markup out of texts. `Markup(...)` itself is for what stands in the code, never for what
comes from a table.
"""

import html
import re
from collections.abc import Iterable

from janitor.tokens.plain import plain

_VOID = frozenset({"input", "meta"})
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9:.%#_-]+").fullmatch
_CODE = re.compile("`([^`]+)`")


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """The text as HTML: one visible line, without a character that HTML would obey. Markup stays as it is."""
    return text if isinstance(text, Markup) else Markup(html.escape(plain(text), quote=True))


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """The parts one after the other, escaped where they are not HTML yet."""
    return Markup(escaped(between).join(escaped(part) for part in parts))


def lines(*parts: str) -> Markup:
    """The parts, a line each; empty ones are left out."""
    return joined((part for part in parts if part), Markup("\n"))


def tag(name: str, /, *content: str, **attributes: str) -> Markup:
    """An element with its content, both escaped.

    Args:
        name: the element's.
        content: texts, or HTML in the form of Markup.
        attributes: `class_` is class, `aria_label` is aria-label.
    """
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{start}>")
    return Markup(f"<{start}>{''.join([escaped(part) for part in content])}</{name}>")


def with_code(sentence: str) -> Markup:
    """The sentence, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", escaped(sentence)))


def _attribute(key: str, value: str) -> str:
    written = key.rstrip("_").replace("_", "-")
    return f" {written}={value}" if _NEEDS_NO_QUOTES(value) else f' {written}="{escaped(value)}"'

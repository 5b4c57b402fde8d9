"""The Jinja2 templates of the pages for people. Every value is made printable and escaped when a template shows it.

A template may show a text of a table as it is; only `Markup` goes into the page unchanged, and is made of nothing but
what stands in this package's own files.
"""

import functools
import re
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from janitor.tokens.printable import printable
from janitor.tokens.times import iso
from janitor.tokens.words import counted

_CODE = re.compile("`([^`]+)`")


@functools.cache
def environment_of(package: str) -> Environment:
    """The environment that compiles each template of this package once, from its folder `templates`."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        auto_reload=False,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["counted"] = counted
    environment.filters["iso"] = iso
    environment.filters["thousands"] = thousands
    environment.filters["with_code"] = with_code
    return environment


def styles_of(package: str, name: str) -> Markup:
    """The style sheet of this name in the package's folder `templates`."""
    return Markup(resources.files(package).joinpath("templates", name).read_text("utf-8"))  # noqa: S704  # our own file


def with_code(sentence: str) -> Markup:
    """The sentence as HTML, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(printable(sentence)))))  # noqa: S704  # escaped


def thousands(number: int) -> str:
    """The number with a comma every three digits."""
    return f"{number:,}"


def _printable(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

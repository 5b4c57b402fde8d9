"""The Jinja2 templates of the pages for people. Every value is made printable and escaped when a template shows it.

So a template may show any text of a table. Only `Markup` goes into the page unchanged; it is made only from this
package's own files, or of texts that were escaped.
"""

import functools
import re
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from janitor.tokens.printable import printable
from janitor.tokens.times import format_iso
from janitor.tokens.words import format_count

_CODE = re.compile("`([^`]+)`")


@functools.cache
def make_environment(package: str) -> Environment:
    """Make the environment that compiles each template in the package's folder `templates` once."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        auto_reload=False,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["counted"] = format_count
    environment.filters["iso"] = format_iso
    environment.filters["thousands"] = thousands
    environment.filters["with_code"] = with_code
    return environment


def load_styles(package: str, name: str) -> Markup:
    """Load the style sheet of this name from the package's folder `templates`."""
    return Markup(resources.files(package).joinpath("templates", name).read_text("utf-8"))  # noqa: S704  # our own file


def with_code(sentence: str) -> Markup:
    """The sentence as HTML, with texts between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(printable(sentence)))))  # noqa: S704  # escaped


def thousands(number: int) -> str:
    """The number with a comma every three digits."""
    return f"{number:,}"


def _printable(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

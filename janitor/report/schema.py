"""The JSON Schema of what janitor writes, built from the classes of its parts."""

import inspect
import re
from typing import Any

import msgspec

from janitor.report.encode import Part

_PLACE = "#/$defs/{name}"
# One attribute of a docstring's last section: its name, and its meaning on one or several lines.
_ATTRIBUTE = re.compile(r"^    (?P<name>\w+): (?P<meaning>.*(?:\n     .*)*)", re.MULTILINE)


def build_schema(whole: type[Part], title: str) -> dict[str, Any]:
    """Build the schema of a whole report. Every key of every object is required, because all are always written.

    What a key means is what the docstring of its class says in the section `Attributes:`.
    """
    [reference], parts = msgspec.json.schema_components([whole], ref_template=_PLACE)
    for part in parts.values():
        if "properties" in part:
            part["required"] = list(part["properties"])
        _describe_keys(part)
    name = reference["$ref"].removeprefix(_PLACE.format(name=""))
    return {**parts.pop(name), "title": title, "$defs": parts}


def _describe_keys(part: dict[str, Any]) -> None:
    """Give each key the description that stands in the docstring of the part, which keeps the rest of it."""
    before, _, attributes = inspect.cleandoc(part.get("description", "")).partition("\n\nAttributes:\n")
    if before:
        part["description"] = before
    for found in _ATTRIBUTE.finditer(attributes):
        if found["name"] in part.get("properties", {}):
            part["properties"][found["name"]]["description"] = " ".join(found["meaning"].split())

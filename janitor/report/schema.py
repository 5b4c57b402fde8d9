"""The JSON Schema of what janitor writes, made of the classes that it is written from."""

from typing import Any

import msgspec

from janitor.report.encode import Part

_PLACE = "#/$defs/{name}"


def schema_of(whole: type[Part], title: str) -> dict[str, Any]:
    """The schema of a whole report. Every key of every object in it is required: all of them are always written."""
    [reference], parts = msgspec.json.schema_components([whole], ref_template=_PLACE)
    for part in parts.values():
        if "properties" in part:
            part["required"] = list(part["properties"])
    name = reference["$ref"].removeprefix(_PLACE.format(name=""))
    return {**parts.pop(name), "title": title, "$defs": parts}

"""The JSON Schema of what janitor writes, built from the classes of its parts."""

from typing import Any

import msgspec

from janitor.report.encode import Part

_PLACE = "#/$defs/{name}"


def build_schema(whole: type[Part], title: str) -> dict[str, Any]:
    """Build the schema of a whole report. Every key of every object is required, because all are always written."""
    [reference], parts = msgspec.json.schema_components([whole], ref_template=_PLACE)
    for part in parts.values():
        if "properties" in part:
            part["required"] = list(part["properties"])
    name = reference["$ref"].removeprefix(_PLACE.format(name=""))
    return {**parts.pop(name), "title": title, "$defs": parts}

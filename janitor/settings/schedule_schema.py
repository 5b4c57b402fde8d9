"""The JSON Schema of a schedule file, for editors and for whoever generates them: made of the settings themselves."""

from collections.abc import Mapping
from typing import Any

from janitor.settings.schedule_keys import DESCRIPTION, SECTIONS, TABLE, Key


def schedule_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. It knows shapes and names; `janitor run FILE --check` knows values too."""
    sections = {name: _section(keys) for name, keys in SECTIONS.items()}
    sections[TABLE] = {"oneOf": [sections[TABLE], {"type": "array", "minItems": 1, "items": sections[TABLE]}]}
    description = {"type": "string", "description": "What the job is for."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A schedule file of janitor",
        "type": "object",
        "additionalProperties": False,
        "properties": {DESCRIPTION: description, **sections},
    }


def _section(keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(key) for name, key in keys.items()},
    }


def _property(key: Key) -> dict[str, Any]:
    setting = key.setting
    said: dict[str, Any] = {"description": setting.help}
    if setting.is_switch:
        return {**said, "type": "boolean", "default": False}
    if setting.default is not None:
        said["default"] = setting.default.split() if setting.many else setting.default
    one = _value(key)
    if not setting.many:
        return {**said, **one}
    return {**said, "oneOf": [one, {"type": "array", "items": one}]}


def _value(key: Key) -> dict[str, Any]:
    if key.setting.choices:
        return {"enum": list(key.setting.choices)}
    return {"type": ["string", "number"]} if key.takes_numbers else {"type": "string", "minLength": 1}

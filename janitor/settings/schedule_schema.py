"""The JSON Schema of a schedule file, for editors and generators; made from the settings themselves."""

from collections.abc import Mapping
from typing import Any

from janitor.settings.schedule_keys import DESCRIPTION, SECTIONS, TABLE, Key


def build_schedule_schema() -> dict[str, Any]:
    """Build the schema, draft 2020-12. It checks names and types; `janitor run FILE --check` checks values too."""
    sections = {name: _describe_section(keys) for name, keys in SECTIONS.items()}
    sections[TABLE] = {"oneOf": [sections[TABLE], {"type": "array", "minItems": 1, "items": sections[TABLE]}]}
    description = {"type": "string", "description": "What the job is for."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A schedule file of janitor",
        "type": "object",
        "additionalProperties": False,
        "properties": {DESCRIPTION: description, **sections},
    }


def _describe_section(keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _describe_key(key) for name, key in keys.items()},
    }


def _describe_key(key: Key) -> dict[str, Any]:
    setting = key.setting
    schema: dict[str, Any] = {"description": setting.help}
    if setting.is_switch:
        return {**schema, "type": "boolean", "default": False}
    if setting.default is not None:
        schema["default"] = setting.default.split() if setting.is_repeatable else setting.default
    one = _describe_value(key)
    if not setting.is_repeatable:
        return {**schema, **one}
    return {**schema, "oneOf": [one, {"type": "array", "items": one}]}


def _describe_value(key: Key) -> dict[str, Any]:
    if key.setting.choices:
        return {"enum": list(key.setting.choices)}
    if key.setting.value_if_bare is not None:
        return {"oneOf": [{"type": "string", "minLength": 1}, {"const": True}]}
    return {"type": ["string", "number"]} if key.takes_numbers else {"type": "string", "minLength": 1}

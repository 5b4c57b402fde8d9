"""The options of a run that the next commands repeat, as words for a shell.

Only what is not the default, wherever it was given: a command is complete in a shell without the run's variables too.
What the report says in keys of its own (the table, the dialect, the grace, the thresholds) is added from there. An
option that may hold a secret is named, and its value is left out.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from janitor.report.model import CommandOptions
from janitor.report.target_options import quote_word
from janitor.settings.parsers import Folder
from janitor.settings.setting import Settings, flag, settings_of
from janitor.tokens.duration import parse_duration
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys

if TYPE_CHECKING:
    from janitor.settings.commands import ApplyCommand, SweepCommand
    from janitor.settings.deletion import DeletionSettings
    from janitor.settings.limits import WriteLimitSettings
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.settings.scan import ScanCommand
    from janitor.settings.table import ProtectionSettings, TableSettings

_CONNECTION = ("profile", "role_arn")
_PROTECTION = ("protect_user", "protect_system", "fingerprint_key_file")
# In the order of the command's help. `yes` and `lease_holder` are of one run, and prices decide nothing.
DELETION_OPTIONS = (
    "archive",
    "no_archive",
    "max_deletes",
    "max_delete_percent",
    "max_clock_skew",
    "delete_api",
    "require_notice",
    "notice_age",
)
_NOTICES = ("sns_topic_arn", "per_token", "owner_address", "digest", "digest_format")
_SECRETS = ("notify", "heartbeat_url")
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


class _Words(NamedTuple):
    """Options as words, each with a space before it; and the flags of those that cannot be shown."""

    text: str = ""
    left_out: tuple[str, ...] = ()


def describe_scan_options(table: TableSettings, protection: ProtectionSettings) -> CommandOptions:
    """Describe the options of a run that only reads."""
    return _describe(table, protection, _Words(), ())


def describe_sweep_options(scan: ScanCommand, sweep: SweepCommand) -> CommandOptions:
    """Describe the options of a sweep."""
    deletion = _describe_deletion(sweep.deletion, sweep.writes, scan.notices, scan.state)
    max_rcu = _format_options(scan.limits, ("max_rcu",))
    return _describe(scan.table, scan.protection, _join(deletion, max_rcu), _list_secrets(scan.notices))


def describe_apply_options(settings: ApplyCommand) -> CommandOptions:
    """Describe the options of a plan that is applied; the plan itself has the rules."""
    deletion = _describe_deletion(settings.deletion, settings.writes, settings.notices, settings.state)
    return _describe(settings.table, settings.protection, deletion, _list_secrets(settings.notices))


def _describe(
    table: TableSettings, protection: ProtectionSettings, deletion: _Words, secrets: tuple[str, ...]
) -> CommandOptions:
    connection, protected = _format_options(table, _CONNECTION), _format_options(protection, _PROTECTION)
    left_out = (*connection.left_out, *protected.left_out, *deletion.left_out, *secrets)
    return CommandOptions(connection.text, protected.text, deletion.text, left_out)


def _describe_deletion(
    deletion: DeletionSettings, writes: WriteLimitSettings, notices: NoticeSettings, state: StateSettings
) -> _Words:
    """Format the options that decide about deletes, and about who is told."""
    return _join(
        _format_options(deletion, DELETION_OPTIONS),
        _format_options(writes, ("max_wcu",)),
        _format_options(notices, _NOTICES),
        _format_options(state, ("state_url",)),
    )


def _join(*parts: _Words) -> _Words:
    return _Words("".join(part.text for part in parts), tuple(name for part in parts for name in part.left_out))


def _list_secrets(notices: NoticeSettings) -> tuple[str, ...]:
    """List the options that are given and may hold a secret."""
    return tuple(flag(name) for name in _SECRETS if getattr(notices, name))


def _format_options(group: Settings, names: tuple[str, ...]) -> _Words:
    return _join(*(_format_option(group, name) for name in names))


def _format_option(group: Settings, name: str) -> _Words:
    """Format an option that is not at its default.

    It is left out whole if a value looks like a key, or is not printable: repeated in another spelling it would protect
    somebody else.
    """
    value, setting = getattr(group, name), settings_of(type(group))[name]
    [default] = [field.default for field in dataclasses.fields(group) if field.name == name]
    if value in (default, None):
        return _Words()
    if setting.is_switch:
        return _Words(f" {flag(name)}")
    values = value if setting.is_repeatable else [value]
    texts = [_format_duration(each) if setting.parse is parse_duration else _format_value(each) for each in values]
    if any(printable(remove_keys(text)) != text for text in texts):
        return _Words(left_out=(flag(name),))
    return _Words("".join(f" {flag(name)} {quote_word(text)}" for text in texts))


def _format_value(value: Any) -> str:
    if isinstance(value, Folder):
        return f"{value.path}/"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return "none" if math.isinf(value) else f"{value:g}"
    return str(value)


def _format_duration(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"

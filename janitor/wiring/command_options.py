"""The options of a run that the next commands repeat, as words for a shell.

Only what is not the default, wherever it was given: a command is complete in a shell without the run's variables too.
What the report says in keys of its own (the table, the dialect, the grace, the thresholds) is added from there. An
option that may hold a secret is named, and its value is left out.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from janitor.report.model import CommandOptions
from janitor.report.target_options import quote_word
from janitor.settings.parsers import Folder
from janitor.settings.setting import Settings, flag, settings_of
from janitor.tokens.duration import parse_duration

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


def describe_scan_options(table: TableSettings, protection: ProtectionSettings) -> CommandOptions:
    """Describe the options of a run that only reads."""
    return CommandOptions(
        connection=_format_options(table, _CONNECTION), protection=_format_options(protection, _PROTECTION)
    )


def describe_sweep_options(scan: ScanCommand, sweep: SweepCommand) -> CommandOptions:
    """Describe the options of a sweep."""
    of_scan = describe_scan_options(scan.table, scan.protection)
    deletion = _describe_deletion(sweep.deletion, sweep.writes, scan.notices, scan.state)
    max_rcu = _format_options(scan.limits, ("max_rcu",))
    return CommandOptions(of_scan.connection, of_scan.protection, f"{deletion}{max_rcu}", _list_secrets(scan.notices))


def describe_apply_options(settings: ApplyCommand) -> CommandOptions:
    """Describe the options of a plan that is applied; the plan itself has the rules."""
    return CommandOptions(
        _format_options(settings.table, _CONNECTION),
        _format_options(settings.protection, _PROTECTION),
        _describe_deletion(settings.deletion, settings.writes, settings.notices, settings.state),
        _list_secrets(settings.notices),
    )


def _describe_deletion(
    deletion: DeletionSettings, writes: WriteLimitSettings, notices: NoticeSettings, state: StateSettings
) -> str:
    """Format the options that decide about deletes, and about who is told."""
    return "".join(
        (
            _format_options(deletion, DELETION_OPTIONS),
            _format_options(writes, ("max_wcu",)),
            _format_options(notices, _NOTICES),
            _format_options(state, ("state_url",)),
        )
    )


def _list_secrets(notices: NoticeSettings) -> tuple[str, ...]:
    """List the options that are given and may hold a secret."""
    return tuple(flag(name) for name in _SECRETS if getattr(notices, name))


def _format_options(group: Settings, names: tuple[str, ...]) -> str:
    return "".join(f" {word}" for name in names for word in _list_words(group, name))


def _list_words(group: Settings, name: str) -> Iterator[str]:
    value, setting = getattr(group, name), settings_of(type(group))[name]
    [default] = [field.default for field in dataclasses.fields(group) if field.name == name]
    if value in (default, None):
        return
    if setting.is_switch:
        yield flag(name)
        return
    for each in value if setting.is_repeatable else [value]:
        text = _format_duration(each) if setting.parse is parse_duration else _format_value(each)
        yield f"{flag(name)} {quote_word(text)}"


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

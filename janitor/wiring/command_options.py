"""The options of a run that the next commands repeat, as words for a shell: the one way to build them.

Only what is not the default, wherever it was given: a command is complete in a shell without the run's variables too.
What the report says in keys of its own (the table, the dialect, the grace, the thresholds) is added from there. An
option that may hold a secret is named, and its value is left out.

A value is repeated as it is or not at all: a pattern from which a key was removed would match other people.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from janitor.report.model import CommandOptions
from janitor.report.target_options import quote_word
from janitor.settings.notice_text import NoticeText
from janitor.settings.parsers import Folder
from janitor.settings.setting import Settings, flag, settings_of
from janitor.tokens.duration import format_for_command, parse_duration
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys, remove_login

if TYPE_CHECKING:
    from janitor.settings.commands import ApplyCommand, SweepCommand
    from janitor.settings.deletion import DeletionSettings
    from janitor.settings.limits import WriteLimitSettings
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.settings.scan import FilterSettings, ScanCommand
    from janitor.settings.table import ProtectionSettings, TableSettings
    from janitor.settings.token_read import ListingSettings

_CONNECTION = ("profile", "role_arn")
_NAMING = ("fingerprint_key_file",)
_PROTECTION = ("protect_user", "protect_system")
_NARROWING = ("user", "fingerprint")
_FILTERS = ("state", "user", "name", "group")
# In the order of the command's help. `yes` and `lease_holder` are of one run, and prices decide nothing.
_DELETION = (
    "archive",
    "no_archive",
    "max_deletes",
    "max_delete_percent",
    "max_clock_skew",
    "delete_api",
    "require_notice",
    "notice_age",
)
_NOTICES = (
    "sns_topic_arn",
    "per_token",
    "owner_address",
    "contact",
    "notice_text",
    "sns_format",
    "digest",
    "digest_format",
)
_SECRETS = ("notify", "heartbeat_url")


class Words(NamedTuple):
    """Options as words, each with a space before it; and the flags of those that cannot be shown."""

    text: str = ""
    withheld: tuple[str, ...] = ()


_NOTHING = Words()


def format_options(group: Settings, names: Iterable[str]) -> Words:
    """Format those of these settings that are not at their defaults, and are settings of the group.

    One is withheld whole if a value looks like a key, or is not printable: repeated in another spelling it would
    protect, choose or delete somebody else.
    """
    settings = settings_of(type(group))
    return _join(*(_format_option(group, name) for name in names if name in settings))


def describe_scan_options(table: TableSettings, protection: ProtectionSettings) -> CommandOptions:
    """Describe the options of a run that only reads."""
    return _describe(table, protection)


def add_filters(options: CommandOptions, filters: FilterSettings | ListingSettings) -> CommandOptions:
    """Add what a listing is limited to."""
    narrowing = format_options(filters, _FILTERS)
    return structs.replace(
        options, narrowing=narrowing.text, withheld=tuple(dict.fromkeys((*options.withheld, *narrowing.withheld)))
    )


def describe_sweep_options(scan: ScanCommand, sweep: SweepCommand) -> CommandOptions:
    """Describe the options of a sweep."""
    return _describe(
        scan.table,
        scan.protection,
        reading=format_options(scan.limits, ("max_rcu",)),
        narrowing=format_options(sweep.plan, _NARROWING),
        deletion=_describe_deletion(sweep.deletion, sweep.writes, scan.state),
        notices=scan.notices,
    )


def describe_apply_options(plan: Path, settings: ApplyCommand) -> CommandOptions:
    """Describe the options of a plan that is applied; the plan itself has the rules."""
    path = str(plan)
    options = _describe(
        settings.table,
        settings.protection,
        narrowing=format_options(settings.apply, (*_NARROWING, "partial")),
        deletion=_describe_deletion(settings.deletion, settings.writes, settings.state),
        notices=settings.notices,
    )
    if not _is_showable(path):
        return structs.replace(options, withheld=(*options.withheld, "PLAN"))
    return structs.replace(options, plan=path)


def _describe(
    table: TableSettings,
    protection: ProtectionSettings,
    *,
    reading: Words = _NOTHING,
    narrowing: Words = _NOTHING,
    deletion: Words = _NOTHING,
    notices: NoticeSettings | None = None,
) -> CommandOptions:
    connection, naming = format_options(table, _CONNECTION), format_options(protection, _NAMING)
    protected = format_options(protection, _PROTECTION)
    told = _NOTHING if notices is None else format_options(notices, _NOTICES)
    secrets = () if notices is None else tuple(flag(name) for name in _SECRETS if getattr(notices, name))
    decisive = _join(connection, naming, protected, reading, narrowing, deletion)
    return CommandOptions(
        connection=connection.text,
        naming=naming.text,
        protection=protected.text,
        reading=reading.text,
        narrowing=narrowing.text,
        deletion=f"{deletion.text}{told.text}",
        left_out=(*told.withheld, *secrets),
        withheld=tuple(dict.fromkeys(decisive.withheld)),
    )


def _describe_deletion(deletion: DeletionSettings, writes: WriteLimitSettings, state: StateSettings) -> Words:
    """Format the options that decide about deletes."""
    return _join(
        format_options(deletion, _DELETION), format_options(writes, ("max_wcu",)), format_options(state, ("state_url",))
    )


def _join(*parts: Words) -> Words:
    return Words("".join(part.text for part in parts), tuple(name for part in parts for name in part.withheld))


def _format_option(group: Settings, name: str) -> Words:
    value, setting = getattr(group, name), settings_of(type(group))[name]
    [default] = [field.default for field in dataclasses.fields(group) if field.name == name]
    if value in (default, None):
        return _NOTHING
    if setting.is_switch:
        return Words(f" {flag(name)}")
    if isinstance(value, NoticeText):
        # A text of up to 4,000 characters, often of several lines.
        return Words(withheld=(flag(name),))
    values = value if setting.is_repeatable else [value]
    texts = [format_for_command(each) if setting.parse is parse_duration else _format_value(each) for each in values]
    if name == "endpoint_url":
        texts = [remove_login(text) for text in texts]
    if not all(map(_is_showable, texts)):
        return Words(withheld=(flag(name),))
    return Words("".join(f" {flag(name)} {quote_word(text)}" for text in texts))


def _is_showable(text: str) -> bool:
    """Whether the text can be shown as it is."""
    return printable(remove_keys(text)) == text


def _format_value(value: Any) -> str:
    if isinstance(value, Folder):
        return f"{value.path}/"
    if isinstance(value, float):
        # Not rounded: a limit must not become a wider one.
        return "none" if math.isinf(value) else repr(value).removesuffix(".0")
    return str(value)

"""The settings of the commands that change an existing token: `token extend`, `token revoke`, `token remove`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import DateConsentSettings, FlagConsentSettings
from janitor.settings.parsers import Folder, S3Prefix, parse_archive, parse_owner
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionSettings(Settings):
    """Which tokens, and how the result is printed."""

    user: str | None = setting(
        "All tokens of this owner, instead of a fingerprint.", metavar="NAME", parse=parse_owner, is_flag_only=True
    )
    dry_run: bool = setting("Change nothing: report what would be done.", is_switch=True)
    format: str | None = setting(
        "Format of standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendSettings(Settings):
    """The new expiry, and what else an extension may do."""

    by: int | None = setting("Add this much to the present expiry.", metavar="DURATION", parse=parse_duration)
    to: int | None = setting("The new expiry: ISO 8601 or UNIX seconds.", metavar="TIME", parse=parse_time)
    expires_in: int | None = setting("The new expiry, from now on.", metavar="DURATION", parse=parse_duration)
    revive: bool = setting("Allow the extension of a token that LISA rejects now.", is_switch=True, is_flag_only=True)
    shorten: bool = setting(
        "Allow an earlier expiry than the present one, also for a permanent token.", is_switch=True, is_flag_only=True
    )
    yes: bool = reuse(DateConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSettings(Settings):
    """When the token ends."""

    at: int | None = setting(
        "When the token ends: ISO 8601 or UNIX seconds.",
        metavar="TIME",
        parse=parse_time,
        default_words="now",
        is_flag_only=True,
    )
    yes: bool = reuse(FlagConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSettings(Settings):
    """Whether a removal is confirmed, and what is kept of the rows."""

    yes: bool = reuse(FlagConsentSettings, "yes")
    archive: Path | Folder | S3Prefix | None = setting(
        "Where rows are kept before they are deleted: a new file, a folder (there, or with a slash at its end), or "
        "s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep no archive: what is deleted cannot be restored.", is_switch=True)


class ChangeCommand(NamedTuple):
    """The settings that all of these commands have."""

    chosen: SelectionSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings


CHANGE_GROUPS: tuple[type[Settings], ...] = tuple(ChangeCommand.__annotations__.values())

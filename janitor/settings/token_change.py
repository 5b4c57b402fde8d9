"""What the commands are told that change a token which is there: `token extend`, `token revoke`, `token remove`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import DateConsentSettings, TypedConsentSettings
from janitor.settings.parsers import Folder, S3Prefix, parse_archive, parse_owner
from janitor.settings.setting import Settings, as_in, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.duration import parse_duration, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSettings(Settings):
    """Whose tokens, and what is said of them."""

    user: str | None = setting(
        "All tokens of this owner, in place of a fingerprint.", metavar="NAME", parse=parse_owner, is_typed=True
    )
    dry_run: bool = setting("Change nothing: say what would be.", is_switch=True)
    format: str | None = setting(
        "What is said on standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendSettings(Settings):
    """Until when, and what an extension may do besides."""

    by: int | None = setting("Add so much to the present expiry.", metavar="DURATION", parse=parse_duration)
    to: int | None = setting("The new expiry: ISO 8601 or UNIX seconds.", metavar="TIME", parse=parse_time)
    expires_in: int | None = setting("The new expiry, from now on.", metavar="DURATION", parse=parse_duration)
    revive: bool = setting("Bring a token back to life that LISA refuses.", is_switch=True, is_typed=True)
    shorten: bool = setting("Let a token end earlier than now, a permanent one too.", is_switch=True, is_typed=True)
    yes: bool = as_in(DateConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSettings(Settings):
    """When a token ends."""

    at: int | None = setting(
        "End it then: ISO 8601 or UNIX seconds.",
        metavar="TIME",
        parse=parse_time,
        default_words="now",
        is_typed=True,
    )
    yes: bool = as_in(TypedConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSettings(Settings):
    """Whether a removal is confirmed, and what is kept of the rows."""

    yes: bool = as_in(TypedConsentSettings, "yes")
    archive: Path | Folder | S3Prefix | None = setting(
        "Where rows are kept before they are deleted: a new file, a folder (there, or with a slash at its end), or "
        "s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep nothing of what is deleted: there is no way back.", is_switch=True)


class ChangeCommand(NamedTuple):
    """Everything that each of these commands is told."""

    chosen: ChosenSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings


CHANGE_GROUPS: tuple[type[Settings], ...] = tuple(ChangeCommand.__annotations__.values())

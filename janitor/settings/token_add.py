"""The settings of `token add` and `token fingerprint`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import DateConsentSettings, ReadOnlySettings
from janitor.settings.limits import DeadlineSettings
from janitor.settings.parsers import Folder, S3Prefix, parse_archive, parse_path
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import parse_time
from janitor.tokens.token_strength import MAX_LENGTH, MIN_LENGTH


def _parse_length(text: str) -> int:
    if not text.isdecimal() or not MIN_LENGTH <= int(text) <= MAX_LENGTH:
        raise ValueError(f"{text!r} is not a number of hex digits from {MIN_LENGTH} to {MAX_LENGTH:,}")
    return int(text)


def parse_label(text: str) -> str:
    """A printable text that is not blank, short enough for DynamoDB to take as the key of an index."""
    if not text.strip():
        raise ValueError("the text is empty")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_LENGTH:
        raise ValueError(f"the text is longer than {MAX_LENGTH:,} bytes")
    if not text.isprintable():
        raise ValueError("the text has control characters, or bytes that are not UTF-8")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeSettings(Settings):
    """How long the token lives: exactly one of the three."""

    expires_in: int | None = setting(
        "How long the token is accepted, from now on.", metavar="DURATION", parse=parse_duration
    )
    expires_at: int | None = setting(
        "Until when the token is accepted: ISO 8601 or UNIX seconds, in UTC.", metavar="TIME", parse=parse_time
    )
    permanent: bool = setting("Let the token live for ever. Classic tables only.", is_switch=True, is_flag_only=True)
    yes: bool = reuse(DateConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSourceSettings(Settings):
    """Where the token comes from."""

    length: int = setting(
        f"How many hex digits a generated token has, {MIN_LENGTH} at least; the default is LISA's own.",
        metavar="N",
        parse=_parse_length,
        default="128",
    )
    token_stdin: bool = setting(
        "Read the token from standard input, or from a prompt without an echo, instead of generating one.",
        is_switch=True,
    )
    allow_weak: bool = setting(
        "Accept a token from standard input even if it is short or has little variety.", is_switch=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSettings(Settings):
    """The attributes that only a row of LISA 6.1 or later has; a classic row has none of them."""

    user: str | None = setting("Whose token it is. Hashed tables need it.", metavar="NAME", parse=parse_label)
    name: str | None = setting(
        "What the token is called. Hashed tables need it, unless a token is replaced.",
        metavar="NAME",
        parse=parse_label,
    )
    group: tuple[str, ...] = setting(
        "A group whose rights the token has. Repeatable.",
        metavar="NAME",
        parse=parse_label,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    system: bool = setting(
        "It is a system's token, not a person's: LISA allows it besides others of the same user.", is_switch=True
    )
    personal: bool = setting("It is a person's token, even if --replace-expired replaces a system's.", is_switch=True)
    created_by: str | None = setting(
        "Who makes the token.",
        metavar="NAME",
        parse=parse_label,
        default_words="the last part of the caller's ARN, from sts:GetCallerIdentity",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSettings(Settings):
    """Whether an expired token of the same user is replaced, and what is kept of it."""

    replace_expired: bool = setting(
        "Delete what the user has in the table first, if all of it has expired and LISA rejects it everywhere. Keep "
        "its name, groups and system flag unless --name, --group or --personal is given.",
        is_switch=True,
    )
    archive: Path | Folder | S3Prefix | None = setting(
        "Where an expired row is kept before it is deleted: a new file, a folder (there, or with a slash at its end), "
        "or s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep no archive: what is deleted cannot be restored.", is_switch=True)
    dry_run: bool = setting("Change nothing: report what would be done.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintSettings(Settings):
    """The settings of `token fingerprint`."""

    fingerprint_key_file: Path | None = setting(
        "A file with a secret for the fingerprints, as given to the commands that read the table.",
        metavar="PATH",
        parse=parse_path,
    )
    dry_run: bool = reuse(ReadOnlySettings, "dry_run")


class AddCommand(NamedTuple):
    """The settings of `token add`."""

    life: LifetimeSettings
    token_source: TokenSourceSettings
    owner: OwnerSettings
    replace: ReplaceSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    deadline: DeadlineSettings


ADD_GROUPS: tuple[type[Settings], ...] = tuple(AddCommand.__annotations__.values())

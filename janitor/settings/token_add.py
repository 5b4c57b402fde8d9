"""What `token add` and `token fingerprint` are told."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import DateConsentSettings
from janitor.settings.limits import DeadlineSettings
from janitor.settings.parsers import Folder, S3Prefix, parse_archive, parse_path
from janitor.settings.setting import Settings, as_in, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.duration import parse_duration, parse_time
from janitor.tokens.weak import LONGEST, SHORTEST


def _parse_length(text: str) -> int:
    if not text.isdecimal() or not SHORTEST <= int(text) <= LONGEST:
        raise ValueError(f"{text!r} is not a number of hex digits from {SHORTEST} to {LONGEST:,}")
    return int(text)


def _parse_said(text: str) -> str:
    """A text that says something and that DynamoDB takes for the key of an index."""
    if not text.strip():
        raise ValueError("an empty text says nothing")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise ValueError(f"a text of more than {LONGEST:,} bytes is too long")
    if not text.isprintable():
        raise ValueError("a text with control characters, or with bytes that are no UTF-8, is none to show to people")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeSettings(Settings):
    """How long the token lives: exactly one of the three."""

    expires_in: int | None = setting(
        "How long the token is accepted, from now on.", metavar="DURATION", parse=parse_duration
    )
    expires_at: int | None = setting(
        "Until when the token is accepted: ISO 8601 or UNIX seconds, in UTC.", metavar="TIME", parse=parse_time
    )
    permanent: bool = setting("Let the token live for ever. Classic tables only.", is_switch=True, is_typed=True)
    yes: bool = as_in(DateConsentSettings, "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSettings(Settings):
    """Where the token comes from."""

    length: int = setting(
        f"How many hex digits a generated token has, {SHORTEST} at least; the default is LISA's own.",
        metavar="N",
        parse=_parse_length,
        default="128",
    )
    token_stdin: bool = setting(
        "Read the token from standard input, or from a prompt without an echo, in place of generating it.",
        is_switch=True,
    )
    allow_weak: bool = setting(
        "Take a token from standard input that is short or of little variety all the same.", is_switch=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSettings(Settings):
    """What a row of LISA 6.1 or later says besides; a classic row has none of it."""

    user: str | None = setting("Whose token it is. Hashed tables need it.", metavar="NAME", parse=_parse_said)
    name: str | None = setting("What the token is called. Hashed tables need it.", metavar="NAME", parse=_parse_said)
    group: tuple[str, ...] = setting(
        "A group whose rights the token has. Repeatable.",
        metavar="NAME",
        parse=_parse_said,
        many=True,
        may_hold_spaces=True,
    )
    system: bool = setting(
        "It is a system's token, not a person's: LISA allows it beside others of the same user.", is_switch=True
    )
    created_by: str | None = setting(
        "Who makes the token.",
        metavar="NAME",
        parse=_parse_said,
        default_words="the last part of the caller's ARN, from sts:GetCallerIdentity",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSettings(Settings):
    """What becomes of an expired token of the same user."""

    replace_expired: bool = setting(
        "Delete what the user has in the table first, if all of it has expired and no gate accepts it.", is_switch=True
    )
    archive: Path | Folder | S3Prefix | None = setting(
        "Where an expired row is kept before it is deleted: a new file, a folder (there, or with a slash at its end), "
        "or s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep nothing of what is deleted: there is no way back.", is_switch=True)
    dry_run: bool = setting("Change nothing: say what would be done.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintSettings(Settings):
    """How a token is named."""

    fingerprint_key_file: Path | None = setting(
        "A file with a secret for the fingerprints, as given to the commands that read the table.",
        metavar="PATH",
        parse=parse_path,
    )


class AddCommand(NamedTuple):
    """Everything that adding a token is told."""

    life: LifeSettings
    secret: SecretSettings
    owner: OwnerSettings
    replace: ReplaceSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    deadline: DeadlineSettings


ADD_GROUPS: tuple[type[Settings], ...] = tuple(AddCommand.__annotations__.values())

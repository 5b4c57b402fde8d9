"""The settings of deletion: what is planned, whether and how it is deleted, and what is put back."""

from dataclasses import dataclass
from pathlib import Path

from janitor.settings.consent import ConsentSettings, UnaskedConsentSettings
from janitor.settings.parsers import (
    Folder,
    S3Prefix,
    parse_archive,
    parse_count,
    parse_fingerprint,
    parse_fingerprint_pattern,
    parse_lease_holder,
    parse_owner,
    parse_path,
    parse_percent,
    parse_price,
)
from janitor.settings.setting import Settings, reuse, setting
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepModeSettings(Settings):
    """Whether a sweep deletes."""

    delete: bool = setting(
        "Delete what is stale. Without it, a dry run reports what would be deleted, and nobody is notified.",
        is_switch=True,
        is_flag_only=True,
    )
    dry_run: bool = setting("Delete nothing, even with --delete: report what would be deleted.", is_switch=True)

    @property
    def deletes(self) -> bool:
        """Whether the sweep deletes. A dry run wins, whether a flag or a variable asks for it."""
        return self.delete and not self.dry_run


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings(Settings):
    """What a sweep plans."""

    include: tuple[str, ...] = setting(
        "Plan these rows too, once LISA rejects them everywhere and the grace is over: legacy, those with a date but "
        "no tokenUUID, or a key that is not a sha256 in lower case; undated, those without a date, by their "
        "createdDate (needs --gates api). Repeatable.",
        choices=("legacy", "undated"),
        is_repeatable=True,
    )
    user: tuple[str, ...] = setting(
        "Plan only rows of these owners, of those that may be deleted; a shell pattern. Others stay. Repeatable.",
        metavar="GLOB",
        parse=parse_owner,
        is_repeatable=True,
        may_hold_spaces=True,
        is_flag_only=True,
    )
    fingerprint: tuple[str, ...] = setting(
        "Plan only rows with these fingerprints or row names, of those that may be deleted; a shell pattern. Others "
        "stay. Repeatable.",
        metavar="GLOB",
        parse=parse_fingerprint_pattern,
        is_repeatable=True,
        is_flag_only=True,
    )
    plan: Path | None = setting(
        "Keep the plan in this file, for `janitor apply`. It may hold tokens in plain text.",
        metavar="PATH",
        parse=parse_path,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionSettings(Settings):
    """How much may be deleted, in which way, and which archive is kept."""

    yes: bool = reuse(ConsentSettings, "yes")
    archive: Path | Folder | S3Prefix | None = setting(
        "Where rows are kept before they are deleted: a new file, a folder (there, or with a slash at its end), or "
        "s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep no archive: what is deleted cannot be restored.", is_switch=True)
    max_deletes: int = setting(
        "Refuse to delete when more rows than this are planned.", metavar="N", parse=parse_count, default="1000"
    )
    max_delete_percent: float = setting(
        "Refuse when more than this share of the scanned rows is planned (from 20 rows on), or every row that has a "
        "date; 100 switches both rules off, 0 lets no row be deleted.",
        metavar="PERCENT",
        parse=parse_percent,
        default="50",
    )
    max_clock_skew: int = setting(
        "Refuse when the local clock is further off DynamoDB's than this.",
        metavar="DURATION",
        parse=parse_duration,
        default="60s",
    )
    delete_api: str = setting(
        "How rows are deleted: by PartiQL in batches of 25, one by one, or by PartiQL unless that is denied.",
        choices=("auto", "partiql", "item"),
        default="auto",
    )
    require_notice: bool = setting(
        "Delete a token only if its expiry was announced to the topic, --notice-age ago at least: in a digest, or with "
        "--per-token in a message to its owner.",
        is_switch=True,
    )
    notice_age: int = setting(
        "How long ago the expiry must have been announced.", metavar="DURATION", parse=parse_duration, default="7d"
    )
    lease_holder: str | None = setting(
        "A name for work that may be tried again: a later attempt with this name takes over the lease of an earlier "
        "one at once. For a Kubernetes Job, its UID.",
        metavar="NAME",
        parse=parse_lease_holder,
        default_words="every run by itself",
    )
    write_price: float = setting(
        "Dollars for a million write units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.625",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySettings(Settings):
    """The settings of `janitor apply` itself."""

    dry_run: bool = setting(
        "Delete nothing, notify nobody and remember nothing: report what would be deleted.", is_switch=True
    )
    user: tuple[str, ...] = setting(
        "Carry out only the plan's rows of these owners; a shell pattern. Others stay. Repeatable.",
        metavar="GLOB",
        parse=parse_owner,
        is_repeatable=True,
        is_flag_only=True,
    )
    fingerprint: tuple[str, ...] = setting(
        "Carry out only the plan's rows with these fingerprints or row names; a shell pattern. Others stay. "
        "Repeatable.",
        metavar="GLOB",
        parse=parse_fingerprint_pattern,
        is_repeatable=True,
        is_flag_only=True,
    )
    partial: bool = setting("Accept a plan that was cut off, and use the rows that it has.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings(Settings):
    """Which rows of an archive are put back."""

    yes: bool = reuse(UnaskedConsentSettings, "yes")
    fingerprint: tuple[str, ...] = setting(
        "Put back the row whose fingerprint starts with this (6 digits at least), or that has this row name. Nothing "
        "is put back if it matches several. Repeatable.",
        metavar="HEX",
        parse=parse_fingerprint,
        is_repeatable=True,
    )
    user: tuple[str, ...] = setting(
        "Put back the rows of this owner. Repeatable.",
        metavar="NAME",
        parse=parse_owner,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    all: bool = setting("Put back every row.", is_switch=True)
    beside: bool = setting(
        "Put back rows beside others that their owners have. Without it such rows are left out: LISA 6.1 and "
        "later allow each user one token.",
        is_switch=True,
        is_flag_only=True,
    )
    dry_run: bool = setting("Put nothing back: report what would be.", is_switch=True)
    format: str | None = setting(
        "Format of standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )

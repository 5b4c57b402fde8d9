"""What a sweep plans, whether and how it deletes, and what goes back."""

from dataclasses import dataclass
from pathlib import Path

from janitor.settings.consent import ConsentSettings
from janitor.settings.parsers import (
    Folder,
    S3Prefix,
    parse_archive,
    parse_count,
    parse_fingerprint,
    parse_lease_holder,
    parse_owner,
    parse_path,
    parse_percent,
    parse_price,
)
from janitor.settings.setting import Settings, as_in, setting
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSettings(Settings):
    """Whether a sweep deletes."""

    delete: bool = setting(
        "Delete what is stale. Without it nothing is, and nobody is told: a dry run says what would be.",
        is_switch=True,
        is_typed=True,
    )
    dry_run: bool = setting("Delete nothing, whatever --delete says: say what would be.", is_switch=True)

    @property
    def deletes(self) -> bool:
        """Whether it does: what forbids is heard, whoever says it."""
        return self.delete and not self.dry_run


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings(Settings):
    """What a sweep plans."""

    include: tuple[str, ...] = setting(
        "Plan legacy rows too, once no gate accepts them and the grace is over.", choices=("legacy",), many=True
    )
    plan: Path | None = setting(
        "Keep the plan in this file, for `janitor apply`. It may hold tokens in plain text.",
        metavar="PATH",
        parse=parse_path,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionSettings(Settings):
    """How much may be deleted, in which way, and what is kept of it."""

    yes: bool = as_in(ConsentSettings, "yes")
    archive: Path | Folder | S3Prefix | None = setting(
        "Where rows are kept before they are deleted: a new file, a folder (there, or with a slash at its end), or "
        "s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep nothing of what is deleted: there is no way back.", is_switch=True)
    max_deletes: int = setting(
        "Refuse to delete when more rows than this are planned.", metavar="N", parse=parse_count, default="1000"
    )
    max_delete_percent: float = setting(
        "Refuse when more than this share of the scanned rows is planned (from 20 rows on), or every row that carries "
        "a date; 100 for neither rule, 0 to let none go.",
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
        "What is tried again under this name is one work: a later attempt takes the lease of an earlier one over at "
        "once. For a Kubernetes Job its UID.",
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
    """How `janitor apply` goes."""

    dry_run: bool = setting("Delete nothing, tell nobody and remember nothing: say what would be.", is_switch=True)
    partial: bool = setting("Take the rows of a plan that was cut off, as far as it goes.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings(Settings):
    """Which rows of an archive go back."""

    yes: bool = as_in(ConsentSettings, "yes")

    fingerprint: tuple[str, ...] = setting(
        "Put back the row with this fingerprint, or with one that starts so, 6 digits at least; or with this row name. "
        "Nothing is put back where it fits several. Repeatable.",
        metavar="HEX",
        parse=parse_fingerprint,
        many=True,
    )
    user: tuple[str, ...] = setting(
        "Put back the rows of this owner. Repeatable.",
        metavar="NAME",
        parse=parse_owner,
        many=True,
        may_hold_spaces=True,
    )
    all: bool = setting("Put back every row.", is_switch=True)
    dry_run: bool = setting("Put nothing back: say what would be.", is_switch=True)
    format: str | None = setting(
        "What is said on standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )

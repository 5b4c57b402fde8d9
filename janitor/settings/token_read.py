"""The settings of the commands that only read tokens: `token list` and `token show`."""

from dataclasses import dataclass
from typing import NamedTuple

from janitor.settings.consent import ReadOnlySettings
from janitor.settings.limits import DeadlineSettings, LimitSettings
from janitor.settings.output import LastSeenSettings, NoticeSettings, OutputSettings, StateSettings
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings

_STATES = ("active", "expiring", "expired", "stale", "permanent", "malformed", "legacy")
_ORDERS = ("expiry", "user", "name", "created", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSettings(Settings):
    """Which rows are listed, and in which order."""

    state: tuple[str, ...] = setting("List rows in this state. Repeatable.", choices=_STATES, is_repeatable=True)
    user: tuple[str, ...] = setting(
        "List rows of these owners; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        may_hold_spaces=True,
    )
    name: tuple[str, ...] = setting(
        "List tokens of these names; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        may_hold_spaces=True,
    )
    group: tuple[str, ...] = setting(
        "List tokens with one of these groups; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        may_hold_spaces=True,
    )
    sort: str | None = setting(
        "Sort by this, with a minus before it in descending order; rows without it come last. Every format, ndjson and "
        "csv too, then lists the first --max-findings rows.",
        choices=(*_ORDERS, *(f"-{order}" for order in _ORDERS)),
        default_words="most urgent first; ndjson and csv list all, in no order",
    )
    dry_run: bool = reuse(ReadOnlySettings, "dry_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSettings(Settings):
    """Which token is shown, and how."""

    token_stdin: bool = setting(
        "Read the token itself from standard input, or from a prompt without an echo.", is_switch=True
    )
    format: str | None = setting(
        "Format of standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )
    dry_run: bool = reuse(ReadOnlySettings, "dry_run")


class ListCommand(NamedTuple):
    """The settings of `janitor token list`."""

    listing: ListingSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    output: OutputSettings
    limits: LimitSettings
    deadline: DeadlineSettings
    last_seen: LastSeenSettings = LastSeenSettings()

    @property
    def notices(self) -> NoticeSettings:
        """Nobody is notified."""
        return NoticeSettings()

    @property
    def state(self) -> StateSettings:
        """Nothing is remembered."""
        return StateSettings()


class ShowCommand(NamedTuple):
    """The settings of `janitor token show`."""

    show: ShowSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    deadline: DeadlineSettings


LIST_GROUPS: tuple[type[Settings], ...] = tuple(ListCommand.__annotations__.values())
SHOW_GROUPS: tuple[type[Settings], ...] = tuple(ShowCommand.__annotations__.values())

"""The settings of a scan, in the order of its help, and those that every job has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self

from janitor.settings.limits import DeadlineSettings, LimitSettings
from janitor.settings.output import LastSeenSettings, NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import S3Prefix, parse_source
from janitor.settings.setting import Settings, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings, UnlockSettings


class JobSettings(Protocol):
    """The settings that every job has, whatever its command."""

    @property
    def table(self) -> TableSettings:
        """Which table it reads."""

    @property
    def output(self) -> OutputSettings:
        """Where its report goes, and in which formats."""

    @property
    def notices(self) -> NoticeSettings:
        """Who is notified."""

    @property
    def state(self) -> StateSettings:
        """Where it remembers what was announced and found."""

    @property
    def deadline(self) -> DeadlineSettings:
        """How long it may take."""

    def _replace(self, *, table: TableSettings) -> Self:
        """The same settings of another table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings(Settings):
    """What is read instead of a table."""

    source: Path | S3Prefix | Literal["-"] | None = setting(
        "Read an export to S3 (its folder) or a dump (what `aws dynamodb scan` prints; - for standard input) instead "
        "of the table. Needs --dialect; --table names the table that a dump is from.",
        metavar="PATH|S3|-",
        parse=parse_source,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings(Settings):
    """Which findings of a scan are listed. As flags only: a variable must not hide findings of a scheduled scan."""

    user: tuple[str, ...] = setting(
        "List only findings of these owners; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        is_flag_only=True,
    )
    name: tuple[str, ...] = setting(
        "List only tokens of these names; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        is_flag_only=True,
    )
    group: tuple[str, ...] = setting(
        "List only tokens with one of these groups; a shell pattern. Repeatable.",
        metavar="GLOB",
        is_repeatable=True,
        is_flag_only=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanModeSettings(Settings):
    """Whether a scan notifies and remembers. A schedule file has no such key: `janitor run` has the option."""

    dry_run: bool = setting(
        "Notify nobody and remember nothing: report what is found, and who would be notified.", is_switch=True
    )


class ScanCommand(NamedTuple):
    """The settings of a scan; a sweep has more."""

    table: TableSettings
    policy: PolicySettings
    unlock: UnlockSettings
    protection: ProtectionSettings
    output: OutputSettings
    notices: NoticeSettings
    state: StateSettings
    limits: LimitSettings
    deadline: DeadlineSettings
    last_seen: LastSeenSettings = LastSeenSettings()
    source: SourceSettings = SourceSettings()


SCAN_GROUPS: tuple[type[Settings], ...] = tuple(ScanCommand.__annotations__.values())
# A schedule file is for a table, which changes; an export never does, and each one has a path of its own.
SCHEDULED_GROUPS: tuple[type[Settings], ...] = tuple(group for group in SCAN_GROUPS if group is not SourceSettings)

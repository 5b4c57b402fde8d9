"""The settings of `sweep`, `apply`, `restore`, `run` and `demo`, those of a command in the order of its help."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import ReadOnlySettings
from janitor.settings.deletion import ApplySettings, DeletionSettings, PlanSettings, RestoreSettings
from janitor.settings.limits import DeadlineSettings, WriteLimitSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import parse_path
from janitor.settings.scan import ScanCommand
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import ProtectionSettings, TableSettings


class SweepCommand(NamedTuple):
    """The settings that a sweep has besides those of a scan.

    Attributes:
        deletes: False for a dry run.
        is_scheduled: whether a schedule file enables deletion, which counts as consent.
    """

    plan: PlanSettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    deletes: bool
    is_scheduled: bool = False


class ApplyCommand(NamedTuple):
    """The settings of `janitor apply`."""

    apply: ApplySettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    table: TableSettings
    protection: ProtectionSettings
    output: OutputSettings
    notices: NoticeSettings
    state: StateSettings
    deadline: DeadlineSettings


class RestoreCommand(NamedTuple):
    """The settings of `janitor restore`."""

    restore: RestoreSettings
    table: TableSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings(Settings):
    """The settings of `janitor run` itself, which no schedule file has."""

    check: bool = setting(
        "Run nothing: print what is wrong with the file, or what it would do and when it fires next.",
        is_switch=True,
        is_flag_only=True,
    )
    dry_run: bool = setting(
        "Delete nothing, whatever [delete] says, notify nobody and remember nothing: report what would be deleted.",
        is_switch=True,
    )
    keep_in: Path | None = setting(
        "Write the run's report to this folder too, as report.json and report.html.",
        metavar="FOLDER",
        parse=parse_path,
    )


class RunCommand(NamedTuple):
    """The settings of one run of a schedule file."""

    run: RunSettings
    plan: PlanSettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    scan: ScanCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings(Settings):
    """The settings of `janitor demo`."""

    keep: bool = setting("Leave the embedded DynamoDB running, and print how to use and stop it.", is_switch=True)
    classic: bool = setting("Make the table of a LISA before 6.1: plain-text keys, few attributes.", is_switch=True)
    dry_run: bool = reuse(ReadOnlySettings, "dry_run")


APPLY_GROUPS: tuple[type[Settings], ...] = tuple(ApplyCommand.__annotations__.values())
RESTORE_GROUPS: tuple[type[Settings], ...] = tuple(RestoreCommand.__annotations__.values())

"""Which settings each command takes, in the order of its help."""

from typing import NamedTuple

from janitor.config.deletion import ApplySettings, DeletionSettings, PlanSettings, RestoreSettings
from janitor.config.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.config.output import NoticeSettings, OutputSettings, StateSettings
from janitor.config.shards import ShardSettings
from janitor.config.source import SourceSettings
from janitor.config.table import PolicySettings, ProtectionSettings, TableSettings


class ScanSettings(NamedTuple):
    """Everything that a scan is told; a sweep is told more."""

    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    output: OutputSettings
    notices: NoticeSettings
    state: StateSettings
    limits: LimitSettings
    shards: ShardSettings
    deadline: DeadlineSettings
    source: SourceSettings = SourceSettings()

    @property
    def store(self) -> StateSettings:
        """Where runs remember."""
        return self.state


class SweepSettings(NamedTuple):
    """What a sweep is told besides what a scan is; `deletes` is False for a dry run."""

    plan: PlanSettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    deletes: bool


class ApplyCommand(NamedTuple):
    """Everything that carrying out a plan is told."""

    apply: ApplySettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    table: TableSettings
    protection: ProtectionSettings
    output: OutputSettings
    notices: NoticeSettings
    state: StateSettings
    deadline: DeadlineSettings

    @property
    def store(self) -> StateSettings:
        """Where runs remember."""
        return self.state


class RestoreCommand(NamedTuple):
    """Everything that a restore is told."""

    restore: RestoreSettings
    table: TableSettings


APPLY_GROUPS: tuple[type, ...] = tuple(ApplyCommand.__annotations__.values())
RESTORE_GROUPS: tuple[type, ...] = tuple(RestoreCommand.__annotations__.values())
SCAN_GROUPS: tuple[type, ...] = tuple(ScanSettings.__annotations__.values())
# A schedule is kept for a table that changes: every export has a place of its own.
SCHEDULED_GROUPS: tuple[type, ...] = tuple(group for group in SCAN_GROUPS if group is not SourceSettings)

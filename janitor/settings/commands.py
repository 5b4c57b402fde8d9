"""Which settings the commands that delete or put back take, in the order of their help."""

from typing import NamedTuple

from janitor.settings.deletion import ApplySettings, DeletionSettings, PlanSettings, RestoreSettings
from janitor.settings.limits import DeadlineSettings, WriteLimitSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.setting import Settings
from janitor.settings.table import ProtectionSettings, TableSettings


class SweepSettings(NamedTuple):
    """What a sweep is told besides what a scan is.

    Attributes:
        deletes: False for a dry run.
        is_scheduled: whether a schedule file says that it deletes, which is its consent.
    """

    plan: PlanSettings
    deletion: DeletionSettings
    writes: WriteLimitSettings
    deletes: bool
    is_scheduled: bool = False


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


APPLY_GROUPS: tuple[type[Settings], ...] = tuple(ApplyCommand.__annotations__.values())
RESTORE_GROUPS: tuple[type[Settings], ...] = tuple(RestoreCommand.__annotations__.values())

"""Which settings a scan takes, in the order of its help."""

from typing import NamedTuple

from janitor.settings.limits import DeadlineSettings, LimitSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.setting import Settings
from janitor.settings.source import SourceSettings
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings


class ScanSettings(NamedTuple):
    """Everything that a scan is told; a sweep is told more."""

    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    output: OutputSettings
    notices: NoticeSettings
    state: StateSettings
    limits: LimitSettings
    deadline: DeadlineSettings
    source: SourceSettings = SourceSettings()

    @property
    def store(self) -> StateSettings:
        """Where runs remember."""
        return self.state


SCAN_GROUPS: tuple[type[Settings], ...] = tuple(ScanSettings.__annotations__.values())
# A schedule is kept for a table that changes: every export has a place of its own.
SCHEDULED_GROUPS: tuple[type[Settings], ...] = tuple(group for group in SCAN_GROUPS if group is not SourceSettings)

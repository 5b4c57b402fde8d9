"""Which settings a scan takes, in the order of its help."""

from typing import NamedTuple

from janitor.config.limits import DeadlineSettings, LimitSettings
from janitor.config.output import NoticeSettings, OutputSettings, StateSettings
from janitor.config.source import SourceSettings
from janitor.config.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.settings import Settings


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

"""Of a command's settings those that every run has."""

from typing import Protocol

from janitor.settings.limits import DeadlineSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.table import TableSettings


class AroundRun(Protocol):
    """Of a command's settings what concerns every run."""

    @property
    def table(self) -> TableSettings:
        """Which table."""

    @property
    def output(self) -> OutputSettings:
        """What is said."""

    @property
    def notices(self) -> NoticeSettings:
        """Who hears of it."""

    @property
    def store(self) -> StateSettings:
        """Where that is remembered."""

    @property
    def deadline(self) -> DeadlineSettings:
        """How long it may take."""

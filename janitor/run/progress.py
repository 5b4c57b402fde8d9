"""What is called as a run advances, for example a progress bar."""

from typing import Protocol


class Progress(Protocol):
    """Called at every page; must be quick, and never raise."""

    def advance(self, rows: int) -> None:
        """Add rows that have been scanned."""

    def finish(self) -> None:
        """End: the scan is over, complete or not."""


class NoProgress:
    """Shows nothing."""

    def advance(self, rows: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

"""How far a run has come, for whoever watches."""

from typing import Protocol


class Progress(Protocol):
    """Told of every page; must be quick, and never fail."""

    def advance(self, rows: int) -> None:
        """So many more rows have been scanned."""

    def finish(self) -> None:
        """The scan is over, whole or not."""


class NoProgress:
    """Nobody watches."""

    def advance(self, rows: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""

"""The interface of sinks, to which reports are written."""

from typing import Protocol


class Sink(Protocol):
    """Writes one report to its target. A method that fails raises `SinkError`, `open` also ConfigurationError."""

    @property
    def target(self) -> str:
        """The target's name for the user, for messages."""

    def open(self) -> None:
        """Check that the target can be written, before anything is read. Nothing becomes visible yet."""

    def write(self, content: bytes) -> None:
        """Write the next bytes."""

    def commit(self) -> None:
        """Make everything that was written visible at once."""

    def discard(self) -> None:
        """Leave the target as it was before `open`. Never raises."""

"""What a sink has to do."""

from typing import Protocol


class Sink(Protocol):
    """A place for the bytes of one report. Every method raises `SinkError`, and nothing else, when it fails."""

    @property
    def target(self) -> str:
        """What the user calls the place, for messages."""

    def open(self) -> None:
        """Prove that the place can be written, before anything is read. Nothing is to be seen there yet."""

    def write(self, content: bytes) -> None:
        """Take the next bytes."""

    def commit(self) -> None:
        """Make everything written visible, whole."""

    def discard(self) -> None:
        """Leave the place as it was before `open`. Never raises."""

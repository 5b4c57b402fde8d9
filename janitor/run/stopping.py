"""A request to stop, made by a signal and read between two pages."""

from dataclasses import dataclass


@dataclass(slots=True)
class Stop:
    """Whether the run was asked to stop, and by which signal.

    Attributes:
        signal: the signal's number, None until one came.
    """

    signal: int | None = None

    def is_requested(self) -> bool:
        """True from the first signal on."""
        return self.signal is not None

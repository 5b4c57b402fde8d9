"""A request to stop: made by a signal, read between two pages, and able to cut a wait for an answer short.

A run that was asked to stop has to end within five seconds. What is under way then gets a part of them.
"""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from janitor.errors import ExitCode, StopRequestedError, signal_exit_code

# From the request on: for the calls in flight, and for what the archive has still to be told of them.
LAST_SECONDS = 3.5
# For whoever hears of the run.
NOTICE_SECONDS = 4.7
# For reports that go to S3.
REPORT_SECONDS = 4.8
# For telling of rows that nothing was done with.
TELL_SECONDS = 4.1
ARCHIVE_SECONDS = 3.9


class Stop:
    """Whether the run was asked to stop.

    Attributes:
        signal: the number of the signal that asked, None until one came.
    """

    def __init__(self, deadline: float | None = None) -> None:
        """Args: in how many seconds the run's deadline comes; None for never."""
        self.signal: int | None = None
        self._ends_at = math.inf if deadline is None else time.monotonic() + deadline
        self._requested_at: float | None = None
        self._is_waiting = False
        self._event = threading.Event()

    def is_requested(self) -> bool:
        """True from the first signal on."""
        return self.signal is not None

    def request(self, number: int) -> None:
        """Ask the run to stop. Called by the signal's handler, in the main thread.

        Raises:
            StopRequestedError: the main thread is waiting for an answer, which may take long.
        """
        self.signal = number
        self._requested_at = time.monotonic()
        self._event.set()
        if self._is_waiting:
            raise StopRequestedError

    @property
    def seconds_left(self) -> float:
        """How many seconds there are until the run's deadline; infinitely many where it has none."""
        return max(0.0, self._ends_at - time.monotonic())

    def is_over(self, seconds: float) -> bool:
        """Whether a request came, and so many seconds have passed since."""
        return self._requested_at is not None and time.monotonic() >= self._requested_at + seconds

    @property
    def is_deadline(self) -> bool:
        """Whether it was the run's own deadline that asked, which comes as an alarm."""
        return self.signal == signal.SIGALRM

    @property
    def exit_code(self) -> int:
        """What the process ends with that was asked to stop."""
        return ExitCode.FAILED if self.is_deadline else signal_exit_code(self.signal or signal.SIGTERM)

    @property
    def why(self) -> str:
        """Who asked, for people: `the deadline came`, `stopped by SIGTERM`."""
        if self.is_deadline:
            return "the deadline came"
        return f"stopped by {signal.Signals(self.signal or signal.SIGTERM).name}"

    def pause(self, seconds: float) -> bool:
        """Wait so long, or until a request comes; True when there is one. For threads other than the main one."""
        return self._event.wait(seconds)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark a wait of the main thread that a request may cut short.

        Raises:
            StopRequestedError: a request came, during the wait or before it.
        """
        self._is_waiting = True
        try:
            if self.signal is not None:
                raise StopRequestedError
            yield
        finally:
            self._is_waiting = False

    @contextmanager
    def cutting_short(self) -> Iterator[None]:
        """Mark a wait as `waiting` does, but go on where a request came before: what follows says so in its report.

        Raises:
            StopRequestedError: a request came during the wait.
        """
        self._is_waiting = not self.is_requested()
        try:
            yield
        finally:
            self._is_waiting = False

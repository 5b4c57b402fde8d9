"""A request to stop a run: made by a signal, checked between pages, and able to interrupt a wait for an answer.

A run that was asked to stop has to end within five seconds. What is under way then may take a part of them.
"""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from janitor.errors import ExitCode, StopRequestedError, signal_exit_code

# Each is a time after the request, at which one kind of work ends.
# The calls in flight, and the outcomes that the archive still has to record for them.
IN_FLIGHT_SECONDS = 3.5
# The archive.
ARCHIVE_SECONDS = 3.9
# The list of rows that nothing was done with.
RECORD_SECONDS = 4.1
# Notices, metrics and the heartbeat.
NOTICE_SECONDS = 4.7
# Reports that go to S3.
REPORT_SECONDS = 4.8


class StopRequest(Protocol):
    """Says whether the run was asked to stop; `Stop` is one."""

    def is_requested(self) -> bool:
        """Whether a stop was requested; called between two pages."""

    def interruptible_wait(self) -> AbstractContextManager[None]:
        """Return a context for the main thread's waits, in which a request may raise StopRequestedError."""

    def pause(self, seconds: float) -> bool:
        """Wait this long, or until a stop is requested; return True if one is. For threads other than the main one."""


class NeverStopped:
    """A `StopRequest` that never comes."""

    def is_requested(self) -> bool:
        """Return False."""
        return False

    def interruptible_wait(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def pause(self, seconds: float) -> bool:
        """Wait the whole time."""
        time.sleep(seconds)
        return False


class Stop:
    """Whether the run was asked to stop.

    Attributes:
        signal: the number of the signal that asked, None until one came.
    """

    def __init__(self, deadline: float | None = None) -> None:
        """Start the run's deadline, which comes after so many seconds; None for no deadline."""
        self.signal: int | None = None
        self._ends_at = math.inf if deadline is None else time.monotonic() + deadline
        self._requested_at: float | None = None
        self._is_waiting = False
        self._event = threading.Event()

    def is_requested(self) -> bool:
        """True from the first signal on."""
        return self.signal is not None

    def request(self, number: int) -> None:
        """Ask the run to stop. The signal handler calls it, in the main thread.

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
        """The seconds until the run's deadline; infinite if it has none."""
        return max(0.0, self._ends_at - time.monotonic())

    def has_passed(self, seconds: float) -> bool:
        """Whether a request came at least so many seconds ago."""
        return self._requested_at is not None and time.monotonic() >= self._requested_at + seconds

    @property
    def is_deadline(self) -> bool:
        """Whether the request came from the run's own deadline, which is an alarm signal."""
        return self.signal == signal.SIGALRM

    @property
    def exit_code(self) -> int:
        """The exit code of a process that was asked to stop."""
        return ExitCode.FAILED if self.is_deadline else signal_exit_code(self.signal or signal.SIGTERM)

    @property
    def reason(self) -> str:
        """The reason, for people: `the deadline came`, `stopped by SIGTERM`."""
        if self.is_deadline:
            return "the deadline came"
        return f"stopped by {signal.Signals(self.signal or signal.SIGTERM).name}"

    def pause(self, seconds: float) -> bool:
        """Wait this long, or until a request comes; True if there is one. For threads other than the main one."""
        return self._event.wait(seconds)

    @contextmanager
    def interruptible_wait(self) -> Iterator[None]:
        """Mark a wait of the main thread that a request may interrupt.

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
    def interruptible_wait_after_request(self) -> Iterator[None]:
        """Mark a wait like `interruptible_wait`, but ignore an earlier request: the report that follows says so.

        Raises:
            StopRequestedError: a request came during the wait.
        """
        self._is_waiting = not self.is_requested()
        try:
            yield
        finally:
            self._is_waiting = False

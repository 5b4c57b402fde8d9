"""Keeps the lease of a table for as long as a sweep of it lasts.

A sweep must have stopped deleting before another run can take the lease over. So the lease counts as lost some time
before it is over (`MARGIN_SECONDS`), measured from before the last renewal that worked was asked for, by a clock that
no one sets.

A lease that is another's need not mean that somebody is at work: its run may have been killed. So whoever is told to
wait looks at it for as long as a lease lasts. One that is renewed meanwhile is left alone; one that is not is nobody's,
whatever time stands in it.
"""

import contextvars
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from janitor.background import answer_of
from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.store.lease import GRAIN_SECONDS, Held, Lease, Leases, nobody
from janitor.store.moments import CHECK_STORE

log = get_logger("janitor.run")

LEASE_SECONDS = 60
RENEW_SECONDS = 15.0  # from one renewal to the next
# Time for what is in flight when the lease is lost.
MARGIN_SECONDS = 20.0
# How often a lease that is another's is looked at, and after how long it is nobody's unless it was renewed.
WATCH_SECONDS = 1.0
ABANDONED_SECONDS = LEASE_SECONDS + GRAIN_SECONDS
# For giving the lease back; one that was not runs out by itself.
RELEASE_SECONDS = 2.0

# Runs on while the machine sleeps, where there is such a clock; Linux's monotonic one does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_NOT_HELD = -math.inf


def seconds_since_boot() -> float:
    """The time of a clock that nobody sets."""
    return time.clock_gettime(_CLOCK)


class LeaseKeeper:
    """Takes the lease, renews it from a thread of its own, and gives it back at the end; to be entered once.

    Entering gives None, or who else has the lease; the block must then leave the table alone:

        with LeaseKeeper(leases, scope, run_id, on_lost) as other:
            if other is None: ...

    Attributes:
        broken: what stood in the lease's place when it was taken, where that can have been no lease.
    """

    def __init__(
        self,
        leases: Leases,
        scope: str,
        holder: str,
        on_lost: Callable[[], object] = lambda: None,
        *,
        attempts_of: str | None = None,
        waits: bool = False,
        goes_on: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = seconds_since_boot,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """Prepare; nothing is asked of the store.

        Args:
            leases: of the store; used from several threads.
            scope: the table, `account/region/table`.
            holder: the run's id.
            attempts_of: of which work the run is an attempt. A lease that is an earlier attempt's is taken over at
                once, for that has ended or is about to lose it.
            waits: whether to see if a lease that is another's is renewed, for up to the time that one lasts.
            goes_on: whether there is time to wait any longer; asked once a second. Where there is none, the lease stays
                the other's.
            on_lost: called once, and in another thread, when the lease is lost within the block. It must not raise.
            clock: seconds, from any moment on; never set back or forth.
            wait: waits for the event, at most so many seconds; returns whether it has come.
        """
        self._leases, self._scope, self._on_lost = leases, scope, on_lost
        self._holder = holder if attempts_of is None else f"{attempts_of}/{holder}"
        self._waits, self._goes_on = waits, goes_on
        self._attempts_of = attempts_of
        self.broken: Held | None = None
        self._clock, self._wait = clock, wait
        self._good_until = _NOT_HELD
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Held | None:
        """Take the lease, or say who has it.

        Raises:
            StoreError: the store cannot be reached, read or written.
        """
        try:
            asked_at, taken = self._take()
        except StoreError:
            raise
        except BaseException:
            # Cut short by a signal: it may be taken or not.
            self._release()
            raise
        if isinstance(taken, Held):
            log.info("lease.held", scope=self._scope, holder=taken.holder, until=taken.until)
            return taken
        log.info("lease.taken", scope=self._scope, holder=self._holder, until=taken.until)
        if taken.broken is not None:
            log.warning("lease.broken", scope=self._scope, holder=taken.broken.holder, until=taken.broken.until)
        self.broken = taken.broken
        self._good_until = _good_from(asked_at)
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._run,), daemon=True, name="lease"
        )
        self._thread.start()
        return None

    def other(self) -> Held | None:
        """Who else has the lease at present, looking only; None for nobody.

        Raises:
            StoreError: the store cannot be reached or read.
        """
        held = self._leases.holder(self._scope)
        return None if held is None or held.holder == self._holder else held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Give the lease back. What fails of that is logged, and takes two seconds at most."""
        if self._thread is None:
            return
        self._ended.set()
        self._thread.join(RELEASE_SECONDS)
        self._lose()
        self._release()

    def broken_warning(self, right: str) -> tuple[Remark, ...]:
        """The warning that the lease was taken over from a record that no run can have left; nothing where it was not.

        Args:
            right: what the lease gives, in words: `the lease of the table`.
        """
        if self.broken is None:
            return ()
        message = (
            f"the state store said that run {self.broken.printable_holder} has {right} {self.broken.until_words()}, "
            f"which can be true of no run, so it was taken over; {CHECK_STORE}"
        )
        return (Remark(where="lease", code="broken", message=message),)

    def is_held(self) -> bool:
        """Whether the lease is ours, and will be for a while. Once it is not, it never is again."""
        with self._lock:
            if self._clock() >= self._good_until:
                self._good_until = _NOT_HELD
            return self._good_until != _NOT_HELD

    def _take(self) -> tuple[float, Lease | Held]:
        """The lease, or who has it and is at work; and when that was asked for."""
        asked_at, taken = self._ask(self._is_of_earlier_attempt)
        if not self._waits or isinstance(taken, Lease):
            return asked_at, taken
        found, abandoned_at = taken, self._clock() + ABANDONED_SECONDS
        log.info("lease.watched", scope=self._scope, holder=found.holder, until=found.until)
        while taken == found and asked_at < abandoned_at and self._goes_on():
            self._wait(self._ended, WATCH_SECONDS)
            asked_at, taken = self._ask(found.__eq__ if self._clock() >= abandoned_at else nobody)
        return asked_at, taken

    def _ask(self, may_take_over: Callable[[Held], bool]) -> tuple[float, Lease | Held]:
        asked_at = self._clock()
        return asked_at, self._leases.take(self._scope, self._holder, LEASE_SECONDS, may_take_over)

    def _is_of_earlier_attempt(self, held: Held) -> bool:
        return self._attempts_of is not None and held.holder.rpartition("/")[0] == self._attempts_of

    def _run(self) -> None:
        try:
            self._keep()
        finally:
            # However renewing has come to an end before the block did: nobody renews any more.
            if not self._ended.is_set():
                self._lose()
                log.error("lease.lost", scope=self._scope, holder=self._holder)
                self._on_lost()

    def _keep(self) -> None:
        """Renew until the block ends, or the lease is lost."""
        while self.is_held():
            left = self._good_until - self._clock()
            if self._wait(self._ended, max(0.0, min(RENEW_SECONDS, left))):
                break
            if self.is_held() and not self._renew():
                break

    def _renew(self) -> bool:
        """Ask for a renewal; False where the lease is another's. One that fails is asked for again later."""
        asked_at = self._clock()
        try:
            # None when it hangs: whatever comes of it, the lease is not held any more by then.
            is_ours = answer_of(
                lambda: self._leases.renew(self._scope, self._holder, LEASE_SECONDS),
                lambda: self._ended.is_set() or not self.is_held(),
            )
        except StoreError as error:
            log.warning("lease.not_renewed", scope=self._scope, code=error.code, error=str(error))
            return True
        with self._lock:
            if is_ours and self._clock() < self._good_until:
                self._good_until = _good_from(asked_at)
        return is_ours is not False

    def _lose(self) -> None:
        with self._lock:
            self._good_until = _NOT_HELD

    def _release(self) -> None:
        until = self._clock() + RELEASE_SECONDS
        try:
            is_released = answer_of(self._released, lambda: self._clock() >= until)
        except StoreError as error:
            log.warning("lease.left", scope=self._scope, code=error.code, error=str(error))
            return
        if not is_released:
            log.warning("lease.left", scope=self._scope, code="no-answer", error=f"{self._leases.location} hangs")

    def _released(self) -> bool:
        self._leases.release(self._scope, self._holder)
        return True


def _good_from(asked_at: float) -> float:
    """Until when the lease counts as held."""
    return asked_at + LEASE_SECONDS - MARGIN_SECONDS

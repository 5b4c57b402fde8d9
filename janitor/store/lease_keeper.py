"""Keeps a lease for as long as a block lasts, for example the lease of a table while it is swept.

A sweep must have stopped deleting before another run can take the lease over. So the lease counts as lost some time
before it runs out (`MARGIN_SECONDS`). That time is measured from just before the request for the last successful
renewal, by a clock that nobody sets.

A lease that another run has does not mean that the run is at work: it may have been killed. So a keeper may watch such
a lease for as long as one lasts. If it is renewed meanwhile, it is left alone; if not, it is taken over, whatever time
stands in it.
"""

import contextvars
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from janitor.background import wait_for_answer
from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.store.lease import CLOCK_GRAIN_SECONDS, LeaseRecord, Leases, OwnLease, never_take_over
from janitor.store.record_times import CHECK_STORE

log = get_logger("janitor.run")

LEASE_SECONDS = 60
RENEW_SECONDS = 15.0  # from one renewal to the next
# Time for what is in flight when the lease is lost.
MARGIN_SECONDS = 20.0
# How often another run's lease is read while it is watched, and after how long it may be taken over unless renewed.
WATCH_SECONDS = 1.0
ABANDONED_SECONDS = LEASE_SECONDS + CLOCK_GRAIN_SECONDS
# At most so long is spent on giving the lease back; a lease that was not given back runs out by itself.
RELEASE_SECONDS = 2.0

# A clock that goes on while the machine sleeps, where there is one; Linux's monotonic clock does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_NOT_HELD = -math.inf


def seconds_since_boot() -> float:
    """The time of a clock that nobody sets."""
    return time.clock_gettime(_CLOCK)


class LeaseClaim(NamedTuple):
    """Which lease a run claims, and in whose name.

    Attributes:
        scope: what the lease is for: the table, `account/region/table`.
        run_id: the run's id.
        attempts_of: the name of the work that the run is an attempt of. The lease of an earlier attempt is taken over
            at once, because that attempt has ended or is about to lose it. None if the work is not repeated.
    """

    scope: str
    run_id: str
    attempts_of: str | None = None

    @property
    def holder(self) -> str:
        """How the store names whoever has the lease."""
        return self.run_id if self.attempts_of is None else f"{self.attempts_of}/{self.run_id}"

    def is_earlier_attempt(self, held: LeaseRecord) -> bool:
        """Whether the lease is that of an earlier attempt at the same work."""
        return self.attempts_of is not None and held.holder.rpartition("/")[0] == self.attempts_of


class LeaseKeeper:
    """Takes the lease, renews it from a thread of its own, and gives it back at the end; to be entered once.

    Entering returns None, or the lease of another run; the block must then leave the table alone:

        with LeaseKeeper(leases, LeaseClaim(scope, run_id), on_lost) as other:
            if other is None: ...

    Attributes:
        broken: the record that was replaced when the lease was taken, if no run can have left it.
    """

    def __init__(
        self,
        leases: Leases,
        claim: LeaseClaim,
        on_lost: Callable[[], object] = lambda: None,
        *,
        wait_while: Callable[[], bool] | None = None,
        clock: Callable[[], float] = seconds_since_boot,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """Prepare; nothing is asked of the store.

        Args:
            leases: the store's leases; used from several threads.
            claim: which lease, and for which run.
            on_lost: called once, from another thread, when the lease is lost within the block. It must not raise.
            wait_while: whether there is time to wait for another run, asked once a second. The keeper watches that
                run's lease for up to the time that one lasts. None to leave it alone at once.
            clock: seconds since any moment; never set back or forth.
            wait: waits for the event, at most so many seconds; returns whether it has come.
        """
        self._leases, self._claim, self._on_lost = leases, claim, on_lost
        self._scope, self._holder = claim.scope, claim.holder
        self._wait_while = wait_while
        self.broken: LeaseRecord | None = None
        self._clock, self._wait = clock, wait
        self._held_until = _NOT_HELD
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LeaseRecord | None:
        """Take the lease, or return the lease of another run.

        Raises:
            StoreError: the store cannot be reached, read or written.
        """
        try:
            asked_at, answer = self._take_or_watch()
        except StoreError:
            raise
        except BaseException:
            # A signal came in the middle: the lease may have been taken or not.
            self._release()
            raise
        if isinstance(answer, LeaseRecord):
            log.info("lease.held", scope=self._scope, holder=answer.holder, until=answer.until)
            return answer
        log.info("lease.taken", scope=self._scope, holder=self._holder, until=answer.until)
        if answer.broken is not None:
            log.warning("lease.broken", scope=self._scope, holder=answer.broken.holder, until=answer.broken.until)
        self.broken = answer.broken
        self._held_until = _end_of_holding(asked_at)
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._renew_until_end,), daemon=True, name="lease"
        )
        self._thread.start()
        return None

    def find_other_holder(self) -> LeaseRecord | None:
        """Read the lease that another run has at present, without taking it; None if no other run has it.

        Raises:
            StoreError: the store cannot be reached or read.
        """
        held = self._leases.find_holder(self._scope)
        return None if held is None or held.holder == self._holder else held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Give the lease back, within two seconds. A failure is only logged."""
        if self._thread is None:
            return
        self._ended.set()
        self._thread.join(RELEASE_SECONDS)
        self._mark_lost()
        self._release()

    def describe_broken(self, what: str) -> str | None:
        """Describe the record that was replaced although no run can have left it; None if there was none.

        Args:
            what: what the lease is, in words: `the lease of the table`.
        """
        if self.broken is None:
            return None
        return (
            f"the state store {self._leases.location} held an impossible record of {what} (run "
            f"{self.broken.printable_holder}, {self.broken.until_words()}); it was ignored and replaced; {CHECK_STORE}"
        )

    def is_held(self) -> bool:
        """Whether the lease is ours, and will be for a while. Once it is not, it never is again."""
        with self._lock:
            if self._clock() >= self._held_until:
                self._held_until = _NOT_HELD
            return self._held_until != _NOT_HELD

    def _take_or_watch(self) -> tuple[float, OwnLease | LeaseRecord]:
        """Take the lease; return when it was asked for, and the lease or that of another run that is at work."""
        asked_at, answer = self._take_once(self._claim.is_earlier_attempt)
        if self._wait_while is None or isinstance(answer, OwnLease):
            return asked_at, answer
        watched, abandoned_at = answer, self._clock() + ABANDONED_SECONDS
        log.info("lease.watched", scope=self._scope, holder=watched.holder, until=watched.until)
        while answer == watched and asked_at < abandoned_at and self._wait_while():
            self._wait(self._ended, WATCH_SECONDS)
            asked_at, answer = self._take_once(watched.__eq__ if self._clock() >= abandoned_at else never_take_over)
        return asked_at, answer

    def _take_once(self, may_take_over: Callable[[LeaseRecord], bool]) -> tuple[float, OwnLease | LeaseRecord]:
        asked_at = self._clock()
        return asked_at, self._leases.take(self._scope, self._holder, LEASE_SECONDS, may_take_over)

    def _renew_until_end(self) -> None:
        try:
            self._renew_while_held()
        finally:
            # Renewing has ended before the block did, for whatever reason: the lease will run out.
            if not self._ended.is_set():
                self._mark_lost()
                log.error("lease.lost", scope=self._scope, holder=self._holder)
                self._on_lost()

    def _renew_while_held(self) -> None:
        """Renew until the block ends, or the lease is lost."""
        while self.is_held():
            left = self._held_until - self._clock()
            if self._wait(self._ended, max(0.0, min(RENEW_SECONDS, left))):
                break
            if self.is_held() and not self._renew():
                break

    def _renew(self) -> bool:
        """Ask for a renewal; False if the lease is another's. One that fails is asked for again later."""
        asked_at = self._clock()
        try:
            # None when it hangs: by then the lease counts as lost, whatever the answer would be.
            is_ours = wait_for_answer(
                lambda: self._leases.renew(self._scope, self._holder, LEASE_SECONDS),
                lambda: self._ended.is_set() or not self.is_held(),
            )
        except StoreError as error:
            log.warning("lease.not_renewed", scope=self._scope, code=error.code, error=str(error))
            return True
        with self._lock:
            if is_ours and self._clock() < self._held_until:
                self._held_until = _end_of_holding(asked_at)
        return is_ours is not False

    def _mark_lost(self) -> None:
        with self._lock:
            self._held_until = _NOT_HELD

    def _release(self) -> None:
        until = self._clock() + RELEASE_SECONDS
        try:
            is_released = wait_for_answer(self._release_once, lambda: self._clock() >= until)
        except StoreError as error:
            log.warning("lease.left", scope=self._scope, code=error.code, error=str(error))
            return
        if not is_released:
            log.warning("lease.left", scope=self._scope, code="no-answer", error=f"{self._leases.location} hangs")

    def _release_once(self) -> bool:
        self._leases.release(self._scope, self._holder)
        return True


def _end_of_holding(asked_at: float) -> float:
    """Until when a lease that was asked for at `asked_at` counts as held."""
    return asked_at + LEASE_SECONDS - MARGIN_SECONDS

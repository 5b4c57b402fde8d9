"""The right to sweep a table, which one run has at a time, as a record of the store.

The time is the store's own. This machine's clock, which may be hours off, neither ends another run's lease nor makes
its own longer. A lease is written only where what was read a moment ago still stands: of two that saw the same one run
out, the second finds it changed.
"""

from collections.abc import Callable
from typing import NamedTuple

from janitor.errors import StoreError
from janitor.store.interface import RecordChange, RecordReading
from janitor.store.moments import can_be_written, moment_in
from janitor.store.records import Store, encoded, fields_in
from janitor.tokens.printable import printable
from janitor.tokens.redact import cut, without_keys
from janitor.tokens.times import second_of, time_of

# The servers' clocks are read in whole seconds. A lease lasts one more than was asked for, so that it is never over
# early in anybody's eyes, whether the second of the one clock is cut and that of the other rounded up.
GRAIN_SECONDS = 1

# How long the record of a lease that is over stays in the store; more than clocks can be apart.
_KEPT_SECONDS = 7 * 86_400
_LEASE = "lease"


class Held(NamedTuple):
    """A lease that another run has.

    Attributes:
        holder: the id of that run; empty where none can be read.
        until: the UNIX second of the store's clock from which on the lease can be taken over, unless it is renewed;
            None where no time can be read.
    """

    holder: str
    until: int | None

    @classmethod
    def of(cls, holder: object, until: object) -> "Held":
        """What a store holds, whatever that is: only a text names a run, and only a second up to the year 9999 a time.

        Args:
            holder: a text, where all is well.
            until: a whole number, where all is well.
        """
        return cls(holder if isinstance(holder, str) else "", moment_in(until) if isinstance(until, int) else None)

    @property
    def printable_holder(self) -> str:
        """The run's id, fit to be printed: whoever can write to the store can write anything there."""
        return printable(cut(without_keys(self.holder))) or "?"

    def until_words(self) -> str:
        """When the lease is over, for people: `until 2026-09-21 17:13:00 UTC`."""
        if self.until is None:
            return "until no time that can be read"
        return f"until {second_of(time_of(self.until))} UTC"

    def is_broken(self, now: int) -> bool:
        """Whether it is no lease that a run can have taken, by the store's present UNIX second.

        A lease lasts a minute, which is as good as nothing beside what clocks may differ by.
        """
        return not self.holder or not can_be_written(self.until, now)

    def is_over(self, now: int) -> bool:
        """Whether anybody may take it, by the store's present UNIX second."""
        return self.is_broken(now) or (self.until is not None and self.until <= now)

    def is_free_for(self, holder: str, now: int, may_take_over: Callable[["Held"], bool]) -> bool:
        """Whether a run may take it.

        Args:
            holder: the run's id. One that is the holder's may be what the last try left, whose answer was lost.
            now: the store's present UNIX second.
            may_take_over: whether the run knows that nobody is at work any more.
        """
        return self.holder == holder or self.is_over(now) or may_take_over(self)


class Lease(NamedTuple):
    """A lease that is the caller's now.

    Attributes:
        scope: the table that it is for, `account/region/table`.
        holder: the id of the run that has it.
        until: the UNIX second of the store's clock from which on another may take it.
        broken: what stood in its place, where that can have been no lease.
    """

    scope: str
    holder: str
    until: int
    broken: Held | None = None


def nobody(_: Held) -> bool:
    """Take no lease over that is not over."""
    return False


class Leases:
    """The leases of any number of tables, at most one of each.

    Threads may share them. Every method raises StoreError where the store cannot be reached, read or written; it names
    the store and the way out.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
    """

    def __init__(self, store: Store) -> None:
        """Args: where the records of the leases are."""
        self._store = store
        self.location = store.location

    def take(
        self, scope: str, holder: str, seconds: int, may_take_over: Callable[[Held], bool] = nobody
    ) -> Lease | Held:
        """Take the lease where `Held.is_free_for` says so, or nobody has it.

        Of several that try at once one gets it. A try whose answer was lost has taken it all the same.

        Args:
            scope: the table, `account/region/table`.
            holder: the run's id, which no other run has.
            seconds: how long it lasts from now on.
            may_take_over: whether a lease that is another's, and not over, may be taken.
        """
        for reading in self._store.readings(scope, [_LEASE]):
            held, now = _held(reading), self._now(reading)
            if held is not None and not held.is_free_for(holder, now, may_take_over):
                return held
            until = now + GRAIN_SECONDS + seconds
            if self._hold(scope, holder, until, reading):
                break
        return Lease(scope, holder, until, held if held is not None and held.is_broken(now) else None)

    def holder(self, scope: str) -> Held | None:
        """Who has the lease at present; None for nobody. Nothing is made or written, not even the store."""
        reading = self._store.read(scope, [_LEASE])
        held = _held(reading)
        return None if held is None or held.is_over(self._now(reading)) else held

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """Let the lease last so many seconds from now on.

        One whose time has passed is renewed too, as long as nobody has taken it over. Whoever watches the lease sees
        that it was renewed, for its time is another then, earlier or later. A try that arrives late, when the lease has
        been renewed since, does not find what it read, and changes nothing.

        Returns:
            False where it is not the holder's any more.
        """
        for reading in self._store.readings(scope, [_LEASE]):
            if not _is_of(holder, reading):
                return False
            if self._hold(scope, holder, self._now(reading) + GRAIN_SECONDS + seconds, reading):
                break
        return True

    def release(self, scope: str, holder: str) -> None:
        """Give the lease back, if it is the holder's; that of another stays."""
        for reading in self._store.readings(scope, [_LEASE]):
            change = RecordChange(_LEASE, None, expected=reading.records.get(_LEASE))
            if not _is_of(holder, reading) or self._store.write(scope, [change]):
                break

    def _hold(self, scope: str, holder: str, until: int, reading: RecordReading) -> bool:
        """Write the lease where it still is as it was read, False where it is not."""
        content = encoded({"holder": holder, "until": until})
        change = RecordChange(_LEASE, content, until + _KEPT_SECONDS, reading.records.get(_LEASE))
        return self._store.write(scope, [change])

    def _now(self, reading: RecordReading) -> int:
        if reading.now is None:
            sentence = f"{self._store.place} answers without a date, by which a lease is told to be over"
            raise StoreError(sentence, "see what changes answers between here and the table", "no-date")
        return reading.now


def _held(reading: RecordReading) -> Held | None:
    record = reading.records.get(_LEASE)
    if record is None:
        return None
    fields = fields_in(record.content)
    return Held.of(fields.get("holder"), fields.get("until"))


def _is_of(holder: str, reading: RecordReading) -> bool:
    held = _held(reading)
    return held is not None and held.holder == holder

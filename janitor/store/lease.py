"""Leases: a right that one run has at a time, for example to sweep a table, as a record of the store.

Time is that of the store's clock. The local clock, which may be hours off, neither ends another run's lease nor makes
its own longer. A lease is written only if the record is still as it was read: of two runs that saw the same lease run
out, the second finds it changed.
"""

from collections.abc import Callable
from typing import NamedTuple

from janitor.errors import StoreError
from janitor.store.interface import RecordChange, RecordReading
from janitor.store.record_times import is_plausible, second_in
from janitor.store.records import Store, decode_fields, encode_fields
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys, shorten_text
from janitor.tokens.times import format_second, time_of

# The servers' clocks are read in whole seconds. A lease lasts one second longer than was asked for, so that it never
# seems to end early, even if one clock is truncated and the other rounded up.
CLOCK_GRAIN_SECONDS = 1

# How long the record of an expired lease stays in the store; longer than clocks can differ.
_KEPT_SECONDS = 7 * 86_400
_LEASE = "lease"


class LeaseRecord(NamedTuple):
    """A lease as the store has it, in most cases that of another run.

    Attributes:
        holder: names the run that has it; empty if that cannot be read.
        until: the UNIX second of the store's clock from which on the lease may be taken over, unless it is renewed;
            None if it cannot be read.
    """

    holder: str
    until: int | None

    @classmethod
    def of(cls, holder: object, until: object) -> "LeaseRecord":
        """Make one of whatever the store holds; what is not valid becomes empty, or None.

        Args:
            holder: a text, if all is well.
            until: a whole number up to the year 9999, if all is well.
        """
        return cls(holder if isinstance(holder, str) else "", second_in(until) if isinstance(until, int) else None)

    @property
    def printable_holder(self) -> str:
        """The run's id, made printable, because whoever can write to the store can write anything there."""
        return printable(shorten_text(remove_keys(self.holder))) or "?"

    def until_words(self) -> str:
        """When the lease ends, for people: `until 2026-09-21 17:13:00 UTC`."""
        if self.until is None:
            return "with an unreadable end time"
        return f"until {format_second(time_of(self.until))} UTC"

    def is_broken(self, now: int) -> bool:
        """Whether no run can have left this record, by the store's present UNIX second.

        A lease lasts a minute, which is little compared with how far clocks may differ.
        """
        return not self.holder or not is_plausible(self.until, now)

    def is_expired(self, now: int) -> bool:
        """Whether any run may take it, by the store's present UNIX second."""
        return self.is_broken(now) or (self.until is not None and self.until <= now)

    def is_free_for(self, holder: str, now: int, may_take_over: Callable[["LeaseRecord"], bool]) -> bool:
        """Whether a run may take it.

        Args:
            holder: names the run. It may have the lease already, if the answer to its last try was lost.
            now: the store's present UNIX second.
            may_take_over: whether the run knows that the lease's holder is not at work any more.
        """
        return self.holder == holder or self.is_expired(now) or may_take_over(self)


class OwnLease(NamedTuple):
    """A lease that the caller has now.

    Attributes:
        scope: what it is for, `account/region/table`.
        holder: names the run that has it.
        until: the UNIX second of the store's clock from which on another run may take it.
        broken: the record that it replaced, if no run can have left that.
    """

    scope: str
    holder: str
    until: int
    broken: LeaseRecord | None = None


def never_take_over(_: LeaseRecord) -> bool:
    """Take over no lease before it runs out."""
    return False


class Leases:
    """The leases of any number of scopes, at most one of each.

    Threads may share them. Every method raises StoreError where the store cannot be reached, read or written; it names
    the store and what to do.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
    """

    def __init__(self, store: Store) -> None:
        """Prepare; `store` keeps the records."""
        self._store = store
        self.location = store.location

    def take(
        self, scope: str, holder: str, seconds: int, may_take_over: Callable[[LeaseRecord], bool] = never_take_over
    ) -> OwnLease | LeaseRecord:
        """Take the lease if no run has it, or `LeaseRecord.is_free_for` allows it.

        Of several runs that try at once, one gets it. A try may take it although its answer is lost.

        Args:
            scope: what it is for, `account/region/table`.
            holder: names the run, different for every run.
            seconds: how long it lasts from now on.
            may_take_over: whether another run's lease may be taken before it runs out.

        Returns:
            the lease, or that of another run.
        """
        for reading in self._store.readings(scope, [_LEASE]):
            held, now = _decode_lease(reading), self._now_of(reading)
            if held is not None and not held.is_free_for(holder, now, may_take_over):
                return held
            until = now + CLOCK_GRAIN_SECONDS + seconds
            if self._write_lease(scope, holder, until, reading):
                break
        return OwnLease(scope, holder, until, held if held is not None and held.is_broken(now) else None)

    def find_holder(self, scope: str) -> LeaseRecord | None:
        """Read who has the lease at present; None for nobody. Writes nothing, and does not create the store."""
        reading = self._store.read(scope, [_LEASE])
        held = _decode_lease(reading)
        return None if held is None or held.is_expired(self._now_of(reading)) else held

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """Let the lease last so many seconds from now on.

        A lease that has run out is renewed too, as long as no other run has taken it. A run that watches the lease sees
        the renewal, because it changes the time, to an earlier or a later one. A try that arrives late, after the next
        renewal, does not find what it read, and changes nothing.

        Returns:
            False if the holder does not have it any more.
        """
        for reading in self._store.readings(scope, [_LEASE]):
            if not _is_held_by(holder, reading):
                return False
            if self._write_lease(scope, holder, self._now_of(reading) + CLOCK_GRAIN_SECONDS + seconds, reading):
                break
        return True

    def release(self, scope: str, holder: str) -> None:
        """Give the lease back, if the holder has it; that of another run stays."""
        for reading in self._store.readings(scope, [_LEASE]):
            change = RecordChange(_LEASE, None, expected=reading.records.get(_LEASE))
            if not _is_held_by(holder, reading) or self._store.write(scope, [change]):
                break

    def _write_lease(self, scope: str, holder: str, until: int, reading: RecordReading) -> bool:
        """Write the lease if the record is still as it was read; False if it is not."""
        content = encode_fields({"holder": holder, "until": until})
        change = RecordChange(_LEASE, content, until + _KEPT_SECONDS, reading.records.get(_LEASE))
        return self._store.write(scope, [change])

    def _now_of(self, reading: RecordReading) -> int:
        if reading.now is None:
            sentence = f"{self._store.place} answers without a date, which is needed to know when a lease ends"
            raise StoreError(sentence, "look for a proxy that changes the answers of the table", "no-date")
        return reading.now


def _decode_lease(reading: RecordReading) -> LeaseRecord | None:
    record = reading.records.get(_LEASE)
    if record is None:
        return None
    fields = decode_fields(record.content)
    return LeaseRecord.of(fields.get("holder"), fields.get("until"))


def _is_held_by(holder: str, reading: RecordReading) -> bool:
    held = _decode_lease(reading)
    return held is not None and held.holder == holder

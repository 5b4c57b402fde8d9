"""Checks times read from a store. Anything may stand there, so a time counts only if a run can have left it.

A run leaves no time before UNIX time, and none later than now, except for a day by which clocks may differ. A record
with another time counts as absent when it is read, and is replaced when it is written.
"""

from typing import NamedTuple

from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND

# How long something is remembered after it was last written: longer than any horizon, and no longer than it is useful.
REMEMBER_SECONDS = 400 * 86_400

# How far ahead of now a time may be that a run has written: the clocks of machines that share a store differ by less.
MAX_AHEAD_SECONDS = 86_400

# What to do about a time that no run can have left.
CHECK_STORE = "check the clocks of the machines that share the store, and what writes to it"


def second_in(value: object) -> int | None:
    """Return the whole UNIX second in a value; None if it is not a number, or outside the years 1 to 9999.

    Args:
        value: a number, or the text of one as in DynamoDB, if all is well.
    """
    if not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        try:
            number = int(float(value))
        except (ValueError, OverflowError):
            return None
    return number if FIRST_SECOND <= number <= LAST_SECOND else None


def is_plausible(moment: int | None, now: int, ahead: int = 0) -> bool:
    """Whether a run can have left this time by the UNIX second `now`; it may lie `ahead` seconds later than that."""
    return moment is not None and 0 <= moment <= now + ahead + MAX_AHEAD_SECONDS


class BrokenRecord(NamedTuple):
    """A record that no run can have left.

    Attributes:
        what: what it is, in words, for example "a mark".
        moment: the impossible time; None if it has none that can be read.
    """

    what: str
    moment: int | None


class BrokenRecords:
    """Records that no run can have left: the first that was read, and whether there are more.

    Attributes:
        first: the first one; None if there is none.
        are_more: whether there is another.
    """

    def __init__(self) -> None:
        self.first: BrokenRecord | None = None
        self.are_more = False
        self._name = ""

    def add(self, name: str, what: str, moment: int | None) -> None:
        """Add one. `name` identifies it, because it may be read several times."""
        if self.first is None:
            self.first, self._name = BrokenRecord(what, moment), name
        elif name != self._name:
            self.are_more = True


class RecordCheck:
    """Checks whether a record is valid, expired, or one that no run can have left.

    Attributes:
        now: the run's UNIX second.
        latest: the present UNIX second; later than `now` where a run tells what was found long before.
        broken: the records that no run can have left.
    """

    def __init__(self, broken: BrokenRecords, now: int, latest: int) -> None:
        """Prepare.

        Args:
            broken: where broken records are noted.
            now: the run's UNIX second.
            latest: the present UNIX second.
        """
        self.broken = broken
        self.now, self.latest = now, max(now, latest)

    def times_of(self, name: str, what: str, until: object, *written: object) -> tuple[int, ...] | None:
        """Return the times of a valid record, in this order; None for one that counts as absent.

        Args:
            name: identifies the record.
            what: what it is, in words.
            until: when it expires, as the store has it.
            written: when it was written, as the store has it; any number of times.
        """
        over_at, moments = second_in(until), tuple(second_in(each) for each in written)
        if over_at is not None and 0 <= over_at <= self.now:
            return None
        for moment in moments:
            if not is_plausible(moment, self.latest):
                self.broken.add(name, what, moment)
                return None
        if not is_plausible(over_at, self.latest, REMEMBER_SECONDS):
            self.broken.add(name, what, over_at)
            return None
        return tuple(moment for moment in (over_at, *moments) if moment is not None)

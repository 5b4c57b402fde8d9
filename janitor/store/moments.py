"""Times in a store: whoever can write to it can write anything there, so a time counts only if a run can have left it.

What a run has left is not from before UNIX time, and not from later than now, but for a day by which clocks may differ.
A record with another time is absent to whoever reads it, and is replaced by whoever writes it.
"""

from typing import NamedTuple

from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND

# How long something is remembered after it was last written: longer than any horizon, and no longer than it is of use.
REMEMBER_SECONDS = 400 * 86_400

# How far ahead a time may be that a run has written: clocks of machines that share a store differ by less.
MOST_AHEAD_SECONDS = 86_400


# The way out of a time that no run can have left.
CHECK_STORE = "check the clocks of the machines that share the store, and what writes to it"


def moment_in(value: object) -> int | None:
    """The UNIX second that a store holds, without fractions; None for what is no number or no time of a calendar.

    Args:
        value: a number, where all is well; or the text of one, as DynamoDB has it.
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


def can_be_written(moment: int | None, now: int, ahead: int = 0) -> bool:
    """Whether a run can have left this time by the UNIX second `now`; of one that lies ahead, `ahead` says how far."""
    return moment is not None and 0 <= moment <= now + ahead + MOST_AHEAD_SECONDS


class BrokenRecord(NamedTuple):
    """A record that no run can have left.

    Attributes:
        what: in words, for example "a mark".
        moment: the time that gives it away; None where it has none that can be read.
    """

    what: str
    moment: int | None


class BrokenRecords:
    """Records that a run has met and that no run can have left: the first, and whether there are more.

    Attributes:
        first: the first one; None where all were well.
        are_more: whether there was another.
    """

    def __init__(self) -> None:
        self.first: BrokenRecord | None = None
        self.are_more = False
        self._name = ""

    def add(self, name: str, what: str, moment: int | None) -> None:
        """Take one, by the name that tells it from others; it may be met several times."""
        if self.first is None:
            self.first, self._name = BrokenRecord(what, moment), name
        elif name != self._name:
            self.are_more = True


class RecordCheck:
    """Tells the records that stand from those that are past their time, and from those that no run can have left.

    Attributes:
        now: the run's UNIX second.
        latest: the present one, which is later where a run tells what was found long before.
        broken: what no run can have left.
    """

    def __init__(self, broken: BrokenRecords, now: int, latest: int) -> None:
        """Args: where broken records are noted; and the times."""
        self.broken = broken
        self.now, self.latest = now, max(now, latest)

    def times_of(self, name: str, what: str, until: object, *written: object) -> tuple[int, ...] | None:
        """The times of a record that stands, in this order; None for one that is absent.

        Args:
            name: tells it from other records.
            what: says what it is, in words.
            until: from when on it is past its time, as the store has it.
            written: when it was written, as the store has it.
        """
        over_at, moments = moment_in(until), tuple(moment_in(each) for each in written)
        if over_at is not None and 0 <= over_at <= self.now:
            return None
        for moment in moments:
            if not can_be_written(moment, self.latest):
                self.broken.add(name, what, moment)
                return None
        if not can_be_written(over_at, self.latest, REMEMBER_SECONDS):
            self.broken.add(name, what, over_at)
            return None
        return tuple(moment for moment in (over_at, *moments) if moment is not None)

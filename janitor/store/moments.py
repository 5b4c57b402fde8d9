"""Times in a store: whoever can write to it can write anything there, so a time counts only if a run can have left it.

What a run has left is not from before UNIX time, and not from later than now, but for a day by which clocks may differ.
A record with another time is absent to whoever reads it, and is replaced by whoever writes it.
"""

from typing import NamedTuple

from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND

# How far ahead a time may be that a run has written: clocks of machines that share a store differ by less.
MOST_AHEAD_SECONDS = 86_400


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

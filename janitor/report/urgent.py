"""Which findings a report has room for, whichever order they come in: the most urgent, and a few of each state.

Each is kept as one line of bytes, its place in the order first. As Python objects, some twenty a row, those of a few
rows of every page would lie scattered among what was freed of the page, and all that comes after take half as long
again.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from janitor.tokens.classify import State

# How many of each state a report lists at least, where there is room for as many.
LEAST_OF_A_STATE = 20

Rank = tuple[int, bool, int]
"""How urgent a finding is, the most urgent first: what `janitor.report.build.finding_urgency` says of it."""

# Distances of more digits, which no calendar knows, count as equal.
_FARTHEST = 10**39 - 1

_T = TypeVar("_T")


class MostUrgent:
    """The most urgent lines, at most `limit` of them; equals by their keys, so that every run tells them alike."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._lines: list[bytes] = []
        self._worst: Rank | None = None

    def wants(self, rank: Rank) -> bool:
        """Whether there may be room for one that is so urgent."""
        return self._limit > 0 and (self._worst is None or rank <= self._worst)

    def add(self, line: bytes) -> None:
        """Keep a line (`line_of`), unless there are enough more urgent ones already."""
        self._lines.append(line)
        # A quarter over the limit before each sort: a sort a row would be slow, and keeping all would not be flat.
        if len(self._lines) >= self._room:
            self._worst = _rank_of(self.lines()[-1])

    def lines(self) -> list[bytes]:
        """Those that are left, most urgent first."""
        self._lines.sort()
        del self._lines[self._limit :]
        return self._lines


class Shortlist(Generic[_T]):
    """The most urgent findings, at most `limit` of them, and a few of each state among them.

    Of each state a few, so that ten thousand tokens about to expire do not hide the one that a slip of the hand made
    valid for ever. The shortlist of several shortlists is that of everything they were made from, if none of theirs is
    shorter.
    """

    def __init__(self, limit: int, encode: Callable[[_T], bytes], decode: Callable[[bytes], _T]) -> None:
        """Prepare.

        Args:
            limit: how many are listed at most.
            encode: puts one into bytes without a NUL, as JSON is.
            decode: the way back.
        """
        self._limit, self._encode, self._decode = limit, encode, decode
        self._urgent = MostUrgent(limit)
        least = min(LEAST_OF_A_STATE, limit // len(State))
        self._of_state = {state: MostUrgent(least) for state in State}

    def offer(self, state: State, rank: Rank, key: str, one: _T) -> None:
        """Keep it, unless there are enough more urgent ones already, of its state too."""
        wanting = [each for each in (self._urgent, self._of_state[state]) if each.wants(rank)]
        if wanting:
            line = line_of(rank, key, self._encode(one))
            for each in wanting:
                each.add(line)

    def sorted(self) -> list[_T]:
        """Those that are listed, most urgent first."""
        some = {line for state in State for line in self._of_state[state].lines()}
        room = max(0, self._limit - len(some))
        others = [line for line in self._urgent.lines() if line not in some][:room]
        return [self._decode(line.rpartition(b"\0")[2]) for line in sorted((*some, *others))]


def line_of(rank: Rank, key: str, content: bytes) -> bytes:
    """A finding as it is kept: its place in the order, its key, and, behind a NUL, what is kept of it."""
    state, is_refused, distance = rank
    return b"%02d%d%039d%b\0%b" % (state, is_refused, min(distance, _FARTHEST), key.encode(), content)


def _rank_of(line: bytes) -> Rank:
    return int(line[:2]), line[2:3] == b"1", int(line[3:42])

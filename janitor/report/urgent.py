"""Which findings a report has room for, whichever order they come in: the most urgent, and a few of each state."""

from collections.abc import Iterator
from operator import itemgetter
from typing import Generic, TypeVar

from janitor.tokens.classify import State

# How many of each state a report lists at least, where there is room for as many.
LEAST_OF_A_STATE = 20

Rank = tuple[int, bool, int]
"""How urgent a finding is, the most urgent first: what `janitor.report.build.urgency` says of it."""

_T = TypeVar("_T")

_by_rank_and_key = itemgetter(0, 1)


class MostUrgent(Generic[_T]):
    """The most urgent findings, at most `limit` of them; equals by their keys, so that every run tells them alike."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._kept: list[tuple[Rank, str, _T]] = []
        self._worst: tuple[Rank, str] | None = None

    def offer(self, rank: Rank, key: str, one: _T) -> None:
        """Keep it, unless there are enough more urgent ones already."""
        if self._limit == 0 or (self._worst is not None and (rank, key) > self._worst):
            return
        self._kept.append((rank, key, one))
        # A quarter over the limit before each sort: a sort a row would be slow, and keeping all would not be flat.
        if len(self._kept) >= self._room:
            self._cut()

    def sorted(self) -> list[_T]:
        """Those that are left, most urgent first."""
        return [one for _, _, one in self.entries()]

    def entries(self) -> Iterator[tuple[Rank, str, _T]]:
        """Those that are left as they were offered, most urgent first."""
        self._cut()
        return iter(self._kept)

    def _cut(self) -> None:
        self._kept.sort(key=_by_rank_and_key)
        if len(self._kept) >= self._limit > 0:
            del self._kept[self._limit :]
            self._worst = self._kept[-1][:2]


class Shortlist(Generic[_T]):
    """The most urgent findings, at most `limit` of them, and a few of each state among them.

    Of each state a few, so that ten thousand tokens about to expire do not hide the one that a slip of the hand made
    valid for ever. The shortlist of several shortlists is that of everything they were made from, if none of theirs is
    shorter.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._urgent: MostUrgent[_T] = MostUrgent(limit)
        least = min(LEAST_OF_A_STATE, limit // len(State))
        self._of_state: dict[State, MostUrgent[_T]] = {state: MostUrgent(least) for state in State}

    def offer(self, state: State, rank: Rank, key: str, one: _T) -> None:
        """Keep it, unless there are enough more urgent ones already, of its state too."""
        self._urgent.offer(rank, key, one)
        self._of_state[state].offer(rank, key, one)

    def sorted(self) -> list[_T]:
        """Those that are listed, most urgent first."""
        some = {id(entry[2]): entry for state in State for entry in self._of_state[state].entries()}
        room = max(0, self._limit - len(some))
        others = [entry for entry in self._urgent.entries() if id(entry[2]) not in some][:room]
        chosen: MostUrgent[_T] = MostUrgent(self._limit)
        for entry in (*others, *some.values()):
            chosen.offer(*entry)
        return chosen.sorted()

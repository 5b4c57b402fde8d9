"""Keeps the findings that a report has room for, in whatever order they come: the most urgent, and a few of each state.

Each is kept as one line of bytes that begins with its rank. Kept as Python objects, some twenty a row, they would be
scattered over the memory that each page frees, and the rest of the run would take half as long again.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from janitor.tokens.classify import State

# How many of each state a report lists at least, where there is room for as many.
MIN_PER_STATE = 20

Rank = tuple[int, bool, int]
"""How urgent a finding is, the lowest first, from `janitor.report.build.verdict_urgency`."""

# Longer distances, which are beyond any calendar, count as equal.
_MAX_DISTANCE = 10**39 - 1

_Item = TypeVar("_Item")


class MostUrgent:
    """The most urgent lines, at most `limit` of them. Equal ones are sorted by key: every run keeps the same."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._lines: list[bytes] = []
        self._last_rank: Rank | None = None

    def may_want(self, rank: Rank) -> bool:
        """Whether there may be room for a line of this rank."""
        return self._limit > 0 and (self._last_rank is None or rank <= self._last_rank)

    def add(self, line: bytes) -> None:
        """Keep a line (`encode_line`), unless there are enough more urgent ones."""
        self._lines.append(line)
        # Sorted only when a quarter over the limit: sorting at every row would be slow, and memory has to stay flat.
        if len(self._lines) >= self._room:
            self._last_rank = _rank_of(self.lines()[-1])

    def lines(self) -> list[bytes]:
        """Return the lines that are left, most urgent first."""
        self._lines.sort()
        del self._lines[self._limit :]
        return self._lines


class Shortlist(Generic[_Item]):
    """The most urgent findings, at most `limit` of them, including a few of each state.

    So ten thousand tokens about to expire do not hide the one that was made valid for ever by mistake. A shortlist of
    the findings of several shortlists is the same as one of all their findings, if its limit is not larger than theirs.
    """

    def __init__(self, limit: int, encode: Callable[[_Item], bytes], decode: Callable[[bytes], _Item]) -> None:
        """Prepare.

        Args:
            limit: how many are kept at most.
            encode: turns one into bytes without a NUL, for example JSON.
            decode: turns the bytes back.
        """
        self._limit, self._encode, self._decode = limit, encode, decode
        self._urgent = MostUrgent(limit)
        least = min(MIN_PER_STATE, limit // len(State))
        self._of_state = {state: MostUrgent(least) for state in State}

    def offer(self, state: State, rank: Rank, key: str, finding: _Item) -> None:
        """Keep a finding, unless there are enough more urgent ones, of all states and of its own."""
        takers = [taker for taker in (self._urgent, self._of_state[state]) if taker.may_want(rank)]
        if takers:
            line = encode_line(rank, key, self._encode(finding))
            for taker in takers:
                taker.add(line)

    def sorted(self) -> list[_Item]:
        """Return the findings that are kept, most urgent first."""
        of_states = {line for state in State for line in self._of_state[state].lines()}
        room = max(0, self._limit - len(of_states))
        urgent = [line for line in self._urgent.lines() if line not in of_states][:room]
        return [self._decode(line.rpartition(b"\0")[2]) for line in sorted((*of_states, *urgent))]


def encode_line(rank: Rank, key: str, content: bytes) -> bytes:
    """Encode a finding as it is kept: its rank, its key, a NUL, its content."""
    state, is_refused, distance = rank
    return b"%02d%d%039d%b\0%b" % (state, is_refused, min(distance, _MAX_DISTANCE), key.encode(), content)


def _rank_of(line: bytes) -> Rank:
    return int(line[:2]), line[2:3] == b"1", int(line[3:42])

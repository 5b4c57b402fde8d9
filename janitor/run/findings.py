"""Where findings go: at once to the reports that stream, and the most urgent, at the end, to the others."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from janitor.report.build import finding, urgency
from janitor.report.model import Finding
from janitor.run.outlets import Outlets
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row


class Told(NamedTuple):
    """A row worth a line, what it is, and what became of it if it was in a plan."""

    row: Row
    verdict: Classification
    outcome: DeletionOutcome | None = None


_Rank = tuple[int, bool, int]

# How many of each state a report lists at least, where there is room for as many.
LEAST_OF_A_STATE = 20


class _Kept(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a row. The expiry is a text, for it may be too large a number for msgspec."""

    row: Row
    state: State
    accepted_by: tuple[Gate, ...]
    expiry: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Kept)

# Distances of more digits, which no calendar knows, count as equal.
_FARTHEST = 10**39 - 1


class MostUrgent:
    """The most urgent rows, at most `limit` of them, whichever order they come in.

    Each is kept as one line of bytes, its place in the order first. As Python objects, some twenty a row, those of a
    few rows of every page would lie scattered among what was freed of the page, and all that comes after take half as
    long again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._lines: list[bytes] = []
        self._worst: _Rank | None = None

    def offer(self, rank: _Rank, told: Told) -> None:
        """Keep the row, unless there are enough more urgent ones already."""
        if self._limit == 0 or (self._worst is not None and rank > self._worst):
            return
        self._lines.append(_line(rank, told))
        # A quarter over the limit before each sort: a sort a row would be slow, and keeping all would not be flat.
        if len(self._lines) >= self._room:
            self._cut()
            self._worst = _rank_of(self._lines[-1])

    def lines(self) -> list[bytes]:
        """Those that are left, most urgent first; equals by their keys, so that every run tells them alike."""
        self._cut()
        return self._lines

    def sorted(self) -> list[Told]:
        """As `lines`, as rows."""
        return [_told(line) for line in self.lines()]

    def _cut(self) -> None:
        self._lines.sort()
        del self._lines[self._limit :]


def _line(rank: _Rank, told: Told) -> bytes:
    state, is_refused, distance = rank
    row, verdict, outcome = told
    expiry = None if verdict.expiry is None else str(verdict.expiry)
    kept = _Kept(row, verdict.state, verdict.accepted_by, expiry, verdict.reasons, outcome)
    place = b"%02d%d%039d" % (state, is_refused, min(distance, _FARTHEST))
    # JSON has no NUL, which so stands between the key and the rest.
    return b"%b%b\0%b" % (place, (row.key.S or "").encode(), _ENCODER.encode(kept))


def _rank_of(line: bytes) -> _Rank:
    return int(line[:2]), line[2:3] == b"1", int(line[3:42])


def _told(line: bytes) -> Told:
    kept = _DECODER.decode(line.rpartition(b"\0")[2])
    expiry = None if kept.expiry is None else int(kept.expiry)
    return Told(kept.row, Classification(kept.state, kept.accepted_by, expiry, kept.reasons), kept.outcome)


class Findings:
    """Takes every finding of a run, once; memory does not grow with them beyond what the reports list."""

    def __init__(
        self,
        outlets: Outlets,
        *,
        most: int,
        now: int,
        policy: Policy,
        secret: bytes | None,
        see: Callable[[Sequence[Told]], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            outlets: the reports.
            most: how many findings a report that does not stream lists.
            now: the UNIX second at which rows are judged.
            policy: the rules.
            secret: the key of fingerprints, None for plain ones.
            see: told of every finding too, for what is to be announced.
        """
        self._outlets = outlets
        self._see = see
        # One is kept in any case: the metrics say when the next token expires.
        self._most = most if outlets.keep else min(most, 1)
        self._urgent = MostUrgent(self._most)
        least = min(LEAST_OF_A_STATE, self._most // len(State))
        self._of_state = {state: MostUrgent(least) for state in State}
        self._now, self._policy, self._secret = now, policy, secret

    def tell(self, rows: Sequence[Told]) -> None:
        """Take these rows, active ones only of a run that was asked for them."""
        for told in rows:
            rank = urgency(told.verdict, self._now)
            self._urgent.offer(rank, told)
            self._of_state[told.verdict.state].offer(rank, told)
        if self._see is not None and rows:
            self._see(rows)
        if self._outlets.streams and rows:
            self._outlets.lines(self._built(rows))

    def most_urgent(self) -> list[Finding]:
        """The findings that a report which does not stream lists, in their order.

        Of each state a few are among them, so that ten thousand tokens about to expire do not hide the one that a slip
        of the hand made valid for ever.
        """
        some = {line for state in State for line in self._of_state[state].lines()}
        room = max(0, self._most - len(some))
        others = [line for line in self._urgent.lines() if line not in some][:room]
        return self._built(_told(line) for line in sorted((*some, *others)))

    def _built(self, rows: Iterable[Told]) -> list[Finding]:
        return [
            finding(row, verdict, now=self._now, policy=self._policy, secret=self._secret, outcome=outcome)
            for row, verdict, outcome in rows
        ]

"""Where findings go: at once to the reports that stream, and the most urgent, at the end, to the others."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from janitor.report.build import finding, urgency
from janitor.report.model import Finding
from janitor.run.outlets import Outlets
from janitor.tokens.classify import Classification, State
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


_by_rank_and_key = itemgetter(0, 1)


class MostUrgent:
    """The most urgent rows, at most `limit` of them, whichever order they come in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._kept: list[tuple[_Rank, str, Told]] = []
        self._worst: tuple[_Rank, str] | None = None

    def offer(self, rank: _Rank, told: Told) -> None:
        """Keep the row, unless there are enough more urgent ones already."""
        key = told.row.key.S or ""
        if self._limit == 0 or (self._worst is not None and (rank, key) > self._worst):
            return
        self._kept.append((rank, key, told))
        # A quarter over the limit before each sort: a sort a row would be slow, and keeping all would not be flat.
        if len(self._kept) >= self._room:
            self._cut()

    def sorted(self) -> list[Told]:
        """Those that are left, most urgent first; equals by their keys, so that every run tells them alike."""
        self._cut()
        return [told for _, _, told in self._kept]

    def _cut(self) -> None:
        self._kept.sort(key=_by_rank_and_key)
        if len(self._kept) >= self._limit > 0:
            del self._kept[self._limit :]
            self._worst = self._kept[-1][:2]


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
        some = {id(told): told for state in State for told in self._of_state[state].sorted()}
        room = max(0, self._most - len(some))
        others = [told for told in self._urgent.sorted() if id(told) not in some][:room]
        chosen = MostUrgent(self._most)
        for told in (*others, *some.values()):
            chosen.offer(urgency(told.verdict, self._now), told)
        return self._built(chosen.sorted())

    def _built(self, rows: Iterable[Told]) -> list[Finding]:
        return [
            finding(row, verdict, now=self._now, policy=self._policy, secret=self._secret, outcome=outcome)
            for row, verdict, outcome in rows
        ]

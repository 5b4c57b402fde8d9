"""What a run has counted so far. Its size does not depend on the table's."""

from collections import Counter
from operator import itemgetter

from janitor.report.model import Counts
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.policy import DAY
from janitor.tokens.row import Row
from janitor.tokens.shown import gives_away

# Owners whose rows have expired are remembered up to this many; beyond, they are only counted.
MOST_OWNERS = 10_000

_Rank = tuple[int, bool, int]


_by_rank_and_key = itemgetter(0, 1)


class MostUrgent:
    """The most urgent rows, at most `limit` of them, whichever order they come in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + limit // 4 + 1
        self._kept: list[tuple[_Rank, str, Row, Classification]] = []
        self._worst: _Rank | None = None

    def offer(self, rank: _Rank, row: Row, verdict: Classification) -> None:
        """Keep the row, unless there are enough more urgent ones already."""
        if self._limit == 0 or (self._worst is not None and rank > self._worst):
            return
        self._kept.append((rank, row.key.S or "", row, verdict))
        # A quarter over the limit before each sort: a sort a row would be slow, and keeping all would not be flat.
        if len(self._kept) >= self._room:
            self._cut()

    def sorted(self) -> list[tuple[Row, Classification]]:
        """Those that are left, most urgent first; equals by their keys, so that every run tells them alike."""
        self._cut()
        return [(row, verdict) for _, _, row, verdict in self._kept]

    def _cut(self) -> None:
        self._kept.sort(key=_by_rank_and_key)
        if len(self._kept) >= self._limit > 0:
            del self._kept[self._limit :]
            self._worst = self._kept[-1][0]


class Tally:
    """Counts by state, expiries by day, and the owners with expired rows."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(State, 0)
        self.pages = 0
        self.read_units = 0.0
        self.expiries: Counter[int] = Counter()
        self.expired_owners: set[str] = set()
        self.accepted_owners: set[str] = set()
        self.rows_of_unremembered_owners = 0

    def add_page(self, read_units: float, active: int) -> None:
        """Count a page, and the rows of it that are plainly active."""
        self.pages += 1
        self.read_units += read_units
        self._counts[State.ACTIVE] += active

    def add(self, row: Row, verdict: Classification) -> None:
        """Count one classified row."""
        self._counts[verdict.state] += 1
        if verdict.state is State.EXPIRING and verdict.expiry is not None:
            self.expiries[verdict.expiry // DAY] += 1
        if row.username is not None and row.username.S:
            self._add_owner(row.username.S, row.key.S or "", verdict)

    def counts(self) -> Counts:
        """The sums for the report."""
        by_state = {state.value: count for state, count in self._counts.items()}
        return Counts(scanned=sum(by_state.values()), **by_state)

    def _add_owner(self, username: str, key: str, verdict: Classification) -> None:
        if Gate.API in verdict.accepted_by:
            _remember(username, self.accepted_owners)
            return
        if verdict.state not in (State.EXPIRED, State.STALE):
            return
        if username in self.expired_owners:
            return
        # Owners are named in the report, so one that is the token itself is only counted.
        if gives_away(username, key) or not _remember(username, self.expired_owners):
            self.rows_of_unremembered_owners += 1


def _remember(username: str, owners: set[str]) -> bool:
    if username not in owners and len(owners) >= MOST_OWNERS:
        return False
    owners.add(username)
    return True

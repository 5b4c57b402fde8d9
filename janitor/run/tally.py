"""What a run has counted so far. Its size does not depend on the table's."""

from collections import Counter

from janitor.report.model import Counts
from janitor.run.plan import Population
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.policy import DAY
from janitor.tokens.row import Row
from janitor.tokens.shown import gives_away

# Owners whose rows have expired are remembered up to this many; beyond, they are only counted.
MOST_OWNERS = 10_000


class Tally:
    """Counts by state, expiries by day, the owners with expired rows, and what was planned.

    Attributes:
        planned_expiries: the oldest and the newest expiry among the planned rows; None without any.
        protected: rows that would have been planned, were they not protected.
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(State, 0)
        self.pages = 0
        self.read_units = 0.0
        self.expiries: Counter[int] = Counter()
        self.expired_owners: set[str] = set()
        self.accepted_owners: set[str] = set()
        self.rows_of_unremembered_owners = 0
        self.protected = 0
        self.planned_expiries: tuple[int, int] | None = None
        self._dated = 0

    def add_page(self, read_units: float, active: int) -> None:
        """Count a page, and the rows of it that are plainly active."""
        self.pages += 1
        self.read_units += read_units
        self._counts[State.ACTIVE] += active
        self._dated += active

    def add(self, row: Row, verdict: Classification) -> None:
        """Count one classified row."""
        self._counts[verdict.state] += 1
        self._dated += verdict.expiry is not None
        if verdict.state is State.EXPIRING and verdict.expiry is not None:
            self.expiries[verdict.expiry // DAY] += 1
        if row.username is not None and row.username.S:
            self._add_owner(row.username.S, row.key.S or "", verdict)

    def plan(self, expiry: int) -> None:
        """Count a row that was planned, by its expiry in UNIX seconds."""
        first, last = self.planned_expiries or (expiry, expiry)
        self.planned_expiries = (min(first, expiry), max(last, expiry))

    def population(self, *, complete: bool) -> Population:
        """What the guards have to know of the table; `complete` says whether all of it was scanned."""
        return Population(scanned=sum(self._counts.values()), dated=self._dated, complete=complete)

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

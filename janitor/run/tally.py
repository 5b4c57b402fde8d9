"""What a run has counted so far. Its size does not depend on the table's."""

from collections import Counter

from janitor.report.model import Counts
from janitor.run.locked_out import Owners
from janitor.run.plan import Population
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.policy import DAY


class Tally:
    """Counts by state, expiries by day, and what was planned.

    Attributes:
        owners: those who may be locked out.
        planned_expiries: the oldest and the newest expiry among the planned rows; None without any.
        protected: rows that would have been planned, were they not protected.
        waiting: rows that would have been planned, were their notice old enough.
        workbench_only: rows that the api gate refuses and MCP Workbench accepts.
        chosen: rows that a run which lists rows was asked for.
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(State, 0)
        self.pages = 0
        self.read_units = 0.0
        self.expiries: Counter[int] = Counter()
        self.owners = Owners()
        self.protected = 0
        self.waiting = 0
        self.planned_expiries: tuple[int, int] | None = None
        self.workbench_only = 0
        self.chosen = 0
        self._dated = 0

    def add_page(self, read_units: float, active: int) -> None:
        """Count a page, and the rows of it that are plainly active."""
        self.pages += 1
        self.read_units += read_units
        self._counts[State.ACTIVE] += active
        self._dated += active

    def add(self, verdict: Classification) -> None:
        """Count one classified row."""
        self._counts[verdict.state] += 1
        self._dated += verdict.expiry is not None
        if verdict.state is State.EXPIRING and verdict.expiry is not None:
            self.expiries[verdict.expiry // DAY] += 1
        self.workbench_only += verdict.accepted_by == (Gate.WORKBENCH,)

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

"""Sums over rows. Their size does not depend on the number of rows, and the sums of two parts can be added."""

import msgspec

from janitor.readers.owners import Owners
from janitor.report.model import Counts
from janitor.tokens.classify import State, Verdict
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import DAY

_KILOBYTE = 1_024


class Tally(msgspec.Struct):
    """Counts by state, expiries by day, and other counts.

    Attributes:
        by_state: how many rows have each state.
        pages: how many pages were read.
        read_units: what those cost.
        expiries: how many rows will expire on each day, as a number of days since 1970-01-01 UTC.
        dated: how many rows have a valid date.
        owners: the owners of refused and of accepted rows.
        protected: how many rows could have been deleted, but are protected.
        left_out: how many rows could have been deleted, but match no pattern of --user or --fingerprint.
        withheld: how many rows with a date are among the protected, the left out and the waiting ones.
        workbench_only: how many rows the api gate refuses and MCP Workbench accepts.
        active_findings: how many active rows there are reasons for, so that they are findings.
        reasons: how many rows there are for each reason.
        chosen: how many rows a listing selected.
        waiting: how many rows could have been deleted, but whose notice is not old enough.
        planned_expiries: the earliest and the latest expiry among the planned rows; None without any.
        planned_undated: how many planned rows have no date.
        planned_kilobytes: the sizes of the planned rows, each rounded up: a delete costs a write unit for each.
    """

    by_state: dict[State, int] = msgspec.field(default_factory=dict)
    pages: int = 0
    read_units: float = 0.0
    expiries: dict[int, int] = msgspec.field(default_factory=dict)
    dated: int = 0
    owners: Owners = msgspec.field(default_factory=Owners)
    protected: int = 0
    left_out: int = 0
    withheld: int = 0
    workbench_only: int = 0
    active_findings: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    chosen: int = 0
    waiting: int = 0
    planned_expiries: tuple[int, int] | None = None
    planned_undated: int = 0
    planned_kilobytes: int = 0

    def add_page(self, read_units: float, active: int) -> None:
        """Count a page, and those of its rows that are plainly active."""
        self.pages += 1
        self.read_units += read_units
        self.by_state[State.ACTIVE] = self.by_state.get(State.ACTIVE, 0) + active
        self.dated += active

    def add(self, verdict: Verdict) -> None:
        """Count one classified row."""
        self.count(verdict)
        self.describe(verdict)

    def count(self, verdict: Verdict) -> None:
        """Count one classified row by its state alone."""
        self.by_state[verdict.state] = self.by_state.get(verdict.state, 0) + 1
        self.dated += verdict.expiry is not None

    def describe(self, verdict: Verdict) -> None:
        """Add a counted row to what warnings and the forecast are made of."""
        if verdict.state is State.EXPIRING and verdict.expiry is not None:
            day = verdict.expiry // DAY
            self.expiries[day] = self.expiries.get(day, 0) + 1
        self.workbench_only += verdict.accepted_by == (Gate.WORKBENCH,)
        self.active_findings += verdict.state is State.ACTIVE and verdict.is_finding
        for reason in verdict.reasons:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def change_state(self, before: State, after: State) -> None:
        """Count a row in another state than before."""
        self.by_state[before] -= 1
        self.by_state[after] = self.by_state.get(after, 0) + 1

    def plan(self, expiry: int | None, size: int) -> None:
        """Count a row that was added to the plan.

        Args:
            expiry: in UNIX seconds; None for a row without a date.
            size: its bytes as JSON, a little more than DynamoDB counts.
        """
        self.planned_kilobytes += -(-size // _KILOBYTE)
        if expiry is None:
            self.planned_undated += 1
            return
        first, last = self.planned_expiries or (expiry, expiry)
        self.planned_expiries = (min(first, expiry), max(last, expiry))

    def add_all(self, other: "Tally") -> None:
        """Add the sums of other rows, none of which has been planned."""
        for state, count in other.by_state.items():
            self.by_state[state] = self.by_state.get(state, 0) + count
        for day, count in other.expiries.items():
            self.expiries[day] = self.expiries.get(day, 0) + count
        self.pages += other.pages
        self.read_units += other.read_units
        self.dated += other.dated
        self.owners.add_all(other.owners)
        self.protected += other.protected
        self.left_out += other.left_out
        self.withheld += other.withheld
        self.workbench_only += other.workbench_only
        self.active_findings += other.active_findings
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.chosen += other.chosen

    @property
    def scanned(self) -> int:
        """How many rows there were."""
        return sum(self.by_state.values())

    def counts(self) -> Counts:
        """Return the counts for the report."""
        by_state = {state.value: self.by_state.get(state, 0) for state in State}
        return Counts(scanned=self.scanned, **by_state)

"""Findings that are told in an order that somebody asked for, to every report alike."""

from collections.abc import Sequence

from janitor.logs import get_logger
from janitor.report.model import Finding
from janitor.run.findings import Findings, Told
from janitor.run.job import Job
from janitor.run.listing import Order, Sorted

log = get_logger("janitor.run")


class SortedFindings(Findings):
    """Keeps the first rows in the order, as many as a report may list; reports that stream get them at the end."""

    def __init__(self, job: Job, order: Order) -> None:
        """Args: the job, and the order."""
        super().__init__(
            job.outlets, most=job.max_findings, now=job.now, policy=job.policy, secret=job.fingerprint_secret
        )
        self._sorted = Sorted(order, job.max_findings, job.now)
        self._told = 0

    def tell(self, rows: Sequence[Told]) -> None:
        """Take these rows."""
        self._told += len(rows)
        self._sorted.add(rows)

    def most_urgent(self) -> list[Finding]:
        """The first findings in the order; those that stream are told now."""
        found = self._built(self._sorted.rows())
        if len(found) < self._told:
            # A report such as csv has no place to say so.
            log.warning("listing.cut", listed=len(found), chosen=self._told, way_out="raise --max-findings")
        if self._outlets.streams:
            self._outlets.lines(found)
        return found

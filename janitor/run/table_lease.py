"""The lease of a table around a sweep that deletes (docs/explanation/safety.md, "Guards")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from janitor.errors import StoreError
from janitor.report.model import Remark
from janitor.stopping import Stop

if TYPE_CHECKING:
    from janitor.run.sweep import Sweep
    from janitor.store.lease import LeaseRecord
    from janitor.store.lease_keeper import LeaseKeeper


class LeaseOutcome(msgspec.Struct, frozen=True):
    """The result of taking the lease.

    Attributes:
        other_holder: the lease of another run, if this run skips the table because of it.
        problem: why nothing may be deleted; the table is read all the same.
        warnings: what was wrong with the lease, though it is held now.
    """

    other_holder: LeaseRecord | None = None
    problem: str | None = None
    warnings: tuple[Remark, ...] = ()


@contextmanager
def hold_lease(sweep: Sweep | None, stop: Stop) -> Iterator[LeaseOutcome]:
    """Hold the table's lease for as long as the block lasts, where the sweep deletes and there is a store.

    If another run has the lease, this waits for up to a minute to see whether that run is alive (`lease_keeper`).
    If it is alive, a plan that is applied by hand is refused, and a sweep, which will run again, skips the table.
    If the store does not work, nothing is deleted. A dry run only reads the lease.

    Raises:
        StopRequestedError: the run was asked to stop meanwhile.
    """
    if sweep is None or sweep.lease is None:
        yield LeaseOutcome()
        return
    if not sweep.is_enabled:
        yield LeaseOutcome(problem=_find_dry_run_problem(sweep.lease, stop))
        return
    with ExitStack() as held:
        try:
            with stop.interruptible_wait():
                other_holder = held.enter_context(sweep.lease)
            problem = None
        except StoreError as error:
            other_holder, problem = None, f"the lease of the table could not be taken: {error}"
        if other_holder is not None and sweep.plan.reviewed_path is not None:
            yield LeaseOutcome(problem=f"{_describe_holder(other_holder)}; wait for its end")
        else:
            broken = sweep.lease.describe_broken("the lease of the table")
            warnings = () if broken is None else (Remark(where="lease", code="broken", message=broken),)
            yield LeaseOutcome(other_holder, problem, warnings)


def _find_dry_run_problem(lease: LeaseKeeper, stop: Stop) -> str | None:
    """Read the lease in a dry run; return why a real run could not delete, or None."""
    try:
        with stop.interruptible_wait():
            other_holder = lease.find_other_holder()
    except StoreError as error:
        return f"the lease of the table could not be read: {error}"
    return None if other_holder is None else f"{_describe_holder(other_holder)}; wait for its end"


def build_skipped_warning(other_holder: LeaseRecord) -> Remark:
    """Build the remark that a sweep skipped the table."""
    return Remark(where="lease", code="held", message=f"skipped: {_describe_holder(other_holder)}")


def _describe_holder(other_holder: LeaseRecord) -> str:
    return (
        f"another run ({other_holder.printable_holder}) sweeps the table and holds its lease, at present "
        f"{other_holder.until_words()}"
    )

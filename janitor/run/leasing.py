"""The lease of a table around a sweep that deletes (docs/architecture.md, "Guards")."""

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
    from janitor.store.lease import Held
    from janitor.store.lease_keeper import LeaseKeeper


class Leasing(msgspec.Struct, frozen=True):
    """How the lease came out.

    Attributes:
        other: the run that has it, where this one is to be passed over for that.
        problem: why nothing may be deleted, though the rest may go on.
        warnings: what was wrong with the lease, though it is held now.
    """

    other: Held | None = None
    problem: str | None = None
    warnings: tuple[Remark, ...] = ()


@contextmanager
def leased(sweep: Sweep | None, stop: Stop) -> Iterator[Leasing]:
    """Hold the table's lease for as long as the block lasts, where the sweep deletes and there is a store.

    Where another has it, this waits for up to a minute to see whether that one is at work: see `lease_keeper`.
    A plan that somebody carries out by hand is refused while another run sweeps the table; a sweep, which will come
    again, is passed over. Where the store does not work nobody can tell, so nothing is deleted. A dry run only looks.

    Raises:
        StopRequestedError: somebody asked to stop meanwhile.
    """
    if sweep is None or sweep.lease is None:
        yield Leasing()
        return
    if not sweep.is_enabled:
        yield Leasing(problem=_would_be_in_the_way(sweep.lease, stop))
        return
    with ExitStack() as held:
        try:
            with stop.waiting():
                other = held.enter_context(sweep.lease)
            problem = None
        except StoreError as error:
            other, problem = None, f"the lease of the table could not be taken: {error}"
        if other is not None and sweep.reviewed_plan is not None:
            yield Leasing(problem=f"{_who(other)}; wait for its end")
        else:
            yield Leasing(other, problem, sweep.lease.broken_warning("the lease of the table"))


def _would_be_in_the_way(lease: LeaseKeeper, stop: Stop) -> str | None:
    """What a dry run finds by looking at the lease, which it does not take."""
    try:
        with stop.waiting():
            other = lease.other()
    except StoreError as error:
        return f"the lease of the table could not be looked at: {error}"
    return None if other is None else f"{_who(other)}; wait for its end"


def passed_over(other: Held) -> Remark:
    """Why a sweep did nothing, for its report."""
    return Remark(where="lease", code="held", message=f"skipped: {_who(other)}")


def _who(other: Held) -> str:
    return (
        f"another run ({other.printable_holder}) sweeps the table and holds its lease, at present {other.until_words()}"
    )

"""Add rows to the plan of a sweep, but for those whose notice must come first, or is too recent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from janitor.readers.interface import DeletableRow, JudgedRow
from janitor.readers.tally import Tally
from janitor.tokens.fingerprint import make_row_name

if TYPE_CHECKING:
    from janitor.run.sweep import Sweep


def plan_rows(
    rows: Sequence[DeletableRow], sweep: Sweep, tally: Tally, fingerprint_key: bytes | None
) -> list[JudgedRow]:
    """Plan the rows; return those that have to wait until their notice is old enough."""
    waiting: list[JudgedRow] = []
    announced = _find_announced(rows, sweep.find_announced) if sweep.find_announced and rows else None
    for item, fingerprint, found in rows:
        if announced is not None and (fingerprint, found.verdict.expiry or 0) not in announced:
            tally.waiting += 1
            tally.withheld += found.verdict.expiry is not None
            tally.owners.add(found.row, found.verdict)
            waiting.append(found)
            continue
        tally.plan(found.verdict.expiry, len(item))
        row_name = make_row_name(found.row, fingerprint, fingerprint_key)
        sweep.plan.writer.add(fingerprint, row_name, found.verdict.state, item, found.verdict.reasons)
    return waiting


def are_announced(rows: Sequence[DeletableRow], sweep: Sweep) -> bool:
    """Whether all of these rows were announced long enough ago, or need no notice."""
    if sweep.find_announced is None:
        return True
    return _find_announced(rows, sweep.find_announced) >= {
        (row.fingerprint, row.found.verdict.expiry or 0) for row in rows
    }


def _find_announced(
    rows: Sequence[DeletableRow], find_announced: Callable[[Mapping[str, int]], AbstractSet[str]]
) -> set[tuple[str, int]]:
    """Find the rows that were announced long enough ago; return their fingerprints and expiries.

    The two rows of one token have one fingerprint, and may have two expiries, each with its own notice. So such rows
    are looked up in separate calls.
    """
    unchecked = {(row.fingerprint, row.found.verdict.expiry or 0) for row in rows}
    announced: set[tuple[str, int]] = set()
    while unchecked:
        expiries = dict(unchecked)
        announced.update((fingerprint, expiries[fingerprint]) for fingerprint in find_announced(expiries))
        unchecked -= expiries.items()
    return announced

"""The first half of a table's turn: read every row, judge it once, and pass it on.

reader ──batches──┬──> tally
                  ├──> findings
                  ├──> the plan, in a sweep; not rows whose notice must come first, or is too recent
                  └──> rows that wait until their owners were looked up (--unlock-after)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import structs

from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.interface import DeletableRow, JudgedRow, Rules
from janitor.readers.tally import Tally
from janitor.report.model import Remark
from janitor.run.finding_collector import FindingCollector
from janitor.run.outlets import Outlets
from janitor.run.spec import TableSpec
from janitor.tokens.fingerprint import make_row_name

if TYPE_CHECKING:
    from janitor.run.sweep import Sweep
    from janitor.run.unlocking import EarlyRows

log = get_logger("janitor.run")


def complete_rules(spec: TableSpec, outlets: Outlets, label: str | None) -> Rules:
    """Add to the table's rules what readers need to know of the run; `label` is the table's if the run has several."""
    listing = spec.rules.listing
    is_in_order = listing is not None and listing.order is not None
    return structs.replace(
        spec.rules, plans=spec.sweep is not None, label=label, streams=outlets.streams and not is_in_order
    )


def read_table(
    spec: TableSpec,
    rules: Rules,
    tally: Tally,
    findings: FindingCollector,
    outlets: Outlets,
    *,
    early_rows: EarlyRows,
) -> list[Remark]:
    """Read the table to its end, or until the run is asked to stop.

    Args:
        spec: what is to be done.
        rules: the rules by which rows are judged.
        tally: gets the counts.
        findings: gets all rows that are worth a line.
        outlets: the reports. If all have failed, only a sweep reads on.
        early_rows: keeps the rows that may go only if they keep their owner from a new token.

    Returns:
        why reading stopped early, as an error for the report; empty if it reached the end.
    """
    sweep = spec.sweep
    try:
        for batch in spec.reader.batches(rules, lambda: spec.unused_patterns.patterns):
            tally.add_all(batch.tally)
            spec.unused_patterns.mark_used(batch.matching_patterns)
            findings.add(batch.found, batch.lines)
            deletable, staying = early_rows.take_from(batch.deletable)
            waiting = [] if sweep is None else plan_rows(deletable, sweep, tally, rules.fingerprint_key)
            findings.add([*staying, *waiting])
            spec.progress.advance(batch.tally.scanned)
            if outlets.is_exhausted and sweep is None:
                message = (
                    "the scan was stopped because every report output failed; fix the outputs named above, then run it "
                    "again"
                )
                return [Remark(where="scan", code="nobody-left", message=message)]
            # Free the batch before the next one is made.
            del batch
    except JanitorError as error:
        log.error("scan.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        where = "plan" if isinstance(error, SinkError) else "scan"
        return [Remark(where=where, code=error.code, message=str(error))]
    finally:
        spec.progress.finish()
    return []


def plan_rows(
    rows: Sequence[DeletableRow], sweep: Sweep, tally: Tally, fingerprint_key: bytes | None
) -> list[JudgedRow]:
    """Plan the rows; return those that have to wait until their notice is old enough."""
    waiting: list[JudgedRow] = []
    announced = _find_announced(rows, sweep.find_announced) if sweep.find_announced and rows else None
    for item, fingerprint, found in rows:
        if announced is not None and (fingerprint, found.verdict.expiry or 0) not in announced:
            tally.waiting += 1
            tally.owners.add(found.row, found.verdict)
            waiting.append(found)
            continue
        tally.plan(found.verdict.expiry)
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

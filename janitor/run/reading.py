"""The first half of a table's turn: read every row, judge it once, and pass it on.

reader ──batches──┬──> tally
                  ├──> findings
                  ├──> the plan, in a sweep (planning.py)
                  └──> rows that wait until their owners were looked up (--unlock-after)
"""

from __future__ import annotations

from msgspec import structs

from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.interface import Rules
from janitor.readers.tally import Tally
from janitor.report.model import Remark
from janitor.run.finding_collector import FindingCollector
from janitor.run.outlets import Outlets
from janitor.run.planning import plan_rows
from janitor.run.spec import TableSpec
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

"""The first half of a run: every row judged once, and what came of it handed on.

reader ──batches──┬──> tally
├──> findings
└──> the plan, of a run that has one, unless their owners are still to be told
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.interface import DeletableRow, FoundRow, Rules
from janitor.readers.tally import Tally
from janitor.report.model import Remark
from janitor.run.findings import Findings
from janitor.run.job import TableJob
from janitor.run.outlets import Outlets
from janitor.tokens.fingerprint import row_name

if TYPE_CHECKING:
    from janitor.run.sweep import Sweep

log = get_logger("janitor.run")


def reading_rules(job: TableJob, outlets: Outlets, label: str | None) -> Rules:
    """By what the table's rows are judged; `label` is the table's, where the run has several."""
    is_in_order = job.listing is not None and job.listing.order is not None
    return Rules(
        policy=job.policy,
        now=job.now,
        secret=job.fingerprint_secret,
        plans=job.sweep is not None,
        listing=job.listing,
        label=label,
        streams=outlets.streams and not is_in_order,
    )


def read_table(job: TableJob, rules: Rules, tally: Tally, findings: Findings, outlets: Outlets) -> list[Remark]:
    """Read the table to its end, or until somebody asks to stop.

    Args:
        job: what is to be done.
        rules: by what rows are judged.
        tally: what is counted is added to it.
        findings: told of all rows that are worth a line.
        outlets: where there are none left, reading goes on only for what is to be deleted.

    Returns:
        what broke the reading off, as a remark for the report; nothing when it came to its end.
    """
    sweep = job.sweep
    try:
        for batch in job.reader.batches(rules, lambda: job.unused_patterns.left):
            tally.add_all(batch.tally)
            job.unused_patterns.drop(batch.fitting)
            waiting = [] if sweep is None else _planned(batch.deletable, sweep, tally, job.fingerprint_secret)
            findings.tell(batch.found, batch.lines)
            findings.tell(waiting)
            job.progress.advance(batch.tally.scanned)
            if outlets.is_exhausted and sweep is None:
                message = "the scan broke off: there is nobody left to report to"
                return [Remark(where="scan", code="nobody-left", message=message)]
            # What a segment came to is let go before the next one is taken.
            del batch
    except JanitorError as error:
        log.error("scan.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        where = "plan" if isinstance(error, SinkError) else "scan"
        return [Remark(where=where, code=error.code, message=str(error))]
    finally:
        job.progress.finish()
    return []


def _planned(rows: Sequence[DeletableRow], sweep: Sweep, tally: Tally, secret: bytes | None) -> list[FoundRow]:
    """Plan the rows; return those that have to wait until their notice is old enough."""
    waiting = []
    may_go = _announced(rows, sweep.announced) if sweep.announced and rows else None
    for item, name, found in rows:
        if may_go is not None and (name, found.verdict.expiry or 0) not in may_go:
            tally.waiting += 1
            tally.owners.add(found.row, found.verdict)
            waiting.append(found)
            continue
        tally.plan(found.verdict.expiry or 0)
        sweep.plan.add(name, row_name(found.row, name, secret), found.verdict.state, item)
    return waiting


def _announced(
    rows: Sequence[DeletableRow], announced: Callable[[Mapping[str, int]], AbstractSet[str]]
) -> set[tuple[str, int]]:
    """The fingerprints and expiries, of those of the rows, that were announced long enough ago.

    The two rows of one token have one fingerprint, and may have two expiries: what was said of one is not said of the
    other, so such rows are asked after one at a time.
    """
    left = {(row.fingerprint, row.found.verdict.expiry or 0) for row in rows}
    found: set[tuple[str, int]] = set()
    while left:
        asked = dict(left)
        found.update((name, asked[name]) for name in announced(asked))
        left -= asked.items()
    return found

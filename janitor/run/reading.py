"""The first half of a run: every page of the table, every row of it judged once.

pages ──positions_worth_a_look──> rows ──classify──┬──> findings
│                                                └──> the plan, when there is one and the row may be deleted
└── plainly active rows, only counted ──> tally

A run that lists rows judges every one that it may list, and tells those that were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.run.findings import Findings, Told
from janitor.run.job import Job
from janitor.run.tally import Tally
from janitor.tokens.classify import Classification, State, classify, positions_worth_a_look
from janitor.tokens.deletable import is_deletable
from janitor.tokens.fingerprint import fingerprint, row_name
from janitor.tokens.protection import protected_by
from janitor.tokens.row import Row

if TYPE_CHECKING:
    from janitor.run.listing import Listing
    from janitor.run.sweep import Sweep

log = get_logger("janitor.run")


def read(job: Job, tally: Tally, findings: Findings) -> list[Remark]:
    """Read the table to its end, or until somebody asks to stop.

    Returns:
        what broke the reading off, as a remark for the report; nothing when it came to its end.
    """
    take = _count if job.listing is None else partial(_list, job.listing)
    try:
        for page in job.pages():
            take(page, job, tally, findings)
            job.progress.advance(page.scanned)
            if job.outlets.is_exhausted and job.sweep is None:
                message = "the scan broke off: there is nobody left to report to"
                return [Remark(where="scan", code="nobody-left", message=message)]
    except JanitorError as error:
        log.error("scan.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        where = "plan" if isinstance(error, SinkError) else "scan"
        return [Remark(where=where, code=error.code, message=str(error))]
    finally:
        job.progress.finish()
    return []


def _count(page: Page, job: Job, tally: Tally, findings: Findings) -> None:
    now, policy = job.now, job.policy
    everywhere = range(page.count)
    is_whole = page.is_filtered or job.unused_patterns.left
    positions = everywhere if is_whole else positions_worth_a_look(page.glances(), now, policy)
    tally.add_page(page.read_units, page.scanned - len(positions))
    told: list[Told] = []
    going: list[_Going] = []
    rows = page.rows(positions)
    job.unused_patterns.see(rows)
    for position, row in zip(positions, rows, strict=True):
        verdict = classify(row, now, policy)
        tally.add(verdict)
        if job.sweep is not None and _may_go(row, verdict, job, tally):
            name = fingerprint(row, policy.dialect, job.fingerprint_secret)
            going.append(_Going(page.item(position), name, Told(row, verdict)))
            continue
        tally.owners.add(row, verdict)
        if verdict.state is not State.ACTIVE:
            told.append(Told(row, verdict))
    if job.sweep is not None and going:
        told += _planned(going, job.sweep, tally, job.fingerprint_secret)
    findings.tell(told)


def _list(listing: Listing, page: Page, job: Job, tally: Tally, findings: Findings) -> None:
    """As `_count` of a run that deletes nothing; of active rows too, where they may be among those to list."""
    now, policy = job.now, job.policy
    is_whole = listing.wants_active or page.is_filtered
    positions = range(page.count) if is_whole else positions_worth_a_look(page.glances(), now, policy)
    tally.add_page(page.read_units, page.scanned - len(positions))
    told: list[Told] = []
    for row in page.rows(positions):
        verdict = classify(row, now, policy)
        tally.add(verdict)
        tally.owners.add(row, verdict)
        if listing.chooses(row, verdict):
            told.append(Told(row, verdict))
    tally.chosen += len(told)
    findings.tell(told)


class _Going(NamedTuple):
    """A row that may be deleted: its bytes, its fingerprint, and what it is."""

    item: bytes
    fingerprint: str
    told: Told


def _may_go(row: Row, verdict: Classification, job: Job, tally: Tally) -> bool:
    """Whether to plan the row, but for its notice; counts it if it is protected."""
    if not is_deletable(verdict, job.now, job.policy):
        return False
    if protected_by(row, job.policy) is not None:
        tally.protected += 1
        return False
    return True


def _planned(going: Sequence[_Going], sweep: Sweep, tally: Tally, secret: bytes | None) -> list[Told]:
    """Plan the rows; return those that have to wait until their notice is old enough."""
    waiting = []
    may_go = _announced(going, sweep.announced) if sweep.announced else None
    for item, name, told in going:
        if may_go is not None and (name, told.verdict.expiry or 0) not in may_go:
            tally.waiting += 1
            tally.owners.add(told.row, told.verdict)
            waiting.append(told)
            continue
        tally.plan(told.verdict.expiry or 0)
        sweep.plan.add(name, row_name(told.row, name, secret), told.verdict.state, item)
    return waiting


def _announced(
    going: Sequence[_Going], announced: Callable[[Mapping[str, int]], AbstractSet[str]]
) -> set[tuple[str, int]]:
    """The fingerprints and expiries, of those of the rows, that were announced long enough ago.

    The two rows of one token have one fingerprint, and may have two expiries: what was said of one is not said of the
    other, so such rows are asked after one at a time.
    """
    left = {(row.fingerprint, row.told.verdict.expiry or 0) for row in going}
    found: set[tuple[str, int]] = set()
    while left:
        asked = dict(left)
        found.update((name, asked[name]) for name in announced(asked))
        left -= asked.items()
    return found

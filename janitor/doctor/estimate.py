"""What a run would cost and take."""

import time
from collections.abc import Callable

from janitor.doctor.cluster import readers_at_once
from janitor.doctor.needs import Needs
from janitor.doctor.table import FoundTable
from janitor.dynamodb.client import Aws
from janitor.dynamodb.cost import (
    PAGE_BYTES,
    USUAL_PAGE_SECONDS,
    ReadEstimate,
    first_page,
    reading_of,
    write_units_of_delete,
)
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.dynamodb.upkeep import Throughput, throughput
from janitor.errors import JanitorError
from janitor.report.checkup import Estimate, SecondsBy
from janitor.settings.doctor import DoctorCommand
from janitor.tokens.policy import Policy
from janitor.wiring.budgets import unit_limits
from janitor.wiring.readers import shares_of

_MILLION = 1_000_000
_THOUSAND = 1_000


def estimate_of(
    needs: Needs, given: DoctorCommand, found: FoundTable, ticks: Callable[[], float] = time.perf_counter
) -> Estimate | None:
    """What the command would cost and take; None where that goes by the rows that are chosen, or nobody knows.

    A page of an on-demand table is read for it. Of a provisioned one none is, nor under --max-rcu: that would take from
    LISA what was saved up, and the units a second say how long a run takes.

    Args:
        needs: of the command.
        given: the settings.
        found: the table.
        ticks: seconds that only grow.
    """
    if found.aws is None or found.table is None or not needs.scans:
        return None
    table = found.table
    try:
        takes = throughput(found.aws, table.name)
    except JanitorError:
        return None
    budget, _ = unit_limits(takes, max_rcu=given.limits.max_rcu, max_wcu=None)
    spares = takes.provisioned_reads or budget is not None
    page, seconds = (None, USUAL_PAGE_SECONDS) if spares else _measured(found.aws, table, ticks)
    segments = shares_of(given.limits, table.size_bytes).segments
    at_once = readers_at_once(given.limits, table.size_bytes)
    rows, size = table.item_count, table.size_bytes
    if page is not None and page.next_key is not None:
        # DynamoDB's own count is hours old, and of a new table zero.
        rows, size = max(rows, page.scanned), max(size, PAGE_BYTES)
    elif page is not None:
        rows = page.scanned
    if page is None:
        reading = reading_of(size, segments, takes, seconds, budget, at_once=at_once)
    else:
        reading = _reading(page, size, segments, takes, seconds, at_once=at_once)
    slowed_by: SecondsBy = "throughput" if budget is None else "budget"
    by: SecondsBy = slowed_by if reading.is_slowed else "usual" if page is None else "measured"
    per_delete = write_units_of_delete(size, rows, takes.indexes) if needs.deletes else None
    return Estimate(
        rows=rows,
        size_bytes=size,
        segments=segments,
        pages=reading.pages,
        read_units=reading.read_units,
        cost_usd=round(reading.read_units * given.limits.read_price / _MILLION, 6),
        seconds=round(reading.seconds, 3),
        seconds_by=by,
        write_units_per_delete=per_delete,
        cost_usd_per_1000_deletes=_price_of_a_thousand(per_delete, given.doctor.write_price),
    )


def _measured(aws: Aws, table: Table, ticks: Callable[[], float]) -> tuple[Page | None, float]:
    """The first page, and how many seconds it took; what is usual where it cannot be read."""
    policy = Policy(dialect=table.dialect)
    before = ticks()
    try:
        page = first_page(aws.dynamodb, table.name, policy, int(time.time()))
    except JanitorError:
        return None, USUAL_PAGE_SECONDS
    return page, ticks() - before


def _reading(page: Page, size: int, segments: int, takes: Throughput, seconds: float, *, at_once: int) -> ReadEstimate:
    if page.next_key is None and segments == 1:
        return ReadEstimate(1, page.read_units, seconds, is_slowed=False)
    return reading_of(size, segments, takes, seconds, at_once=at_once)


def _price_of_a_thousand(per_delete: float | None, write_price: float) -> float | None:
    return None if per_delete is None else round(per_delete * _THOUSAND * write_price / _MILLION, 6)

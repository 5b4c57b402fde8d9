"""Estimate the cost and the time of a run."""

import time
from collections.abc import Callable

from janitor.doctor.cluster import count_parallel_readers
from janitor.doctor.needs import Needs
from janitor.doctor.table import FoundTable
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.cost import (
    PAGE_BYTES,
    USUAL_PAGE_SECONDS,
    LookupEstimate,
    ReadEstimate,
    count_delete_units,
    estimate_lookups,
    estimate_read,
    read_first_page,
)
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.dynamodb.table_features import Throughput, describe_throughput
from janitor.errors import JanitorError
from janitor.readers.interface import Rules
from janitor.readers.judging import judge_page
from janitor.report.checkup import Estimate, SecondsBy
from janitor.settings.doctor import DoctorCommand
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from janitor.wiring.budgets import compute_unit_limits
from janitor.wiring.readers import split_table

_MILLION = 1_000_000
_THOUSAND = 1_000


def make_estimate(
    needs: Needs, settings: DoctorCommand, found: FoundTable, ticks: Callable[[], float] = time.perf_counter
) -> Estimate | None:
    """Estimate what the command would cost and take; None if that depends on the chosen rows, or is not known.

    One page of an on-demand table is read and timed. Not of a provisioned table, nor under --max-rcu: that would use up
    capacity that LISA needs, and the units per second determine how long a run takes.

    Args:
        needs: what the command needs.
        settings: the settings.
        found: the table.
        ticks: a monotonic clock, in seconds.
    """
    if found.aws is None or found.table is None or not needs.scans:
        return None
    table = found.table
    try:
        capacity = describe_throughput(found.aws, table.name)
    except JanitorError:
        return None
    budget, _ = compute_unit_limits(capacity, max_rcu=settings.limits.max_rcu, max_wcu=None)
    is_limited = capacity.provisioned_reads or budget is not None
    page, seconds = (None, USUAL_PAGE_SECONDS) if is_limited else _time_first_page(found.aws, table, ticks)
    segments = split_table(settings.limits, table.size_bytes).segments
    at_once = count_parallel_readers(settings.limits, table.size_bytes)
    rows, size = table.item_count, table.size_bytes
    if page is not None and page.next_key is not None:
        # DynamoDB's own count is hours old; for a new table it is zero.
        rows, size = max(rows, page.scanned), max(size, PAGE_BYTES)
    elif page is not None:
        rows = page.scanned
    if page is None:
        reading = estimate_read(size, segments, capacity, seconds, budget, at_once=at_once)
    else:
        reading = _estimate_reading(page, size, segments, capacity, seconds, at_once=at_once)
    lookups = _estimate_lookups(page, table, rows, size)
    limited_by: SecondsBy = "throughput" if budget is None else "budget"
    seconds_by: SecondsBy = limited_by if reading.is_slowed else "usual" if page is None else "measured"
    per_delete = count_delete_units(size, rows, capacity.indexes) if needs.deletes else None
    return Estimate(
        rows=rows,
        size_bytes=size,
        segments=segments,
        pages=reading.pages,
        read_units=(read_units := reading.read_units + (lookups.read_units if lookups else 0.0)),
        cost_usd=round(read_units * settings.limits.read_price / _MILLION, 6),
        seconds=round(reading.seconds + (lookups.seconds if lookups else 0.0), 3),
        seconds_by=seconds_by,
        owner_lookups=lookups.owners if lookups else None,
        write_units_per_delete=per_delete,
        cost_usd_per_1000_deletes=_compute_price_per_thousand(per_delete, settings.doctor.write_price),
    )


def _time_first_page(aws: AwsSession, table: Table, ticks: Callable[[], float]) -> tuple[Page | None, float]:
    """Read the first page, and return it with the seconds it took; None and the usual time if it cannot be read."""
    policy = Policy(dialect=table.dialect)
    before = ticks()
    try:
        page = read_first_page(aws.dynamodb, table.name, policy, int(time.time()))
    except JanitorError:
        return None, USUAL_PAGE_SECONDS
    return page, ticks() - before


def _estimate_lookups(page: Page | None, table: Table, rows: int, size: int) -> LookupEstimate | None:
    """Estimate the look-ups of owners who may be locked out; None where no page was read."""
    if table.dialect is not Dialect.HASHED or not table.has_owner_index:
        return LookupEstimate(0, 0.0, 0.0)
    if page is None:
        return None
    rules = Rules(policy=Policy(dialect=table.dialect), now=int(time.time()), fingerprint_key=None)
    owners = len(judge_page(page, rules).tally.owners.candidates)
    return estimate_lookups(owners, page.scanned, rows, size // max(1, rows))


def _estimate_reading(
    page: Page, size: int, segments: int, capacity: Throughput, seconds: float, *, at_once: int
) -> ReadEstimate:
    if page.next_key is None and segments == 1:
        return ReadEstimate(1, page.read_units, seconds, is_slowed=False)
    return estimate_read(size, segments, capacity, seconds, at_once=at_once)


def _compute_price_per_thousand(per_delete: float | None, write_price: float) -> float | None:
    return None if per_delete is None else round(per_delete * _THOUSAND * write_price / _MILLION, 6)

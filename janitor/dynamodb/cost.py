"""Estimate what reading a whole table costs and how long it takes, before it is read."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import SHARE_OF_A_SECOND
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.owner_query import MAX_OWNER_LOOKUPS
from janitor.dynamodb.scan import build_filter
from janitor.dynamodb.table_features import Throughput
from janitor.tokens.policy import Policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A page of Scan holds at most 1 MB as it is stored, before the filter.
PAGE_BYTES = 1024 * 1024
# Eventually consistent: half a unit for each 4 KB of a page, rounded up.
_BYTES_OF_HALF_A_UNIT = 4 * 1024
# How long a page of 1 MB takes in one segment (see scan.py).
USUAL_PAGE_SECONDS = 0.08
# The read units a second of a new on-demand table (DynamoDB developer guide, "On-demand capacity mode").
_NEW_TABLE_READS = 12_000
_BYTES_OF_A_WRITE_UNIT = 1024
# How long looking up one owner takes, one after the other: 500 take a few seconds.
_LOOKUP_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class ReadEstimate:
    """What reading a table would take.

    Attributes:
        pages: how many pages.
        read_units: what they cost.
        seconds: how long they take.
        is_slowed: whether the table's throughput or the budget limits the speed.
    """

    pages: int
    read_units: float
    seconds: float
    is_slowed: bool


def count_read_units(size_bytes: int, pages: int) -> float:
    """Return the cost of this many pages of equal size together; the smallest page costs half a unit."""
    page_bytes = -(-size_bytes // pages)
    return pages * max(1, -(-page_bytes // _BYTES_OF_HALF_A_UNIT)) / 2


def count_pages(size_bytes: int, segments: int, budget: float | None = None) -> int:
    """Return how many pages a table of this size has: one for each segment at least, and more under a budget."""
    budget_bytes = math.inf if budget is None else budget * SHARE_OF_A_SECOND * 2 * _BYTES_OF_HALF_A_UNIT
    return max(segments, math.ceil(size_bytes / max(_BYTES_OF_HALF_A_UNIT, min(PAGE_BYTES, budget_bytes))))


def estimate_read(
    size_bytes: int,
    segments: int,
    throughput: Throughput,
    page_seconds: float,
    budget: float | None = None,
    *,
    at_once: int | None = None,
) -> ReadEstimate:
    """Estimate what reading a table of this size would take.

    Args:
        size_bytes: the size from DescribeTable.
        segments: in how many parts it is read.
        throughput: the table's throughput.
        page_seconds: how long one page takes.
        budget: read units a second that the run may take; None for no limit.
        at_once: how many parts are read at the same time; None for all of them.
    """
    pages = count_pages(size_bytes, segments, budget)
    units = count_read_units(size_bytes, pages)
    by_pages = -(-pages // (at_once or segments)) * page_seconds
    # Burst capacity that the table has saved up is not counted: it is for LISA.
    units_per_second = throughput.provisioned_reads or throughput.warm_reads or _NEW_TABLE_READS
    by_units = units / min(units_per_second, budget or units_per_second)
    return ReadEstimate(pages, units, max(by_pages, by_units), by_units > by_pages)


@dataclass(frozen=True, slots=True)
class LookupEstimate:
    """What looking up owners would take: how many, their read units, and the seconds."""

    owners: int
    read_units: float
    seconds: float


def estimate_lookups(owners: int, scanned: int, rows: int, row_bytes: int) -> LookupEstimate:
    """Estimate the look-ups of owners at the end of a run, by a page of the table.

    Args:
        owners: how many owners of the page would be looked up.
        scanned: how many rows the page has.
        rows: how many rows the table has.
        row_bytes: how large a row is; most owners have one.
    """
    expected = min(MAX_OWNER_LOOKUPS, round(owners * max(1.0, rows / scanned))) if scanned else 0
    return LookupEstimate(expected, expected * count_read_units(row_bytes, 1), expected * _LOOKUP_SECONDS)


def count_delete_units(size_bytes: int, rows: int, indexes: int) -> float:
    """Return the write units of deleting a row of average size, with its entries in the indexes."""
    size = size_bytes / rows if rows else 0
    return float(max(1, -(-size // _BYTES_OF_A_WRITE_UNIT)) * (1 + indexes))


def read_first_page(client: "DynamoDBClient", table: str, policy: Policy, now: int) -> Page:
    """Read the first page of the table with the request that a scan sends.

    Raises:
        AwsError: DynamoDB refused or could not be reached.
    """
    with aws_errors("dynamodb:Scan", f"the table {table}"):
        answer = client.scan(TableName=table, ReturnConsumedCapacity="TOTAL", **build_filter(now, policy))
    return page_of(answer, "dynamodb:Scan")

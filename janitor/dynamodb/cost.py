"""What reading a whole table costs and how long it takes, before it is read."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import SHARE_OF_A_SECOND
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.scan import filter_for
from janitor.dynamodb.upkeep import Throughput
from janitor.tokens.policy import Policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A page of Scan holds at most 1 MB as it is stored, before the filter.
PAGE_BYTES = 1024 * 1024
# Eventually consistent: half a unit for each 4 KB of a page, rounded up.
_BYTES_OF_HALF_A_UNIT = 4 * 1024
# What a page of 1 MB takes in one segment (see scan.py).
USUAL_PAGE_SECONDS = 0.08
# Of a new on-demand table (DynamoDB developer guide, "On-demand capacity mode").
_NEW_TABLE_READS = 12_000
_BYTES_OF_A_WRITE_UNIT = 1024


@dataclass(frozen=True, slots=True)
class ReadEstimate:
    """What reading a table would be.

    Attributes:
        pages: how many answers.
        read_units: what they cost.
        seconds: how long they take.
        is_slowed: whether the table's own throughput, or the budget, is what makes it so long.
    """

    pages: int
    read_units: float
    seconds: float
    is_slowed: bool


def read_units(size_bytes: int, pages: int) -> float:
    """What so many pages of equal size cost together; the least page costs half a unit."""
    of_a_page = -(-size_bytes // pages)
    return pages * max(1, -(-of_a_page // _BYTES_OF_HALF_A_UNIT)) / 2


def pages_of(size_bytes: int, segments: int, budget: float | None = None) -> int:
    """How many pages a table of this size has; each segment has one at least, and under a budget they are smaller."""
    page = PAGE_BYTES if budget is None else min(PAGE_BYTES, budget * SHARE_OF_A_SECOND * 2 * _BYTES_OF_HALF_A_UNIT)
    return max(segments, math.ceil(size_bytes / max(_BYTES_OF_HALF_A_UNIT, page)))


def reading_of(
    size_bytes: int,
    segments: int,
    throughput: Throughput,
    page_seconds: float,
    budget: float | None = None,
    *,
    at_once: int | None = None,
) -> ReadEstimate:
    """What reading a table of this size would be.

    Args:
        size_bytes: as DescribeTable has it.
        segments: in how many parts it is read.
        throughput: what the table takes.
        page_seconds: what one page of it takes.
        budget: read units a second that the run may take; None for no limit.
        at_once: how many parts are read at the same time; None for all of them.
    """
    pages = pages_of(size_bytes, segments, budget)
    units = read_units(size_bytes, pages)
    by_pages = -(-pages // (at_once or segments)) * page_seconds
    # Without a second's worth to spare: what a table saved up for bursts is LISA's.
    takes = throughput.provisioned_reads or throughput.warm_reads or _NEW_TABLE_READS
    by_units = units / min(takes, budget or takes)
    return ReadEstimate(pages, units, max(by_pages, by_units), by_units > by_pages)


def write_units_of_delete(size_bytes: int, rows: int, indexes: int) -> float:
    """What deleting a row of average size costs, with its entries in the indexes."""
    size = size_bytes / rows if rows else 0
    return float(max(1, -(-size // _BYTES_OF_A_WRITE_UNIT)) * (1 + indexes))


def first_page(client: "DynamoDBClient", table: str, policy: Policy, now: int) -> Page:
    """The first page of the table, asked for as a scan asks.

    Raises:
        AwsError: DynamoDB refused or could not be reached.
    """
    with aws_errors("dynamodb:Scan", f"the table {table}"):
        answer = client.scan(TableName=table, ReturnConsumedCapacity="TOTAL", **filter_for(now, policy))
    return page_of(answer, "dynamodb:Scan")

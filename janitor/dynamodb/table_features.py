"""Ask DynamoDB for features of a table: throughput, time to live (TTL), point-in-time recovery."""

from collections.abc import Mapping
from typing import Any

import msgspec

from janitor.aws.errors import aws_errors
from janitor.dynamodb.client import AwsSession
from janitor.errors import JanitorError
from janitor.logs import get_logger
from janitor.tokens.attribute_names import EXPIRATION

log = get_logger("janitor.locate")

_TTL_ON = frozenset({"ENABLED", "ENABLING"})


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests a table can take.

    Attributes:
        provisioned_reads, provisioned_writes: provisioned units a second; None on demand.
        warm_reads: read units a second that an on-demand table is ready for; None if the server does not say.
        indexes: how many global secondary indexes each write also goes to.
    """

    provisioned_reads: int | None
    provisioned_writes: int | None = None
    warm_reads: int | None
    indexes: int


UNKNOWN_THROUGHPUT = Throughput(provisioned_reads=None, warm_reads=None, indexes=0)


def describe_throughput(aws: AwsSession, table: str) -> Throughput:
    """Ask for the table's throughput.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeTable` may be missing.
    """
    with aws_errors("dynamodb:DescribeTable", f"the table {table}"):
        description: Mapping[str, Any] = aws.dynamodb.describe_table(TableName=table)["Table"]
    return throughput_of(description)


def throughput_of(description: Mapping[str, Any]) -> Throughput:
    """Return the throughput in an answer of DescribeTable."""
    # An on-demand table has 0 units, whether or not the answer names its billing mode.
    provisioned = description.get("ProvisionedThroughput", {})
    indexes = description.get("GlobalSecondaryIndexes", ())
    # DynamoDB throttles writes to the table when one of its indexes cannot keep up.
    writes = [int(each.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0)) for each in indexes]
    slowest = min([int(provisioned.get("WriteCapacityUnits", 0)), *(units for units in writes if units)])
    warm = description.get("WarmThroughput", {}).get("ReadUnitsPerSecond", 0)
    return Throughput(
        provisioned_reads=int(provisioned.get("ReadCapacityUnits", 0)) or None,
        provisioned_writes=slowest or None,
        warm_reads=warm or None,
        indexes=len(indexes),
    )


def ttl_attribute(aws: AwsSession, table: str) -> str | None:
    """Return the attribute by whose time DynamoDB itself deletes rows (TTL); None if it deletes none.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeTimeToLive` may be missing.
    """
    with aws_errors("dynamodb:DescribeTimeToLive", f"the table {table}"):
        described: Mapping[str, Any] = aws.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    return described.get("AttributeName") if described.get("TimeToLiveStatus") in _TTL_ON else None


def deletes_expired_rows(aws: AwsSession, table: str) -> bool:
    """Whether DynamoDB itself deletes expired rows (TTL on `tokenExpiration`); False if janitor may not ask."""
    try:
        return ttl_attribute(aws, table) == EXPIRATION
    except JanitorError as error:
        log.debug("ttl.not_looked_at", table=table, code=error.code)
        return False


def has_point_in_time_recovery(aws: AwsSession, table: str) -> bool:
    """Whether the table can be restored to any second of the last days.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeContinuousBackups` may be missing.
    """
    with aws_errors("dynamodb:DescribeContinuousBackups", f"the table {table}"):
        answer: Mapping[str, Any] = aws.dynamodb.describe_continuous_backups(TableName=table)
        described = answer["ContinuousBackupsDescription"]
    recovery: Mapping[str, Any] = described.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"

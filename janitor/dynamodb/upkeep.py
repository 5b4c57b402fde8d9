"""What DynamoDB does for a table by itself, and how much it lets through."""

from collections.abc import Mapping
from typing import Any

import msgspec

from janitor.aws.errors import aws_errors
from janitor.dynamodb.client import Aws

_TTL_ON = frozenset({"ENABLED", "ENABLING"})


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """What a table takes.

    Attributes:
        provisioned_reads, provisioned_writes: units a second that are paid for; None on demand.
        warm_reads: read units a second that an on-demand table is ready for; None where the server does not say.
        indexes: how many global secondary indexes each write goes to besides.
    """

    provisioned_reads: int | None
    provisioned_writes: int | None = None
    warm_reads: int | None
    indexes: int


UNKNOWN_THROUGHPUT = Throughput(provisioned_reads=None, warm_reads=None, indexes=0)


def throughput(aws: Aws, table: str) -> Throughput:
    """What the table takes.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeTable` may be missing.
    """
    with aws_errors("dynamodb:DescribeTable", f"the table {table}"):
        description: Mapping[str, Any] = aws.dynamodb.describe_table(TableName=table)["Table"]
    return throughput_in(description)


def throughput_in(description: Mapping[str, Any]) -> Throughput:
    """What the table takes, as DescribeTable's answer has it."""
    # An on-demand table says 0 units, whether or not it names its billing mode.
    provisioned = description.get("ProvisionedThroughput", {})
    indexes = description.get("GlobalSecondaryIndexes", ())
    # An index that cannot keep up with the writes has DynamoDB throttle those to the table.
    writes = [int(each.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0)) for each in indexes]
    slowest = min([int(provisioned.get("WriteCapacityUnits", 0)), *(units for units in writes if units)])
    warm = description.get("WarmThroughput", {}).get("ReadUnitsPerSecond", 0)
    return Throughput(
        provisioned_reads=int(provisioned.get("ReadCapacityUnits", 0)) or None,
        provisioned_writes=slowest or None,
        warm_reads=warm or None,
        indexes=len(indexes),
    )


def ttl_attribute(aws: Aws, table: str) -> str | None:
    """The attribute after whose time DynamoDB removes rows; None where it removes none.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeTimeToLive` may be missing.
    """
    with aws_errors("dynamodb:DescribeTimeToLive", f"the table {table}"):
        described: Mapping[str, Any] = aws.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    return described.get("AttributeName") if described.get("TimeToLiveStatus") in _TTL_ON else None


def has_point_in_time_recovery(aws: Aws, table: str) -> bool:
    """Whether the table can be put back to any second of the last days.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:DescribeContinuousBackups` may be missing.
    """
    with aws_errors("dynamodb:DescribeContinuousBackups", f"the table {table}"):
        answer: Mapping[str, Any] = aws.dynamodb.describe_continuous_backups(TableName=table)
        described = answer["ContinuousBackupsDescription"]
    recovery: Mapping[str, Any] = described.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"

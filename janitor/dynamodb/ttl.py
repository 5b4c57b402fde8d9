"""Whether DynamoDB itself removes rows after their expiry (time to live, TTL)."""

from janitor.aws.errors import aws_errors
from janitor.dynamodb.client import Aws
from janitor.errors import JanitorError
from janitor.logs import get_logger

log = get_logger("janitor.locate")

_ON = frozenset({"ENABLED", "ENABLING"})
_EXPIRATION = "tokenExpiration"


def removes_rows_itself(aws: Aws, table: str) -> bool:
    """Whether TTL is on for `tokenExpiration`; False too where `dynamodb:DescribeTimeToLive` is not allowed."""
    try:
        with aws_errors("dynamodb:DescribeTimeToLive", f"the table {table}"):
            described = aws.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    except JanitorError as error:
        log.debug("ttl.not_looked_at", table=table, code=error.code)
        return False
    return described.get("TimeToLiveStatus") in _ON and described.get("AttributeName") == _EXPIRATION

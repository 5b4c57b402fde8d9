"""Read LISA's usage table: when each user was last seen.

LISA writes a row for each user whose prompt it has counted: key `userId`, and `lastSeen` as
`datetime.now().isoformat()` without a time zone, which in Lambda is UTC (lambda/metrics/lambda_functions.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.backoff import Backoff
from janitor.dynamodb.budget import Budget, Wait
from janitor.errors import AwsError
from janitor.tokens.expiration import parse_iso_second

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CALL = "dynamodb:BatchGetItem"
_USER, _SEEN = "userId", "lastSeen"
# The most that BatchGetItem takes, and the longest key of a table (Amazon DynamoDB API Reference and quotas).
_MAX_USERS = 100
_MAX_KEY_BYTES = 2_048
# An eventually consistent read of a row up to 4 KB.
_UNITS_OF_A_ROW = 0.5
_MAX_TRIES = 8


class UsageTable:
    """LISA's usage table. One thread at a time reads it.

    Attributes:
        read_units: what the reads have cost so far.
    """

    def __init__(self, client: "DynamoDBClient", name: str, budget: Budget, wait: Wait) -> None:
        """Prepare; sends nothing.

        Args:
            client: any client for DynamoDB.
            name: the table's name.
            budget: what reads may cost.
            wait: waits so many seconds; True to give up.
        """
        # Not typed by the stubs: an answer that was cut short lacks keys that they promise.
        self._client: Any = client
        self.read_units = 0.0
        self._name, self._budget, self._wait = name, budget, wait

    def read(self, users: Iterable[str]) -> dict[str, int]:
        """Return the UNIX second at which each of these users was last seen; without those whom LISA never counted.

        Raises:
            AwsError: the table could not be read, `dynamodb:BatchGetItem` may be missing; or the wait was given up.
        """
        # A longer name cannot be a key, and one such key fails the whole request.
        valid = [user for user in dict.fromkeys(users) if 0 < len(user.encode("utf-8", "replace")) <= _MAX_KEY_BYTES]
        seen: dict[str, int] = {}
        for start in range(0, len(valid), _MAX_USERS):
            for item in self._read_batch(valid[start : start + _MAX_USERS]):
                second = parse_iso_second(item.get(_SEEN, {}).get("S", ""))
                if second is not None:
                    seen[item[_USER]["S"]] = second
        return seen

    def _read_batch(self, users: Sequence[str]) -> list[Mapping[str, Any]]:
        keys: Sequence[Any] = [{_USER: {"S": user}} for user in users]
        items: list[Mapping[str, Any]] = []
        backoff = Backoff(0.05, 2.0)
        for number in range(_MAX_TRIES):
            units = _UNITS_OF_A_ROW * len(keys)
            if not self._budget.take(units, self._wait):
                break
            with aws_errors(_CALL, f"the usage table {self._name}"):
                answer = self._client.batch_get_item(
                    RequestItems={self._name: {"Keys": keys, "ProjectionExpression": f"{_USER}, {_SEEN}"}},
                    ReturnConsumedCapacity="TOTAL",
                )
                # An answer that was cut short on every try has none of its keys, so a missing one is an error.
                items += answer["Responses"].get(self._name, ())
            spent = sum(each.get("CapacityUnits", units) for each in answer.get("ConsumedCapacity", ()))
            self._budget.correct(units, spent or units)
            self.read_units += spent or units
            keys = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", ())
            if not keys:
                return items
            if self._wait(backoff.seconds(number)):
                break
        raise AwsError(f"{_CALL}: the usage table {self._name} did not return all rows", "run it again", "throttled")

"""Records of shards in the ledger's DynamoDB table.

scope (partition key)      item (sort key)      attributes
account/region/table       shard/NAME           data, expiresAt
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from janitor.ledger.shard_store import KEEP_SECONDS
from janitor.ledger.state_table import MOST_KEYS, Attributes, StateTable
from janitor.ledger.url import DynamoDbUrl

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ = "dynamodb:BatchGetItem"
_PREFIX = "shard/"
_WRITE = "SET #data = :data, #expiresAt = :until"
_IS_NEW = "attribute_not_exists(#data)"
_IS_AS_SEEN = "#data = :seen"


class DynamoDbShardStore:
    """As `ShardStore`, in a table that `create_table` has made. Asks for no permission that the ledger does not."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        scope: str,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run; it stays the caller's to close.
            table: the state table's name.
            scope: the table that the shards are of, `account/region/table`.
            clock: the present UNIX second, from which on DynamoDB keeps the records for `KEEP_SECONDS`.
            wait: waits so many seconds, before something is tried again.
            jitter: spreads the retries.
        """
        self.location = str(DynamoDbUrl(table))
        self._table = StateTable(client, table, scope, wait=wait, jitter=jitter)
        self._clock = clock

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """As `ShardStore.read`, a hundred a request."""
        found: dict[str, bytes] = {}
        for start in range(0, len(names), MOST_KEYS):
            items = [f"{_PREFIX}{name}" for name in names[start : start + MOST_KEYS]]
            records = self._table.get(items)
            with self._table.errors(_READ):
                found |= {item.removeprefix(_PREFIX): bytes(record["data"]["B"]) for item, record in records.items()}
        return found

    def create(self, name: str, content: bytes) -> bool:
        """As `ShardStore.create`."""
        return self._table.update(f"{_PREFIX}{name}", _WRITE, self._values(content), _IS_NEW)

    def put(self, name: str, content: bytes) -> None:
        """As `ShardStore.put`."""
        self._table.update(f"{_PREFIX}{name}", _WRITE, self._values(content))

    def replace(self, name: str, seen: bytes, content: bytes) -> bool:
        """As `ShardStore.replace`."""
        values = {**self._values(content), ":seen": {"B": seen}}
        return self._table.update(f"{_PREFIX}{name}", _WRITE, values, _IS_AS_SEEN)

    def remove(self, names: Sequence[str]) -> None:
        """As `ShardStore.remove`, one a request."""
        for name in names:
            self._table.delete(f"{_PREFIX}{name}")

    def _values(self, content: bytes) -> Attributes:
        return {":data": {"B": content}, ":until": {"N": str(int(self._clock()) + KEEP_SECONDS)}}

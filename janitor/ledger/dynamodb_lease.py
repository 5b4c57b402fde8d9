"""Leases in the ledger's DynamoDB table.

    scope (partition key)      item (sort key)      attributes
    account/region/table       lease                holder, until, expiresAt

The time is that of the `Date` header of the table's own answers. A lease is written on the condition that what was
read a moment ago still stands: of two that saw the same one run out, the second finds it changed. `holder` and `until`
are gone from one that was given back. DynamoDB removes the item at `expiresAt`, by when the lease has long been over.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from janitor.errors import StoreError
from janitor.ledger.lease import GRAIN_SECONDS, Held, Lease, nobody
from janitor.ledger.state_table import Attributes, StateTable
from janitor.store.url import DynamoDbUrl

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITE = "dynamodb:UpdateItem"

_LEASE = "lease"
# What the table's TTL leaves of a lease that is over; more than clocks can be apart.
_KEPT_SECONDS = 7 * 86_400

_HOLD = "SET #holder = :holder, #until = :until, #expiresAt = :expiresAt"
_GIVE_BACK = "REMOVE #holder, #until"
_HOLDS = "#holder = :holder"
_OF_A_HOLDER = frozenset({"holder", "until"})


class _Seen(NamedTuple):
    """The lease as it was read, and the server's UNIX second at that.

    Attributes:
        held: the lease, None where nobody has it.
        attributes: the same as the table has it, of whatever types; none where nobody has it.
    """

    held: Held | None
    attributes: Attributes
    now: int


class DynamoDbLeaseStore:
    """As `LeaseStore`, in a table that `create_table` has made. Asks for no permission that the ledger does not."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run; it stays the caller's to close.
            table: the state table's name.
            wait: waits so many seconds, before something is tried again.
            jitter: spreads the retries.
        """
        self.location = str(DynamoDbUrl(table))
        self._client, self._name, self._wait, self._jitter = client, table, wait, jitter

    def take(
        self, scope: str, holder: str, seconds: int, may_take_over: Callable[[Held], bool] = nobody
    ) -> Lease | Held:
        """As `LeaseStore.take`."""
        table = self._table(scope)
        for _ in table.rounds(_WRITE):
            seen = self._seen(table)
            if seen.held is not None and not seen.held.is_free_for(holder, seen.now, may_take_over):
                return seen.held
            until = seen.now + GRAIN_SECONDS + seconds
            if _hold(table, holder, until, seen):
                break
        return Lease(
            scope, holder, until, seen.held if seen.held is not None and seen.held.is_broken(seen.now) else None
        )

    def holder(self, scope: str) -> Held | None:
        """As `LeaseStore.holder`."""
        seen = self._seen(self._table(scope))
        return None if seen.held is None or seen.held.is_over(seen.now) else seen.held

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """As `LeaseStore.renew`.

        A try that arrives late, when the lease has been renewed since, does not find what it saw, and changes nothing.
        """
        table = self._table(scope)
        for _ in table.rounds(_WRITE):
            seen = self._seen(table)
            if seen.held is None or seen.held.holder != holder:
                return False
            if _hold(table, holder, seen.now + GRAIN_SECONDS + seconds, seen):
                break
        return True

    def release(self, scope: str, holder: str) -> None:
        """As `LeaseStore.release`."""
        self._table(scope).update(_LEASE, _GIVE_BACK, {":holder": {"S": holder}}, _HOLDS)

    def _table(self, scope: str) -> StateTable:
        """Its own for every call: the time that it remembers is no other thread's."""
        return StateTable(self._client, self._name, scope, wait=self._wait, jitter=self._jitter)

    def _seen(self, table: StateTable) -> _Seen:
        attributes = table.get([_LEASE]).get(_LEASE)
        if table.answered_at is None:
            sentence = f"the state table {self._name} answers without a date, by which a lease is told to be over"
            raise StoreError(sentence, "see what changes answers between here and the table", "no-date")
        if attributes is None or "holder" not in attributes:
            return _Seen(None, {}, table.answered_at)
        held = Held.of(attributes["holder"].get("S"), attributes.get("until", {}).get("N"))
        return _Seen(held, attributes, table.answered_at)


def _hold(table: StateTable, holder: str, until: int, seen: _Seen) -> bool:
    """Write the lease where it still is as it was seen, False where it is not."""
    values: dict[str, Attributes] = {
        ":holder": {"S": holder},
        ":until": _number(until),
        ":expiresAt": _number(until + _KEPT_SECONDS),
    }
    conditions = ["attribute_not_exists(#holder)"]
    if seen.attributes:
        values |= {f":seen_{name}": seen.attributes[name] for name in _OF_A_HOLDER & seen.attributes.keys()}
        conditions = [
            f"#{name} = :seen_{name}" if name in seen.attributes else f"attribute_not_exists(#{name})"
            for name in sorted(_OF_A_HOLDER)
        ]
    return table.update(_LEASE, _HOLD, values, " AND ".join(conditions))


def _number(value: int) -> Mapping[str, str]:
    return {"N": str(value)}

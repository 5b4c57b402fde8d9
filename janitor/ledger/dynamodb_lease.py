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

from janitor.errors import LedgerError
from janitor.ledger.lease import GRAIN_SECONDS, Held, Lease
from janitor.ledger.state_table import Attributes, StateTable
from janitor.ledger.url import DynamoDbUrl

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ = "dynamodb:BatchGetItem"
_WRITE = "dynamodb:UpdateItem"

_LEASE = "lease"
# What the table's TTL leaves of a lease that is over; more than clocks can be apart.
_KEPT_SECONDS = 7 * 86_400

_HOLD = "SET #holder = :holder, #until = :until, #expiresAt = :expiresAt"
_IS_FREE = "attribute_not_exists(#holder)"
_IS_AS_SEEN = "#holder = :seenHolder AND #until = :seenUntil"
# Never shorter: a renewal that was long on its way changes nothing.
_IS_OURS = "#holder = :holder AND #until <= :until"
_GIVE_BACK = "REMOVE #holder, #until"
_HOLDS = "#holder = :holder"


class _Seen(NamedTuple):
    """The lease as it was read, None where nobody had it; and the server's UNIX second at that."""

    lease: Held | None
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

    def take(self, scope: str, holder: str, seconds: int) -> Lease | Held:
        """As `LeaseStore.take`."""
        table = self._table(scope)
        for _ in table.rounds(_WRITE):
            seen = self._seen(table)
            # One that is the holder's may be what the last try left, whose answer was lost: it is taken anew.
            if seen.lease is not None and seen.lease.holder != holder and seen.lease.until > seen.now:
                return seen.lease
            wanted = Held(holder, seen.now + GRAIN_SECONDS + seconds)
            values, condition = _values(wanted), _IS_FREE
            if seen.lease is not None:
                values |= {":seenHolder": {"S": seen.lease.holder}, ":seenUntil": _number(seen.lease.until)}
                condition = _IS_AS_SEEN
            if table.update(_LEASE, _HOLD, values, condition):
                break
        return Lease(scope, *wanted)

    def holder(self, scope: str) -> Held | None:
        """As `LeaseStore.holder`."""
        seen = self._seen(self._table(scope))
        return seen.lease if seen.lease is not None and seen.lease.until > seen.now else None

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """As `LeaseStore.renew`. A try that is sent again, because its answer was lost, does the same once more."""
        table = self._table(scope)
        seen = self._seen(table)
        wanted = Held(holder, seen.now + GRAIN_SECONDS + seconds)
        if table.update(_LEASE, _HOLD, _values(wanted), _IS_OURS):
            return True
        left = self._seen(table).lease
        return left is not None and left.holder == holder and left.until >= wanted.until

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
            raise LedgerError(sentence, "see what changes answers between here and the table", "no-date")
        if attributes is None or "holder" not in attributes:
            return _Seen(None, table.answered_at)
        with table.errors(_READ):
            return _Seen(Held(attributes["holder"]["S"], int(attributes["until"]["N"])), table.answered_at)


def _values(lease: Held) -> dict[str, Attributes]:
    return {
        ":holder": {"S": lease.holder},
        ":until": _number(lease.until),
        ":expiresAt": _number(lease.until + _KEPT_SECONDS),
    }


def _number(value: int) -> Mapping[str, str]:
    return {"N": str(value)}

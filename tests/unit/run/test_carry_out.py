import json
import threading
from collections import Counter
from collections.abc import Sequence

import msgspec

from janitor.dynamodb.delete import BatchResult, Settled
from janitor.dynamodb.target import Target
from janitor.run.archive import NoArchive
from janitor.run.carry_out import Candidate, ForReal
from janitor.run.plan import PlannedRow
from janitor.run.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.row import row_of

_NOW = 1_800_000_000
_POLICY = Policy(dialect=Dialect.HASHED, thresholds=(86_400,), grace=86_400)


def stale(count: int) -> list[Candidate]:
    items = [
        json.dumps(
            {"token": {"S": f"{number:064x}"}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": str(_NOW - 10**7)}}
        ).encode()
        for number in range(count)
    ]
    return [
        Candidate(
            PlannedRow(number, f"{number:012x}", f"{number:012x}-000000", "stale", msgspec.Raw(item)), row_of(item)
        )
        for number, item in enumerate(items)
    ]


class Lease:
    """Held until so many batches have gone."""

    def __init__(self, batches: int) -> None:
        self.left = batches
        self.lock = threading.Lock()

    def is_held(self) -> bool:
        return self.left > 0

    def delete(self, targets: Sequence[Target]) -> BatchResult:
        with self.lock:
            self.left -= 1
        return BatchResult([Settled(DeletionOutcome.DELETED)] * len(targets))


def settled(lease: Lease, rows: int) -> tuple[ForReal, Counter[DeletionOutcome]]:
    way = ForReal(
        delete=lease.delete,
        archive=NoArchive(),
        policy=_POLICY,
        clock=lambda: _NOW,
        stop=Stop(),
        may_go_on=lease.is_held,
    )
    return way, Counter(outcome for _, outcome in way.settle(stale(rows)))


def test_after_the_lease_is_lost_no_batch_is_sent_and_it_is_said_once() -> None:
    way, outcomes = settled(Lease(batches=3), rows=10_000)
    # Sixteen workers may have asked just before it was lost.
    assert 75 <= outcomes[DeletionOutcome.DELETED] <= (3 + 16) * 25
    assert outcomes.total() == 10_000
    assert outcomes[DeletionOutcome.PLANNED] == 10_000 - outcomes[DeletionOutcome.DELETED]
    assert [error.code for error in way.errors] == ["lease-lost"]


def test_while_the_lease_is_held_every_row_goes() -> None:
    way, outcomes = settled(Lease(batches=1_000), rows=10_000)
    assert outcomes == {DeletionOutcome.DELETED: 10_000}
    assert way.errors == []

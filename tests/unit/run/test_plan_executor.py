import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.archive.archive import Archive, FileArchive, NoArchive
from janitor.archive.plan import PlanHeader, PlannedRow, PlanPolicy, PlanTable
from janitor.archive.plan_reader import ReadRow
from janitor.dynamodb.delete import BatchResult, RowResult
from janitor.dynamodb.target import Target
from janitor.run.plan_executor import DeletingExecutor
from janitor.stopping import Stop
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from janitor.tokens.row import decode_row
from tests.unit.rows import KEY

_NOW = 1_800_000_000
_EXPIRY = _NOW - 10**7
_POLICY = Policy(dialect=Dialect.HASHED, thresholds=(86_400,), grace=86_400)


def candidates(items: Iterable[bytes]) -> list[ReadRow]:
    """Rows of a plan, from their DynamoDB JSON."""
    return [
        ReadRow(
            PlannedRow(number, f"{number:012x}", f"{number:012x}-000000", "stale", msgspec.Raw(item)), decode_row(item)
        )
        for number, item in enumerate(items)
    ]


def item(**attributes: dict[str, Any]) -> bytes:
    """A row that is stale, with these attributes besides or instead; an empty one takes it away."""
    whole = {"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": str(_EXPIRY)}} | attributes
    return json.dumps({name: value for name, value in whole.items() if value}).encode()


def stale(count: int) -> list[ReadRow]:
    return candidates(item(token={"S": f"{number:064x}"}) for number in range(count))


def key_of(target: Target) -> str:
    key: str = json.loads(bytes(target.key))["S"]
    return key


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
        return BatchResult([RowResult(DeletionOutcome.DELETED)] * len(targets))


def settled(lease: Lease, rows: int) -> tuple[DeletingExecutor, Counter[DeletionOutcome]]:
    way = DeletingExecutor(
        delete=lease.delete,
        archive=NoArchive(),
        policy=_POLICY,
        clock=lambda: _NOW,
        stop=Stop(),
        may_go_on=lease.is_held,
    )
    return way, Counter(outcome for _, outcome in way.execute(stale(rows)))


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


def test_where_no_thread_starts_every_row_stays_planned_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    way, outcomes = settled(Lease(batches=1_000), rows=10_000)
    assert outcomes == {DeletionOutcome.PLANNED: 10_000}
    assert [error.code for error in way.errors] == ["no-thread"]


class Table:
    """Takes every delete, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def delete(self, targets: Sequence[Target]) -> BatchResult:
        self.batches.append([key_of(target) for target in targets])
        return BatchResult([RowResult(DeletionOutcome.DELETED)] * len(targets))


def for_real(delete: Any, archive: Archive, *, policy: Policy = _POLICY, now: int = _NOW) -> DeletingExecutor:
    return DeletingExecutor(
        delete=delete, archive=archive, policy=policy, clock=lambda: now, stop=Stop(), may_go_on=lambda: True
    )


_UNDATED, _LEGACY = item(tokenExpiration={}), item(tokenUUID={})
_OVER = _EXPIRY + _POLICY.grace
# A row of the plan, the time, and the policy's changes: what speaks against its delete is seen at the last moment.
KEPT: dict[str, tuple[bytes, int, dict[str, Any]]] = {
    "a clock that went back into the grace": (item(), _OVER - 1, {}),
    "a clock that went back before the expiry": (item(), _EXPIRY - 1, {}),
    "a legacy row in its grace": (_LEGACY, _OVER - 1, {"include_legacy": True}),
    "a legacy row that nobody asked for": (_LEGACY, _NOW, {}),
    "a row without a date": (_UNDATED, _NOW, {}),
    "a row that is held": (item(janitorHold={"BOOL": True}), _NOW, {}),
    "a protected owner": (item(username={"S": "svc-a"}), _NOW, {"protect_users": ("svc-*",)}),
    "a system token": (item(isSystemToken={"BOOL": True}), _NOW, {"protect_system": True}),
}


@pytest.mark.parametrize(("kept", "now", "changes"), KEPT.values(), ids=KEPT)
def test_each_row_is_judged_again_before_it_is_sent(kept: bytes, now: int, changes: dict[str, Any]) -> None:
    table, archive = Table(), NoArchive()
    way = for_real(table.delete, archive, policy=structs.replace(_POLICY, **changes), now=now)
    assert [outcome for _, outcome in way.execute(candidates([kept]))] == [DeletionOutcome.FAILED]
    assert [error.code for error in way.errors] == ["no-longer-deletable"]
    assert (table.batches, archive.store([])) == ([], 0)


def test_at_the_first_second_after_its_grace_a_row_goes() -> None:
    table = Table()
    policy = structs.replace(_POLICY, include_legacy=True)
    way = for_real(table.delete, NoArchive(), policy=policy, now=_OVER)
    assert {outcome for _, outcome in way.execute(candidates([item(), _LEGACY]))} == {DeletionOutcome.DELETED}


@given(keys=st.lists(st.sampled_from(["a", "b", "é"]) | st.text("xyz", min_size=3, max_size=6), max_size=60))
def test_no_batch_holds_a_key_twice_however_it_is_written(keys: list[str]) -> None:
    plainly, escaped = item(token={"S": "?"}).decode(), r"\u%04x"
    items = [
        plainly.replace("?", key if number % 2 else "".join(escaped % ord(each) for each in key)).encode()
        for number, key in enumerate(keys)
    ]
    table = Table()
    # Such keys are no hashes, so these rows are legacy.
    way = for_real(table.delete, NoArchive(), policy=structs.replace(_POLICY, include_legacy=True))
    outcomes = [outcome for _, outcome in way.execute(candidates(items))]
    assert outcomes == [DeletionOutcome.DELETED] * len(keys)
    assert sorted(key for batch in table.batches for key in batch) == sorted(keys)
    assert [batch for batch in table.batches if len({*batch}) < len(batch) or len(batch) > 25] == []


class Disk:
    """Knows how much of each file would be there, had the machine lost its power: what was flushed to the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._flushed: dict[int, int] = {}
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self._flush)

    def _flush(self, file: int) -> None:
        self._fsync(file)
        status = os.fstat(file)
        self._flushed[status.st_ino] = status.st_size

    def content(self, path: Path) -> bytes:
        """What is left of a file; nothing where its folder does not know its name."""
        is_named = path.parent.stat().st_ino in self._flushed
        return path.read_bytes()[: self._flushed.get(path.stat().st_ino, 0)] if is_named else b""


def test_no_delete_is_sent_before_the_disk_holds_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, path = Disk(monkeypatch), tmp_path / "archive.ndjson"
    lost: list[str] = []

    def delete(targets: Sequence[Target]) -> BatchResult:
        kept = disk.content(path)
        lost.extend(key for target in targets if (key := key_of(target)).encode() not in kept)
        return BatchResult([RowResult(DeletionOutcome.DELETED)] * len(targets))

    archive = FileArchive(path)
    planned = PlanPolicy(_POLICY.dialect, [*_POLICY.thresholds], _POLICY.grace, [], [], protect_system=False)
    archive.open(
        PlanHeader(
            run_id="r", created_at="", now=_NOW, as_of=None, version="0", table=PlanTable("t", "r", None),
            policy=planned,
        )
    )  # fmt: skip
    # More than a group.
    outcomes = Counter(outcome for _, outcome in for_real(delete, archive).execute(stale(1_000)))
    archive.abandon()
    assert (outcomes, lost) == ({DeletionOutcome.DELETED: 1_000}, [])

"""Shards announce once, together: the last of them sends the one digest."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.announcing import Loudspeaker, Runs, due_rows, state_in
from tests.integration.ledgers import state_table
from tests.sweeping import living_rows, stale_rows

_SHARDS = 3


@pytest.fixture(params=["sqlite", "dynamodb"])
def state(request: pytest.FixtureRequest, ministack_url: str, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield state_in(tmp_path)
        return
    with state_table(ministack_url) as (_, table):
        yield f"dynamodb://{table}"


def test_the_last_shard_sends_the_one_digest(
    runs: Callable[..., Runs], topic: Loudspeaker, state: str, tmp_path: Path
) -> None:
    queue = topic.queue("digests")
    due = due_rows(*[0.5 + number / 4 for number in range(20)])
    nightly = runs(*due, *stale_rows(9), *living_rows(30), state=state)
    merged = tmp_path / "merged.json"

    def night(name: str) -> dict[str, object]:
        options = ("--shard-run", name, "--merged-report", f"json={merged}", "--digest", "news")
        with ThreadPoolExecutor(_SHARDS) as pool:
            ends = list(pool.map(lambda index: nightly.run("--shard", f"{index}/{_SHARDS}", *options), range(_SHARDS)))
        assert [end.finished.code for end in ends] == [0] * _SHARDS, [end.finished.err for end in ends]
        assert all(end.report["notices"] is None for end in ends), "no shard speaks for itself"
        report: dict[str, object] = json.loads(merged.read_text())
        return report

    first = night("monday")
    [digest] = queue.bodies()
    assert digest["counts"] == first["counts"]
    assert len(digest["notices"]) == first["notices"]["due"] == first["notices"]["sent"]  # type: ignore[index]
    assert first["changes"] is None

    second = night("tuesday")
    assert queue.bodies() == []
    changes = second["changes"]
    assert isinstance(changes, dict)
    assert {kind: changes[kind]["count"] for kind in ("newly_expiring", "newly_expired", "vanished")} == {
        "newly_expiring": 0,
        "newly_expired": 0,
        "vanished": 0,
    }

"""What a shard is told, and what it cannot be."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli import app
from janitor.cli.wiring.stores import claim_for
from janitor.config.output import StateSettings
from janitor.ledger.sqlite_shards import SqliteShardStore
from janitor.ledger.url import SqliteUrl
from janitor.run.lease_keeper import LeaseKeeper
from janitor.run.shards.sharded_run import ShardedRun
from janitor.shard import AUTO, MAX_SHARDS, Shard, parse_shard
from tests.unit.run.test_flow import TABLE

_STATE = ["--state-url", "sqlite:///state.sqlite"]
_IN_A_POD = {"JOB_COMPLETION_INDEX": "3", "JANITOR_SHARDS": "8"}


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["scan", "--shard", "8/8"], {}, "'8/8' has no such part: 8 parts are numbered from 0 to 7"),
        (["scan", "--shard", "1"], {}, "'1' is not I/N, for example 0/8, nor auto"),
        (["scan", "--shard", "0/2000"], {}, "is none of 1 to 1,000 parts"),
        (["scan", "--shard", "auto"], {}, "--shard auto needs the variable JOB_COMPLETION_INDEX"),
        (["scan", "--shard", "auto"], {"JOB_COMPLETION_INDEX": "0"}, "needs the variable JANITOR_SHARDS"),
        (["scan", "--shard", "auto"], {**_IN_A_POD, "JANITOR_SHARDS": "many"}, "JANITOR_SHARDS is not a number"),
        (["scan", "--shard", "auto"], {**_IN_A_POD, "JANITOR_SHARDS": "3"}, "'3/3' has no such part"),
        (["scan", "--shard-wait", "1m"], {}, "--shard-wait is about shards, and this run is none"),
        (["scan", "--merged-report", "json=a.json"], {}, "--merged-report is about shards"),
        (["scan", "--shard", "0/2", "--shard-run", "a b"], {}, "'a b' is no name of 1 to 200"),
        (["scan", "--shard", "0/2", "--shard-run", "a"], {}, "--shard-run needs --state-url, where shards meet"),
        (["scan", "--shard", "0/2", "--shard-run", "a", "--as-of", "0", *_STATE], {}, "goes with no --as-of"),
        (["sweep", "--shard", "0/2", "--delete"], {}, "--shard with --delete needs --state-url"),
        (["scan", "--shard", "0/2", "--source", "a.json", "--dialect", "hashed"], {}, "--source is read whole"),
        (["scan", "--shard", "0/2", "--deployment", "b", "--deployment", "c"], {}, "several are named"),
        (
            ["scan", "--shard", "0/2", *_STATE, "--report", "json=a", "--merged-report", "json=a"],
            {},
            "--report json=a and --merged-report json=a are one file",
        ),
    ],
)
def test_what_a_shard_cannot_be_told_is_one_line_and_exit_2(
    arguments: list[str],
    environment: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("JOB_COMPLETION_INDEX", "JANITOR_SHARDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    table = [] if "--deployment" in arguments or "--source" in arguments else ["--table", "tokens"]
    assert app.main([*arguments, *table]) == 2
    said = capsys.readouterr()
    assert (said.out, says in said.err) == ("", True), said.err


def test_the_claim_to_the_report_of_all_is_one_processs_not_one_shards(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    state = StateSettings(state_url=SqliteUrl(path))
    store = SqliteShardStore(path, "scope")

    def claim(run_id: str) -> LeaseKeeper:
        run = ShardedRun(store, Shard(1, 2), name="tonight", run_id=run_id, clock=lambda: 0)
        nowhere: Any = None
        return claim_for(state, nowhere, TABLE, run)

    with claim("out of reach") as other:
        assert other is None
        with claim("in its place") as held:
            assert held is not None
            assert held.holder == "out of reach"
    with claim("in its place") as held:
        assert held is None


@given(count=st.integers(1, MAX_SHARDS), data=st.data())
def test_a_shard_is_read_as_it_is_said(count: int, data: st.DataObject) -> None:
    shard = Shard(data.draw(st.integers(0, count - 1)), count)
    assert parse_shard(str(shard)) == shard
    assert parse_shard("auto") == AUTO

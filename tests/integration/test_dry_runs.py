"""A dry run, of whatever command: it publishes, remembers and calls nothing, and says whom it would tell."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.announcing import Loudspeaker, Runs, due_rows
from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.integration.stores import sqlite_leases, state_table
from tests.integration.test_heartbeat import Monitor, running_monitor
from tests.integration.test_sweep_lease import OTHER_RUN, scope_in, taken
from tests.servers import Server, microburst
from tests.sweeping import key_of, keys_in, living_rows, stale_rows
from tests.tables import create_table

OWNER = "ana@example.com"
DUE, PLANNED = 3, 2
PLANNED_OWNERS = ["user-0@example.com", "user-1@example.com"]


@dataclass(frozen=True)
class Job:
    """A table with something to say, and everybody who could hear of it."""

    nightly: Runs
    folder: Path
    monitor: Monitor

    @property
    def told(self) -> list[str]:
        """What names everybody who is to hear of a run."""
        return [
            *("--sns-topic-arn", self.nightly.arn, "--state-url", self.nightly.state, "--per-token"),
            *("--metrics", f"prometheus={self.metrics}", "--heartbeat-url", f"{self.monitor.url}/ping"),
        ]

    @property
    def where(self) -> list[str]:
        return ["--table", self.nightly.table, "--endpoint-url", self.nightly.url]

    @property
    def metrics(self) -> Path:
        return self.folder / "janitor.prom"

    def file(self, delete: str, *tables: str) -> str:
        """A schedule file that says the same."""
        path = self.folder / "job.toml"
        named = "".join(
            f'[[table]]\ntable = "{table}"\nendpoint_url = "{self.nightly.url}"\n'
            for table in tables or (self.nightly.table,)
        )
        path.write_text(
            f'{named}{delete}[notify]\nsns_topic_arn = "{self.nightly.arn}"\nper_token = true\n'
            f'metrics = "prometheus={self.metrics}"\nheartbeat_url = "{self.monitor.url}/ping"\n'
            f'[state]\nurl = "{self.nightly.state}"\n',
            encoding="utf-8",
        )
        return str(path)


@pytest.fixture
def job(runs: Callable[..., Runs], tmp_path: Path) -> Iterator[Job]:
    with running_monitor() as monitor:
        rows = (*due_rows(*range(5, 5 + DUE), username=OWNER), *stale_rows(2), *living_rows(0))
        yield Job(runs(*rows), tmp_path, monitor)


DELETES = "[delete]\nenabled = true\nno_archive = true\nmax_delete_percent = 100\n"


def swept(job: Job) -> Finished:
    return janitor("sweep", *job.where, *job.told)


def applied(job: Job) -> Finished:
    plan = job.folder / "plan.ndjson"
    assert janitor("sweep", *job.where, "--plan", str(plan)).code == 0
    return janitor("apply", str(plan), "--dry-run", "--endpoint-url", job.nightly.url, *job.told)


def run_of_a_sweep(job: Job) -> Finished:
    return janitor("run", job.file(DELETES), "--dry-run")


def run_of_a_file_that_does_not_delete(job: Job) -> Finished:
    return janitor("run", job.file("[delete]\n"))


def run_of_a_scan(job: Job) -> Finished:
    return janitor("run", job.file(""), "--dry-run")


def scanned(job: Job) -> Finished:
    return janitor("scan", *job.where, *job.told, "--dry-run")


SCANS = (run_of_a_scan, scanned)


def told_of(report: dict[str, Any]) -> tuple[str, int, int, int, list[str]]:
    """Who hears of the run, or would: the topic, its digests and their notices, and the messages to which owners."""
    [one] = report["recipients"]["destinations"]
    assert (one["owners"], report["recipients"]["nobody_because"]) == (len(one["named_owners"]), None)
    return one["label"], one["digests"], one["digest_notices"], one["owner_messages"], one["named_owners"]


SILENT = [scanned, swept, applied, run_of_a_sweep, run_of_a_file_that_does_not_delete, run_of_a_scan]


@pytest.mark.parametrize("way", SILENT)
def test_nobody_hears_of_a_dry_run_and_nothing_is_remembered(
    job: Job, topic: Loudspeaker, dynamodb: DynamoDBClient, way: Callable[[Job], Finished]
) -> None:
    queue = topic.queue(f"silent-{way.__name__}")
    before = keys_in(dynamodb, job.nightly.table)
    finished = way(job)
    report = json.loads(finished.out)
    assert (finished.code, report["run"]["dry_run"]) == (0, True), finished.err
    assert (queue.take(), job.monitor.told, keys_in(dynamodb, job.nightly.table)) == ([], [], before)
    assert [path.name for path in job.folder.iterdir() if path.suffix not in {".toml", ".ndjson"}] == []
    # The owners of the two that are planned hear of their deletion; of a plan that was reviewed nothing else is due.
    due = (0 if way is applied else DUE) + (0 if way in SCANS else PLANNED)
    assert (report["notices"]["due"], report["notices"]["sent"], report["notices"]["digests"]) == (due, 0, 0)
    owners = [*([OWNER] if way is not applied else []), *(PLANNED_OWNERS if way not in SCANS else [])]
    assert told_of(report) == (job.nightly.arn, 1, due, due, owners)
    assert report["recipients"]["is_forecast"]
    # A scan, which is a dry run of nothing, tells everybody all the same.
    real = janitor("scan", *job.where, *job.told)
    assert (real.code, json.loads(real.out)["notices"]["sent"]) == (0, DUE), real.err
    assert not json.loads(real.out)["recipients"]["is_forecast"]
    assert len(queue.take()) == DUE + 1
    assert [told.path for told in job.monitor.told] == ["/ping/start", "/ping"]
    assert job.metrics.exists()


@pytest.mark.parametrize("way", SILENT)
def test_what_was_remembered_stays_as_it_was_and_is_still_held_against(
    job: Job, topic: Loudspeaker, way: Callable[[Job], Finished]
) -> None:
    assert janitor("scan", *job.where, *job.told).code == 0
    state = Path(job.nightly.state.removeprefix("sqlite:///"))
    kept, metrics = state.read_bytes(), job.metrics.read_bytes()
    job.monitor.told.clear()
    queue = topic.queue(f"again-{way.__name__}")
    finished = way(job)
    assert finished.code == 0, finished.err
    assert (queue.take(), job.monitor.told, job.metrics.read_bytes()) == ([], [], metrics)
    assert state.read_bytes() == kept
    report = json.loads(finished.out)
    assert report["notices"]["due"] == (0 if way in SCANS else PLANNED)
    assert (report["changes"] is None) == (way is applied)
    assert json.loads(janitor("scan", *job.where, *job.told).out)["notices"]["due"] == 0


def test_of_deletions_that_would_be_refused_nobody_would_hear(job: Job, topic: Loudspeaker) -> None:
    topic.queue("refused")
    finished = janitor("sweep", *job.where, *job.told, "--max-deletes", "1")
    report = json.loads(finished.out)
    assert report["notices"]["due"] == DUE
    assert told_of(report) == (job.nightly.arn, 1, DUE, DUE, [OWNER])


def test_a_real_run_tells_those_whom_the_dry_run_named(job: Job, topic: Loudspeaker) -> None:
    queue = topic.queue("as-rehearsed")
    janitor("scan", *job.where, *job.told)
    queue.take()
    rehearsed = json.loads(janitor("sweep", *job.where, *job.told).out)
    assert told_of(rehearsed)[1:] == (1, PLANNED, PLANNED, PLANNED_OWNERS)
    options = ("--delete", "--yes", "--no-archive", "--max-delete-percent", "100")
    real = json.loads(janitor("sweep", *job.where, *job.told, *options).out)
    assert real["notices"]["due"] == real["notices"]["sent"] == rehearsed["notices"]["due"] == PLANNED
    assert told_of(real) == told_of(rehearsed)
    messages = [body["username"] for body in queue.bodies() if body["schema"] == "janitor.notice/v1"]
    assert sorted(messages) == PLANNED_OWNERS


@pytest.mark.parametrize("dry", ["[delete]\n", DELETES, ""])
def test_of_several_tables_none_is_told_of(
    job: Job, topic: Loudspeaker, dynamodb: DynamoDBClient, table_number: Callable[[], int], dry: str
) -> None:
    other = f"announced-{table_number():04}"
    create_table(dynamodb, other, hashed=True, rows=due_rows(9, username="bob"))
    queue = topic.queue(f"several-{table_number()}")
    finished = janitor("run", job.file(dry, job.nightly.table, other), "--dry-run")
    report = json.loads(finished.out)
    assert (finished.code, queue.take(), job.monitor.told) == (0, [], []), finished.err
    assert not job.metrics.exists()
    assert not Path(job.nightly.state.removeprefix("sqlite:///")).exists()
    deletes = dry != ""
    due = DUE + 1 + (PLANNED if deletes else 0)
    *counts, owners = told_of(report)
    assert counts == [job.nightly.arn, 1, due, due]
    assert sorted(owners) == sorted([OWNER, "bob", *(PLANNED_OWNERS if deletes else [])])
    assert report["notices"]["due"] == due
    dynamodb.delete_table(TableName=other)


def test_a_state_table_is_read_and_not_written(
    ministack_url: str, runs: Callable[..., Runs], dynamodb: DynamoDBClient, topic: Loudspeaker
) -> None:
    queue = topic.queue("state-table")
    with state_table(ministack_url) as (_, name):
        nightly = runs(*due_rows(5), state=f"dynamodb://{name}")
        with microburst(ministack_url) as proxy:
            operations = ("UpdateItem", "DeleteItem", "PutItem", "TransactWriteItems", "BatchWriteItem")
            denied = [
                {"service": "dynamodb", "operation": each, "error": {"code": "AccessDeniedException"}}
                for each in operations
            ]
            proxy.rules(denied)
            dry = nightly.run("--per-token", command="sweep", env={"AWS_ENDPOINT_URL_DYNAMODB": proxy.url})
            assert proxy.fired() == []
        assert (dry.finished.code, dry.notices["due"], queue.take()) == (0, 1, [])
        assert dynamodb.scan(TableName=name)["Count"] == 0
        assert nightly.run("--per-token").notices["sent"] == 1


def test_a_dry_run_that_comes_to_no_report_tells_nobody(job: Job, topic: Loudspeaker) -> None:
    queue = topic.queue("no-report")
    where = ("--table", "not-there", "--endpoint-url", job.nightly.url)
    failed = janitor("sweep", *where, *job.told)
    assert (failed.code, queue.take(), job.monitor.told) == (2, [], [])
    real = janitor("scan", *where, *job.told)
    assert (real.code, len(queue.take()), len(job.monitor.told)) == (2, 1, 2)


def test_metrics_that_could_not_be_written_stop_a_dry_run_as_they_stop_a_real_one(job: Job) -> None:
    dry = janitor("sweep", *job.where, "--metrics", f"prometheus={job.folder}/not-there/m.prom")
    assert (dry.code, "not-there" in dry.err) == (2, True)


def test_a_variable_that_aims_a_file_at_another_table_is_refused_by_its_dry_run_too(job: Job) -> None:
    for options in (["--dry-run"], [], ["--check"]):
        for env in ({"JANITOR_DEPLOYMENT": "prod"}, {"JANITOR_TABLE": "another"}, {"JANITOR_SSM_PARAMETER": "/x"}):
            refused = janitor("run", job.file(DELETES), *options, env=env)
            assert (refused.code, refused.out) == (2, "")
            assert "names another" in refused.err


one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


def guards(report: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["message"] for each in report["warnings"] if each["where"] == "guard"}


@contextmanager
def bucket(url: str, name: str) -> Iterator[None]:
    s3 = boto3.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket=name)
    yield
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0
    s3.delete_bucket(Bucket=name)
    s3.close()


@one_server
def test_a_dry_run_asks_the_archive_and_leaves_nothing_there(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(2), *living_rows(6)])

    def asked(archive: str) -> dict[str, str]:
        finished = janitor("sweep", "--table", table, "--endpoint-url", server.url, "--archive", archive)
        assert finished.code == 0, finished.err
        return guards(json.loads(finished.out))

    (tmp_path / "taken").touch()
    (tmp_path / "folder").mkdir()
    for place, word in {
        str(tmp_path / "taken"): "exists already",
        "/dev/null/archive": "is not a folder",
        "/proc/1/": "cannot be written",
        "s3://not-there/x/": "there is no bucket not-there",
    }.items():
        said = asked(place)
        assert said["archive"].startswith("would refuse to delete: ")
        assert word in said["archive"]
    with bucket(server.url, "archive-of-a-dry-run"):
        for place in (f"{tmp_path}/folder/", f"{tmp_path}/new/folder/", "s3://archive-of-a-dry-run/x/"):
            assert asked(place) == {}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "taken"]


@one_server
def test_a_dry_run_looks_at_the_lease_and_does_not_take_it(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(2)
    table = new_table([*stale, *living_rows(6)])
    where = ("--table", table, "--endpoint-url", server.url)
    plan = tmp_path / "plan.ndjson"
    with taken(client, table, tmp_path) as url:
        for arguments in (
            ["sweep", *where, "--plan", str(plan)],
            ["apply", str(plan), "--dry-run", "--endpoint-url", server.url],
        ):
            finished = janitor(*arguments, "--state-url", url)
            said = guards(json.loads(finished.out))
            assert finished.code == 0
            assert f"another run ({OTHER_RUN}) sweeps the table" in said["lease"]
            assert said["lease"].startswith("would refuse to delete: ")
    scope, store = scope_in(client, table), sqlite_leases(tmp_path / "state.sqlite")
    again = json.loads(janitor("sweep", *where, "--state-url", url).out)
    assert (guards(again), store.find_holder(scope)) == ({}, None)
    assert keys_in(client, table) >= {key_of(row) for row in stale}


def test_a_check_says_that_nobody_is_told(job: Job) -> None:
    silent = "; a dry run sends none"
    assert silent in janitor("run", job.file("[delete]\n"), "--check").out
    assert silent in janitor("run", job.file(""), "--check", "--dry-run").out
    assert silent not in janitor("run", job.file(""), "--check").out
    assert silent not in janitor("run", job.file(DELETES), "--check").out

"""Whoever reads the table, the run comes to the same: threads, processes and a Dask cluster give one report."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.doctor.cluster import count_parallel_readers
from janitor.errors import ConfigurationError
from janitor.readers.dask_cluster import check_dask
from janitor.settings.limits import LimitSettings
from janitor.wiring.readers import count_available_cores, split_table
from tests.command import Finished, fake_aws, janitor
from tests.dask_cluster import Cluster, dask_cluster
from tests.examples import how_many
from tests.fixtures import NewTable
from tests.servers import Server, free_port
from tests.sweeping import keys_in, living_rows, stale_rows
from tests.tables import Item, create_table, modern

DAY = 86_400
NOW = 1_790_000_000
SEGMENTS = ("--segments", "9")
PATTERNS = ("--protect-user", "user-1@*", "--protect-user", "nobody*")
READERS = ("processes", "dask")
# The names of what differs from run to run: when it ran, how long that took and will take, and where its plan and its
# archive are. And who reads asks once more.
DIFFERING = {
    *("id", "started_at", "finished_at", "duration_seconds", "seconds", "skew_seconds", "requests"),
    *("plan", "archive", "archive_place", "restore_command"),
}
OTHER_ACCOUNT = "111111111111"
ROLE = "arn:aws:iam::000000000000:role/reader"
CREDENTIAL_PROCESS = """printf '{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}'"""
SAYS_OTHERWISE = """
import janitor
janitor.__version__ = "0.0.1"
"""
HAS_NONE = """
import sys
sys.modules["janitor"] = None
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), workers=how_many(2, 8)) as running:
        yield running


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Sequence[str]:
    """The option that has others read."""
    if request.param == "processes":
        return ("--workers", str(how_many(2, 8)))
    cluster: Cluster = request.getfixturevalue("cluster")
    return ("--dask", cluster.address)


def rows_of_every_kind() -> list[Item]:
    """Rows of every state as of `NOW`, of owners with several; one expires later than any 64 bits can say."""
    dates: list[object] = [
        NOW + 300 * DAY,
        NOW + DAY,
        NOW - DAY,
        NOW - 30 * DAY,
        NOW - 90 * DAY,
        None,
        {"S": str(NOW)},
        NOW * 1000,
        {"N": "-" + "9" * 30},
    ]
    return [
        modern(f"{number:05}", dates[number % len(dates)], username=f"user-{number % 7}@example.com")
        for number in range(270)
    ]


def without_times(report: Any) -> Any:
    """What two reports of the same table have in common."""
    if isinstance(report, list):
        return [without_times(part) for part in report]
    if not isinstance(report, dict):
        return report
    return {name: without_times(part) for name, part in report.items() if name not in DIFFERING}


def findings_in(path: Path) -> list[str]:
    return sorted(line for line in path.read_text().splitlines() if '"fingerprint"' in line or "," in line[:20])


def ran(server: Server, table: str, *arguments: str) -> Finished:
    finished = janitor(*arguments, "--table", table, "--endpoint-url", server.url, *SEGMENTS)
    assert finished.code == 0, finished.err
    assert "warn" not in finished.err.lower().replace("run.warning", "").replace('"level": "warning"', "")
    return finished


def everything_said(server: Server, table: str, folder: Path, *reader: str) -> dict[str, Any]:
    """What a scan, a dry sweep and a listing say, in several formats."""
    folder.mkdir()
    as_of = ("--as-of", str(NOW), *reader)
    files = {name: folder / name for name in ("ndjson", "csv", "plan")}
    reports = [f"--report={name}={files[name]}" for name in ("ndjson", "csv")]
    scan = ran(server, table, "scan", *as_of, *PATTERNS, "--format", "json", *reports)
    sweep = ran(server, table, "sweep", *as_of, *PATTERNS, "--format", "json", "--plan", str(files["plan"]))
    listing = ran(server, table, "token", "list", *as_of, "--user", "user-[12]@*", "--format", "ndjson")
    rows = [json.loads(line) for line in listing.out.splitlines()]
    return {
        "scan": without_times(json.loads(scan.out)),
        "ndjson": findings_in(files["ndjson"]),
        "csv": sorted(files["csv"].read_text().splitlines()),
        # The next steps name the plan, which is in the folder.
        "sweep": without_times(json.loads(sweep.out.replace(str(folder), "FOLDER"))),
        # Without its first line and its last, which name the run, and hold the sum of the lines in their order.
        "plan": sorted(line.partition(",")[2] for line in files["plan"].read_text().splitlines()[1:-1]),
        "listing": sorted(json.dumps(row) for row in rows if "fingerprint" in row),
    }


def test_whoever_reads_the_same_is_said(
    table_server: Server, tokens: DynamoDBClient, tmp_path: Path, reader: Sequence[str]
) -> None:
    table = f"said-{reader[0]}"
    create_table(tokens, table, hashed=True, rows=rows_of_every_kind())
    alone = everything_said(table_server, table, tmp_path / "alone")
    assert everything_said(table_server, table, tmp_path / "together", *reader) == alone
    assert alone["scan"]["counts"]["scanned"] == 270
    assert min(len(alone[name]) for name in ("ndjson", "csv", "plan", "listing")) > 20
    assert any("nobody*" in warning["message"] for warning in alone["scan"]["warnings"])


def test_a_line_of_a_report_of_several_tables_names_its_table_whoever_made_it(
    table_server: Server, tokens: DynamoDBClient
) -> None:
    for deployment in ("north", "south"):
        create_table(tokens, f"{deployment}-LISAApiBaseTokenTable", hashed=True, rows=living_rows(12))
    where = ("--deployment", "north", "--deployment", "south", "--endpoint-url", table_server.url)
    runs = [
        janitor("scan", *where, "--as-of", str(NOW), "--format", "ndjson", *who) for who in ((), ("--workers", "2"))
    ]
    alone, together = (
        sorted(line for line in run.out.splitlines() if '"fingerprint"' in line and '"schema"' not in line)
        for run in runs
    )
    assert together == alone
    assert len({json.loads(line)["table"] for line in together}) == 2


def test_whoever_reads_the_same_is_deleted(
    table_server: Server, tokens: DynamoDBClient, tmp_path: Path, reader: Sequence[str]
) -> None:
    stale, living = stale_rows(120), living_rows(60)
    left, said = [], []
    for number, who in enumerate(((), reader)):
        table = f"swept-{reader[0]}-{number}"
        create_table(tokens, table, hashed=True, rows=[*stale, *living])
        limits = ("--max-deletes", "1000", "--max-delete-percent", "100", "--archive", str(tmp_path / table))
        finished = ran(table_server, table, "sweep", "--delete", "--yes", *PATTERNS, *limits, *who, "--format", "json")
        left.append(keys_in(tokens, table))
        report = json.loads(finished.out)
        said.append((report["counts"], without_times(report["deletion"]), sorted_outcomes(report)))
    assert left[0] == left[1] >= {row["token"]["S"] for row in living}
    assert said[0] == said[1]
    assert said[0][1]["deleted"] > 90
    assert said[0][1]["protected"] > 10


def sorted_outcomes(report: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted((finding["fingerprint"], finding["outcome"]) for finding in report["findings"])


@pytest.mark.parametrize("way", ["the endpoint of a service", "a profile", "a role"])
def test_processes_find_the_way_of_the_main_process(
    table_server: Server, tokens: DynamoDBClient, tmp_path: Path, way: str
) -> None:
    name = f"way-{way[-4:]}"
    create_table(tokens, name, hashed=True, rows=living_rows(6))
    configuration = tmp_path / "config"
    configuration.write_text(f"[profile ours]\ncredential_process = {CREDENTIAL_PROCESS}\n")
    options: dict[str, tuple[list[str], dict[str, str | None]]] = {
        "the endpoint of a service": (
            [],
            {"JANITOR_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_DYNAMODB": table_server.url},
        ),
        "a profile": (
            ["--endpoint-url", table_server.url, "--profile", "ours"],
            {"AWS_CONFIG_FILE": str(configuration), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        ),
        "a role": (["--endpoint-url", table_server.url, "--role-arn", ROLE], {}),
    }
    arguments, environment = options[way]
    finished = janitor("scan", "--table", name, "--workers", "2", *arguments, env=environment)
    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["counts"]["scanned"] == 6


def test_processes_run_the_program_that_started_them(
    table_server: Server, tokens: DynamoDBClient, tmp_path: Path
) -> None:
    create_table(tokens, "same", hashed=True, rows=living_rows(6))
    (tmp_path / "janitor").mkdir()
    (tmp_path / "janitor" / "__init__.py").write_text("raise SystemExit('another program of that name')")
    command = [str(Path(sys.executable).with_name("janitor")), "scan", "--table", "same", "--workers", "2"]
    run = subprocess.run(
        [*command, "--endpoint-url", table_server.url],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **fake_aws(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_a_worker_that_finds_another_table_of_that_name_ends_the_run(
    table_server: Server, tokens: DynamoDBClient, cluster: Cluster
) -> None:
    rows = [*stale_rows(30), *living_rows(30)]
    create_table(tokens, "twice", hashed=True, rows=rows)
    with closing(
        boto3.client(
            "dynamodb", endpoint_url=table_server.url, aws_access_key_id=OTHER_ACCOUNT, aws_secret_access_key="test"
        )
    ) as others:
        create_table(others, "twice", hashed=True, rows=rows[:40])
    (worker,) = cluster.add_workers(1, {"AWS_ACCESS_KEY_ID": OTHER_ACCOUNT})
    swept = janitor(
        *("sweep", "--delete", "--yes", "--no-archive", "--table", "twice", "--endpoint-url", table_server.url),
        *("--segments", "32", "--dask", cluster.address),
    )
    worker.terminate()
    worker.wait(10)
    assert swept.code == 1
    assert "this worker found another table named twice (other account or table id)" in swept.err
    assert keys_in(tokens, "twice") == {row["token"]["S"] for row in rows}


def refused(*arguments: str) -> str:
    """The one line with which a run that read nothing ended."""
    finished = janitor(*arguments)
    lines = finished.err.splitlines()
    assert (finished.code, finished.out, len(lines)) == (2, "", 1), finished.err
    return lines[0]


def test_workers_without_this_janitor_are_refused(
    table_server: Server, tokens: DynamoDBClient, cluster: Cluster, tmp_path: Path
) -> None:
    create_table(tokens, "refused", hashed=True, rows=living_rows(6))
    scan = ("scan", "--table", "refused", "--endpoint-url", table_server.url, "--dask", cluster.address)
    for customization, sentence in (
        (SAYS_OTHERWISE, "has janitor 0.0.1, and this machine has"),
        (HAS_NONE, "has no janitor"),
    ):
        (tmp_path / "sitecustomize.py").write_text(customization)
        (worker,) = cluster.add_workers(1, {"PYTHONPATH": str(tmp_path)})
        said = refused(*scan)
        assert f"--dask {cluster.address}: the cluster {sentence}" in said
        assert "from the image of this janitor" in said
        worker.terminate()
        worker.wait(10)


def test_where_no_scheduler_is(table_server: Server, make_table: NewTable) -> None:
    table = make_table(living_rows(6))
    address = f"tcp://127.0.0.1:{free_port()}"
    said = refused("scan", "--table", table, "--endpoint-url", table_server.url, "--dask", address)
    assert said.startswith(f"janitor: --dask {address}: no Dask scheduler answers there")


def test_without_the_extra() -> None:
    hiding = (
        "import sys; sys.modules['distributed'] = None; from janitor.cli.app import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", hiding, "scan", "--table", "t", "--dask", "tcp://127.0.0.1:8786"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1), run.stderr
    assert "pip install 'token-janitor[dask]'" in run.stderr


class Asked:
    """A client of a cluster whose parts have these versions of Dask: the client, the scheduler, and each worker."""

    def __init__(self, *versions: str) -> None:
        self._versions = versions

    def get_versions(self) -> dict[str, Any]:
        ours, scheduler, *workers = ({"packages": {"distributed": version}} for version in self._versions)
        return {"client": ours, "scheduler": scheduler, "workers": dict(enumerate(workers))}


@pytest.mark.parametrize("versions", [("2", "1", "2"), ("2", "2", "1"), ("2", "1", "1")])
def test_another_dask_is_refused(versions: Sequence[str]) -> None:
    with pytest.raises(ConfigurationError, match="tcp://there: the cluster has Dask 1, and this machine has 2"):
        check_dask(Asked(*versions), "tcp://there")


def test_the_same_dask_is_not() -> None:
    check_dask(Asked("2", "2", "2"), "tcp://there")


def test_the_doctor_looks_at_the_cluster_and_estimates_with_it(
    table_server: Server, tokens: DynamoDBClient, cluster: Cluster
) -> None:
    create_table(tokens, "looked-at", hashed=True, rows=living_rows(6))
    doctor = ("doctor", "--table", "looked-at", "--endpoint-url", table_server.url, "--format", "json", *SEGMENTS)
    there = json.loads(janitor(*doctor, "--dask", cluster.address).out)
    checks = {check["name"]: check for check in there["checks"]}
    assert f"{how_many(2, 8)} reader threads" in checks["dask"]["found"]
    assert there["estimate"]["segments"] == 9
    nowhere = janitor(*doctor, "--dask", "tcp://127.0.0.1:8786", "--workers", "2")
    assert nowhere.code == 1
    assert "dask: --workers and --dask contradict each other" in nowhere.err


MB = 1024 * 1024


@pytest.mark.parametrize(
    ("limits", "megabytes", "segments", "processes", "at_once"),
    [
        (LimitSettings(segments=None, workers=1), 1, 1, 1, 1),
        (LimitSettings(segments=None, workers=1), 10_000, 8, 1, 8),
        (LimitSettings(segments=None, workers=2), 0, 2, 2, 2),
        (LimitSettings(segments=None, workers=2), 10_000, 625, 2, 2),
        (LimitSettings(segments=3, workers=8), 10_000, 3, 3, 3),
        (LimitSettings(segments=None, workers=None), 1, 1, 1, 1),
        (LimitSettings(segments=None, workers=2), 10**9, 1_000_000, 2, 2),
    ],
)
def test_how_a_table_is_shared_out(
    limits: LimitSettings, megabytes: int, segments: int, processes: int, at_once: int
) -> None:
    assert split_table(limits, megabytes * MB) == (segments, processes)
    assert count_parallel_readers(limits, megabytes * MB) == at_once


@pytest.mark.parametrize(
    ("limits", "megabytes", "may_ask_person", "memory", "split"),
    [
        (LimitSettings(segments=None, workers=None), 127, False, None, (8, 1)),
        (LimitSettings(segments=None, workers=None), 128, False, None, (8, 4)),
        (LimitSettings(segments=None, workers=None), 10_000, False, None, (625, 4)),
        (LimitSettings(segments=None, workers=None), 10_000, True, None, (8, 1)),
        (LimitSettings(segments=None, workers=None), 10_000, False, 1024 * MB, (625, 3)),
        (LimitSettings(segments=None, workers=None), 10_000, False, 512 * MB, (8, 1)),
        (LimitSettings(segments=None, workers=None), 10_000, False, 128 * MB, (8, 1)),
        (LimitSettings(segments=None, workers=2), 10_000, True, 128 * MB, (625, 2)),
        (LimitSettings(segments=2, workers=None), 10_000, False, None, (2, 2)),
        (LimitSettings(segments=1000, workers=None), 1, False, None, (1000, 4)),
    ],
)
def test_processes_are_chosen_by_size_cores_memory_and_credentials(
    *,
    limits: LimitSettings,
    megabytes: int,
    may_ask_person: bool,
    memory: int | None,
    split: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "memory.max").write_text("max\n" if memory is None else f"{memory}\n")
    monkeypatch.setattr("janitor.wiring.readers._MEMORY_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr("janitor.wiring.readers.count_available_cores", lambda: 64)
    monkeypatch.setattr("janitor.wiring.readers._read_physical_memory", lambda: 64 * 1024 * MB)
    assert split_table(limits, megabytes * MB, may_ask_person=may_ask_person) == split
    with_budget = split_table(limits, megabytes * MB, may_ask_person=may_ask_person, has_budget=True)
    assert with_budget.processes == (1 if limits.workers is None and (limits.segments or 0) < 1000 else split[1])


@pytest.mark.parametrize(("quota", "allowed"), [("max 100000", None), ("150000 100000", 1), ("50000 100000", 1)])
def test_a_container_uses_no_more_cores_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, allowed: int | None
) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    monkeypatch.setattr("janitor.wiring.readers._CPU_QUOTA", tmp_path / "cpu.max")
    assert count_available_cores() == (allowed or len(os.sched_getaffinity(0)))

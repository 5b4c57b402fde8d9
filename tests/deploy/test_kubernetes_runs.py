"""The command line inside each rendered container, run with the pod's own files, volumes and variables."""

import dataclasses
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.store.create_table import create_table as create_state_table
from tests.command import fake_aws, janitor, started
from tests.deploy.kubernetes_manifests import PAGE, SCHEDULER, WORKER, Manifests, rendered
from tests.forked import ROOT, ForkedProcess
from tests.servers import free_port
from tests.sweeping import DAY, key_of, keys_in, living_rows, stale_rows
from tests.tables import create_table

TABLE = "prod-LISAApiBaseTokenTable"
REGION = "us-east-1"
STATE = "janitor-state"
BUCKET = "example-archive"
STALE, LIVING = stale_rows(3), living_rows(6)
# Expired yesterday, and its owner has no other row: a sweep lets the owner in.
EARLY = LIVING[2:3]
# What Kubernetes writes on the pods of a job.
OF_POD = {
    "metadata.labels['batch.kubernetes.io/controller-uid']": "c9948307-e56d-4b5d-8302-ae2d7b7da67c",
    "metadata.labels['app.kubernetes.io/component']": "sweep",
}


@pytest.fixture(scope="module", autouse=True)
def aws(ministack_url: str) -> Iterator[AwsSession]:
    """An account with what the page has an operator make: the state table, and the archive's bucket."""
    account = AwsSession(AwsAccess(endpoint_url=ministack_url, region=REGION))
    create_state_table(account.dynamodb, STATE, wait=lambda _: None)
    account.s3.create_bucket(Bucket=BUCKET)
    yield account
    account.dynamodb.delete_table(TableName=STATE)


@pytest.fixture
def made_table(ministack_url: str) -> Iterator[DynamoDBClient]:
    """The table that the schedule files name, and a client as boto3 makes it."""
    with closing(boto3.client("dynamodb", endpoint_url=ministack_url, region_name=REGION)) as client:
        create_table(client, TABLE, hashed=True, rows=STALE + LIVING)
        yield client
        client.delete_table(TableName=TABLE)


@dataclasses.dataclass(frozen=True)
class Pod:
    """A pod's container on this machine: its volumes are folders, and every path that names one is moved there."""

    manifests: Manifests
    folder: Path
    endpoint: str

    def mount(self) -> None:
        """Make the volumes; a ConfigMap as the kubelet does, its files behind a link that it swaps on a change."""
        for volume in self.manifests.pod["volumes"]:
            place = self.folder / volume["name"]
            place.mkdir()
            if "configMap" not in volume:
                continue
            (place / "..2026").mkdir()
            (place / "..data").symlink_to("..2026")
            for name, text in self.manifests.files_of(volume["name"]).items():
                (place / "..2026" / name).write_text(text)
                (place / name).symlink_to(f"..data/{name}")

    @property
    def arguments(self) -> list[str]:
        return [self._moved(each) for each in self.manifests.container["args"]]

    @property
    def environment(self) -> dict[str, str]:
        container = self.manifests.container
        sources = (self.manifests.named("ConfigMap", each["configMapRef"]["name"]) for each in container["envFrom"])
        shared = {name: value for source in sources for name, value in source["data"].items()}
        own = {
            each["name"]: self._moved(
                OF_POD[each["valueFrom"]["fieldRef"]["fieldPath"]] if "valueFrom" in each else each["value"]
            )
            for each in container["env"]
        }
        return {**shared, **own, "AWS_ENDPOINT_URL": self.endpoint}

    def _moved(self, text: str) -> str:
        for mount in self.manifests.container["volumeMounts"]:
            if text == mount["mountPath"] or text.startswith(f"{mount['mountPath']}/"):
                return f"{self.folder / mount['name']}{text.removeprefix(mount['mountPath'])}"
        return text


def report_of(pod: Pod) -> dict[str, Any]:
    """Run a pod to its end, see that its log ends with a summary, and return the report that was kept elsewhere."""
    pod.mount()
    kept = pod.folder / "report.json"
    finished = janitor(*pod.arguments, env=pod.environment | {"JANITOR_REPORT": f"json={kept}"})
    assert (finished.code, finished.out) == (0, ""), finished.err
    report: dict[str, Any] = json.loads(kept.read_text())
    last = json.loads(finished.err.splitlines()[-1])
    assert (last["event"], last["outcome"], last["reports"]) == ("run.finished", report["run"]["outcome"], [str(kept)])
    assert (last["scanned"], last["deleted"]) == (report["counts"]["scanned"], report["deletion"]["deleted"])
    return report


def with_deletion_on(manifests: Manifests) -> Manifests:
    """The manifests after the edit that the page describes."""
    source = next(each for each in manifests.of("ConfigMap") if "schedule.toml" in each["data"])
    text = source["data"]["schedule.toml"]
    assert text.count("enabled = false") == 1
    edited = {**source, "data": {"schedule.toml": text.replace("enabled = false", "enabled = true")}}
    return Manifests(tuple(edited if each is source else each for each in manifests.objects))


def test_the_cronjob_reports_the_table_and_leaves_it_alone(
    made_table: DynamoDBClient, ministack_url: str, tmp_path: Path
) -> None:
    before = keys_in(made_table, TABLE)
    report = report_of(Pod(rendered("cronjob"), tmp_path, ministack_url))
    assert (report["run"]["command"], report["run"]["outcome"]) == ("scan", "complete")
    assert (report["tables"][0]["name"], report["policy"]["grace_seconds"]) == (TABLE, 30 * DAY)
    assert (report["counts"]["scanned"], report["counts"]["stale"]) == (len(before), len(STALE))
    assert keys_in(made_table, TABLE) == before


def test_the_sweep_is_a_dry_run_until_it_is_told_otherwise(
    made_table: DynamoDBClient, aws: AwsSession, ministack_url: str, tmp_path: Path
) -> None:
    before = keys_in(made_table, TABLE)
    shipped, edited = tmp_path / "shipped", tmp_path / "edited"
    for folder in (shipped, edited):
        folder.mkdir()
    report = report_of(Pod(rendered("cronjob-sweep"), shipped, ministack_url))
    assert (report["run"]["command"], report["run"]["dry_run"]) == ("sweep", True)
    assert (report["deletion"]["planned"], report["deletion"]["deleted"]) == (len(STALE + EARLY), 0)
    assert keys_in(made_table, TABLE) == before

    report = report_of(Pod(with_deletion_on(rendered("cronjob-sweep")), edited, ministack_url))
    assert (report["run"]["dry_run"], report["deletion"]["deleted"]) == (False, len(STALE + EARLY))
    assert before - keys_in(made_table, TABLE) == {key_of(row) for row in STALE + EARLY}
    archived = aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert all(f"s3://{BUCKET}/{each['Key']}".startswith(report["deletion"]["archive"]) for each in archived)


@pytest.mark.usefixtures("made_table")
def test_a_cluster_reads_for_the_sweep_over_tls(ministack_url: str, tmp_path: Path) -> None:
    whole, tls = rendered("distributed"), tmp_path / "tls"
    tls.mkdir()
    # As the page has an operator make the certificate.
    (command,) = re.findall(r"^ +(openssl req .*)$", PAGE.read_text(), re.MULTILINE)
    subprocess.run(shlex.split(command), cwd=tls, check=True, capture_output=True)
    shutil.copy(tls / "tls.crt", tls / "ca.crt")
    shared = whole.named("ConfigMap", "janitor-dask-distributed")["data"]
    variables = {name: value.replace("/etc/dask", str(tls)) for name, value in shared.items()}
    variables["DASK_TEMPORARY_DIRECTORY"] = str(tmp_path)
    (port,) = (each["containerPort"] for each in whole.narrowed_to(SCHEDULER).container["ports"])
    here = free_port()

    def moved(words: list[str]) -> list[str]:
        """A command of a pod, on a port of this machine's loopback that is free."""
        assert words[0] == "dask"
        where = {
            "tls://janitor-scheduler-distributed:8786": f"tls://127.0.0.1:{here}",
            str(port): str(here),
            "8788": "0",
        }
        return [str(Path(sys.executable).with_name("dask")), *(where.get(word, word) for word in words[1:])]

    with ExitStack() as stack:
        for name in (SCHEDULER, WORKER):
            container = whole.narrowed_to(name).container
            words = moved([*container["command"], *container.get("args", ())])
            process = ForkedProcess(
                [*words, "--host", "127.0.0.1"],
                {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **fake_aws(tmp_path), **variables},
                folder=tmp_path,
            )
            stack.enter_context(closing(process))
        pod = Pod(whole, tmp_path / "pod", ministack_url)
        pod.folder.mkdir()
        pod.mount()
        kept = tmp_path / "report.json"
        environment = pod.environment | variables | {"JANITOR_REPORT": f"json={kept}"}
        swept = janitor(*pod.arguments, env=environment | {"JANITOR_DASK": f"tls://127.0.0.1:{here}"})
        assert swept.code == 0, swept.err
        report = json.loads(kept.read_text())
        assert (report["deletion"]["planned"], report["counts"]["scanned"]) == (len(STALE + EARLY), len(STALE + LIVING))
        # Whoever has no certificate of that authority gets no row, and no task.
        stranger = janitor(*pod.arguments, env=pod.environment | {"JANITOR_DASK": f"tcp://127.0.0.1:{here}"})
        assert stranger.code == 2


def test_the_daemon_answers_its_probes_knows_its_jobs_and_ends_when_told_to(
    made_table: DynamoDBClient, ministack_url: str, tmp_path: Path
) -> None:
    pod = Pod(rendered("daemon"), tmp_path, ministack_url)
    pod.mount()
    port = free_port()
    arguments = [each.replace("0.0.0.0:8080", f"127.0.0.1:{port}") for each in pod.arguments]
    assert f"127.0.0.1:{port}" in arguments
    container = pod.manifests.container
    with started(*arguments, env=pod.environment) as daemon:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            status, answer = asked(daemon, port, container[probe]["httpGet"]["path"])
            assert status == http.HTTPStatus.OK, answer
        status, answer = asked(daemon, port, "/api/runs")
        assert {job["name"] for job in json.loads(answer)["jobs"]} == {"report", "sweep"}
        status, answer = asked(daemon, port, "/metrics")
        assert (status, b"janitor_" in answer) == (http.HTTPStatus.OK, True)
        daemon.send_signal(signal.SIGTERM)
        _, said = daemon.communicate(timeout=container_grace(pod))
        assert daemon.returncode == 0, said
    assert len(keys_in(made_table, TABLE)) == len(STALE + LIVING)


def container_grace(pod: Pod) -> float:
    """The seconds after which the kubelet would kill it."""
    seconds: float = pod.manifests.pod["terminationGracePeriodSeconds"]
    return seconds


def asked(process: ForkedProcess, port: int, path: str) -> tuple[int, bytes]:
    """Status and body of an answer, asked for again, as a probe does, until the port is open and all is ready."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            try:
                connection.request("GET", path)
            except ConnectionRefusedError:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                continue
            response = connection.getresponse()
            if response.status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                return response.status, response.read()
    raise AssertionError(f"no answer on port {port}; it ended with {process.poll()}")

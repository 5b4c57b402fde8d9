"""`janitor serve`: the whole daemon, as a container starts it."""

import fcntl
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from prometheus_client.parser import text_string_to_metric_families

from tests.command import janitor, started
from tests.fixtures import NewTable
from tests.forked import ForkedProcess
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows

SECONDS = 40.0
DAY = 86_400
one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
WHEN = '[when]\ncron = "0 3 * * *"\ncatch_up = true\n'
LINE = "0 3 * * * UTC"


class Daemon:
    """A daemon at work: what it logs, and its pages."""

    def __init__(self, process: ForkedProcess) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        # Whoever waits for a line that never comes reads the end of the log instead.
        self._watchdog = threading.Timer(SECONDS, process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self.port = int(self.wait_for("daemon.started")["pages"].rstrip("/").rpartition(":")[2])

    def wait_for(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read the log up to the next line of this event."""
        assert self.process.stderr is not None
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if line.startswith("{"):
                said: dict[str, Any] = json.loads(line)
                self.said.append(said)
                if said["event"] == event and fields.items() <= said.items():
                    return said
        raise AssertionError(f"no {event} {fields} in the log:\n{''.join(seen)}")

    def ask(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def runs(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.ask("/api/runs")[1])
        return {**said, "jobs": {job["name"]: job for job in said["jobs"]}}

    def end(self, number: int) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._watchdog.cancel()
        return code


@contextmanager
def daemon(folder: Path, state: Path, **env: str) -> Iterator[Daemon]:
    arguments = ("serve", str(folder), "--listen", "127.0.0.1:0", "--state-dir", str(state))
    with started(*arguments, env=env) as process:
        yield Daemon(process)


def job(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def remember(state: Path, *names: str, gone: str | None = None) -> None:
    """As if a daemon had known these jobs, and been away for two days since; one is gone for long."""
    state.mkdir(exist_ok=True)
    jobs = {name: {"line": LINE, "handled_at": time.time() - 2 * DAY} for name in names}
    if gone is not None:
        jobs[gone] = {"gone_at": time.time() - 31 * DAY}
        (state / "runs" / gone).mkdir(parents=True)
    (state / "daemon.json").write_text(json.dumps({"schema": "janitor.daemon/v1", "jobs": jobs}))


def remembered(state: Path, name: str) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((state / "daemon.json").read_text())["jobs"][name]
    return known


def is_at_work(state: Path, name: str) -> bool:
    """Whether a run of the job lives: it holds a lock until its very end, unlike a process id, which a zombie keeps."""
    with (state / "runs" / name / ".running").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@one_server
def test_it_catches_up_shows_what_happened_follows_the_folder_and_ends(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    folder, state = tmp_path / "schedules", tmp_path / "state"
    rows = [*stale_rows(3), *living_rows(30)]
    table, other = new_table(rows), new_table(living_rows(6))
    where = f'[table]\ntable = "{table}"\n'
    deletes = f'{where}[delete]\nenabled = true\nmax_clock_skew = "1d"\narchive = "{tmp_path}/kept/"\n'
    # The same table by another name: still one run of it at a time.
    boto3.client("ssm", endpoint_url=server.url).put_parameter(Name="/lisa/table", Value=table, Type="String")
    by_parameter = '[table]\nssm_parameter = "/lisa/table"\n'
    job(folder, "nightly", f'description = "Warns <b>owners</b>"\n{WHEN}{by_parameter}')
    job(folder, "put-off", f'[when]\ncron = "0 3 * * *"\njitter = "30m"\n{where}')
    job(folder, "sweep", f"{WHEN}{deletes}")
    job(folder, "never-seen", f"{WHEN}{where}")
    job(folder, "several", f'[[table]]\ntable = "{table}"\n[[table]]\ntable = "{other}"\n')
    job(folder, "broken", f'{WHEN}{where}[policy]\ngrase = "7d"\n')
    remember(state, "nightly", "sweep", "broken", "put-off", gone="long-gone")

    with daemon(folder, state, AWS_ENDPOINT_URL=server.url) as running:
        for _ in range(2):
            assert running.wait_for("job.ended")["outcome"] == "complete"
        _check_what_is_shown(running, table, tmp_path)
        assert not keys_in(client, table) & {row["token"]["S"] for row in stale_rows(3)}

        shown = [running.ask(path)[1] for path in ("/", "/api/runs", "/metrics", "/readyz", "/runs/nightly/report")]
        assert not any(row["token"]["S"] in page for row in rows for page in shown)

        second = janitor("serve", str(folder), "--listen", "127.0.0.1:0", "--state-dir", str(state))
        assert (second.code, second.out) == (2, "")
        assert second.err.startswith(f"janitor: another `janitor serve` keeps its state in {state}; ")

        _change_the_folder(running, folder, where)
        assert running.end(signal.SIGTERM) == 0
    assert remembered(state, "sweep")["runs"] == {"complete": 1}
    known = json.loads((state / "daemon.json").read_text())["jobs"]
    assert ("long-gone" in known, (state / "runs" / "long-gone").exists()) == (False, False)
    assert known["nightly"]["gone_at"] is not None
    assert known["broken"]["gone_at"] is None
    # Every line of a run says which job's it is.
    assert {said.get("job") for said in running.said if "run_id" in said} == {"nightly", "sweep"}


def _check_what_is_shown(running: Daemon, table: str, tmp_path: Path) -> None:
    runs = running.runs()
    jobs = runs["jobs"]
    assert {name for name, each in jobs.items() if each["last_run"]} == {"nightly", "sweep"}
    spans = sorted(
        (jobs[name]["last_run"]["started_at"], jobs[name]["last_run"]["ended_at"]) for name in ("nightly", "sweep")
    )
    assert spans[0][1] <= spans[1][0]  # never two at work on one table
    [report] = jobs["sweep"]["reports"]
    assert (report["table"], report["deletion"]["deleted"], report["of_last_run"]) == (table, 3, True)
    assert [each["name"] for each in runs["broken"]] == ["broken"]
    assert jobs["several"]["next_run"] is None
    assert {name: each["missed"]["count"] for name, each in jobs.items() if each["missed"]["count"]} == {"put-off": 1}
    assert jobs["never-seen"]["next_run"].endswith("T03:00:00+00:00")

    page = running.ask("/")[1]
    assert "Warns &lt;b&gt;owners" in page
    assert f"{tmp_path}/schedules/broken.toml, line 7: [policy] grase" in page
    assert running.ask("/healthz") == (200, "ok\n")
    status, said = running.ask("/readyz")
    assert status == 503
    assert all(each["ok"] for each in json.loads(said)["tables"])
    assert running.ask("/runs/nightly/report")[1] == (tmp_path / "state/runs/nightly/report.html").read_text()
    assert running.ask("/runs/never-seen/report")[0] == running.ask("/runs/..%2F..%2Fdaemon/report")[0] == 404
    families = list(text_string_to_metric_families(running.ask("/metrics")[1]))
    assert len(families) == len({family.name for family in families})
    deleted = next(family for family in families if family.name == "janitor_last_run_deleted_tokens")
    assert {sample.labels["job"]: sample.value for sample in deleted.samples} == {"nightly": 0, "sweep": 3}


def _change_the_folder(running: Daemon, folder: Path, where: str) -> None:
    job(folder, "broken", f"{WHEN}{where}")
    job(folder, "sweep", f"{WHEN}{where}[delete]\nenabled = yes\n")
    (folder / "nightly.toml").unlink()
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("file.broken", job="sweep", was_scheduled=True)
    running.wait_for("job.removed", job="nightly")
    runs = running.runs()
    assert set(runs["jobs"]) == {"broken", "never-seen", "put-off", "several"}
    assert [each["name"] for each in runs["broken"]] == ["sweep"]
    assert running.ask("/runs/sweep/report")[0] == 404
    # Without a signal, by looking. What came due while it was broken is not caught up.
    job(folder, "sweep", f"{WHEN}{where}[delete]\n")
    running.wait_for("job.loaded", job="sweep", deletes=False)
    assert running.runs()["broken"] == []


def test_a_run_ends_with_the_daemon_and_one_that_was_left_behind_with_the_next(tmp_path: Path) -> None:
    folder, state = tmp_path / "schedules", tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as connections:
        # It takes connections, and never answers.
        silent.settimeout(SECONDS)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        job(folder, "hangs", f'{WHEN}[table]\ntable = "tokens"\nendpoint_url = "{endpoint}"\n')

        remember(state, "hangs")
        with daemon(folder, state) as running:
            silent.accept()[0].close()  # the daemon asks
            connections.enter_context(silent.accept()[0])  # the run asks
            assert running.runs()["jobs"]["hangs"]["running_since"] is not None
            assert running.end(signal.SIGTERM) == 0
        assert not is_at_work(state, "hangs")
        assert remembered(state, "hangs")["runs"] == {"interrupted": 1}

        remember(state, "hangs")
        with daemon(folder, state) as running:
            silent.accept()[0].close()
            connections.enter_context(silent.accept()[0])
            assert running.end(signal.SIGKILL) == -signal.SIGKILL
        assert is_at_work(state, "hangs")

        with daemon(folder, state) as running:
            assert not is_at_work(state, "hangs")
            hangs = running.runs()["jobs"]["hangs"]
            # Its time was handled when it began: a run that takes the machine down does not do so for ever.
            assert (hangs["running_since"], hangs["waiting"], hangs["runs"]) == (None, False, {"lost": 1})
            labels = '{job="hangs",region="us-east-1",table="tokens"}'
            assert f"janitor_last_run_success{labels} 0.0\n" in running.ask("/metrics")[1]
            (folder / "hangs.toml").unlink()
            running.process.send_signal(signal.SIGHUP)
            running.wait_for("daemon.idle")
            assert running.ask("/readyz")[0] == 503
            assert running.end(signal.SIGINT) == 0

"""Several tables in one run: one report with a part a table, one digest, and none that hides another."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.announcing import Loudspeaker, due_rows, dynamodb, state_in, topic
from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.integration.test_heartbeat import running_monitor
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows

__all__ = ["dynamodb", "topic"]

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


def deployments(new_table: NewTable, number: Callable[[], int], *rows: list[Any]) -> list[str]:
    """A deployment for each list of rows; its table is that of LISA 6."""
    names = [f"several-{number():04}" for _ in rows]
    for name, each in zip(names, rows, strict=True):
        new_table(each, name=f"{name}-LISAApiBaseTokenTable")
    return names


def table_of(deployment: str) -> str:
    return f"{deployment}-LISAApiBaseTokenTable"


def flags(names: list[str]) -> list[str]:
    return [part for name in names for part in ("--deployment", name)]


def run(server: Server, *arguments: str, **env: str) -> Finished:
    return janitor(*arguments, env={"AWS_ENDPOINT_URL": server.url, **env})


@one_server
def test_one_report_tells_of_all_tables_and_one_that_is_missing_hides_none(
    server: Server, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    names = deployments(new_table, table_number, living_rows(12), due_rows(2, 5))
    places = {form: tmp_path / f"report.{form}" for form in ("ndjson", "csv", "html", "markdown", "ics", "table")}
    reports = [part for form, path in places.items() for part in ("--report", f"{form}={path}")]
    metrics = tmp_path / "m.prom"
    watched = ("--metrics", f"prometheus={metrics}", "--heartbeat-url")
    with running_monitor() as monitor:
        finished = run(server, "scan", *flags([names[0], "not-there", names[1]]), *reports, *watched, monitor.url)
    assert finished.code == 1, finished.err
    assert [told.path for told in monitor.told] == ["/start", "/fail"]
    assert "not-there: no token table" in monitor.told[-1].body
    said = json.loads(finished.out)
    parts = {part["label"]: part for part in said["tables"]}
    assert (said["changes"], said["run"]["outcome"]) == (None, "failed")
    assert list(parts) == [table_of(names[0]), "not-there", table_of(names[1])]
    assert [part["outcome"] for part in said["tables"]] == ["complete", "failed", "complete"]
    assert said["counts"]["scanned"] == 14 == sum(part["counts"]["scanned"] for part in said["tables"])
    [error] = said["errors"]
    assert error["message"].startswith("not-there: no token table in us-east-1")
    assert f"janitor: {error['message']}" in finished.err
    assert {finding["table"] for finding in said["findings"]} == {table_of(name) for name in names}
    seconds = [each["seconds_to_expiry"] for each in said["findings"] if each["state"] == "expiring"]
    assert seconds == sorted(seconds)

    lines = [json.loads(line) for line in places["ndjson"].read_text().splitlines()]
    assert len(lines) == len(said["findings"]) + 1
    assert lines[-1]["tables"] == said["tables"]
    told = list(csv.DictReader(io.StringIO(places["csv"].read_text())))
    [missing] = [row for row in told if not row["fingerprint"]]
    assert (missing["table"], missing["state"], len(told)) == ("not-there", "", len(said["findings"]) + 1)
    assert missing["meaning"].startswith("incomplete: no token table")
    # Whoever subscribed to a calendar would lose the events of the table that is missing.
    assert not places["ics"].exists()
    for form in ("html", "markdown", "table"):
        text = places[form].read_text().replace("\\", "")
        assert all(name in text for name in (table_of(names[0]), "not-there", "3 tables")), form
    series = metrics.read_text()
    assert f'janitor_tokens{{job="scan",region="us-east-1",state="expiring",table="{names[1]}"}} 2.0' in series
    assert 'janitor_last_run_success{job="scan",region="us-east-1",table="not-there"} 0.0' in series
    assert 'janitor_tokens{job="scan",region="us-east-1",state="expiring",table="not-there"}' not in series


@one_server
def test_a_table_keeps_its_series_whoever_is_reached(
    server: Server, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    names = deployments(new_table, table_number, living_rows(1), living_rows(1))
    job, metrics = tmp_path / "job.toml", tmp_path / "m.prom"

    def series(endpoint: str) -> dict[str, str]:
        job.write_text(
            f'[[table]]\ndeployment = "{names[0]}"\n'
            f'[[table]]\ndeployment = "{names[1]}"\nendpoint_url = "{endpoint}"\n'
            f'[notify]\nmetrics = ["prometheus={metrics}"]\n'
        )
        finished = run(server, "run", str(job))
        assert finished.out, finished.err
        lines = [line.rpartition(" ") for line in metrics.read_text().splitlines()]
        return {line: value for line, _, value in lines if line.startswith("janitor_last_")}

    reached, dead = series(server.url), series("http://127.0.0.1:9")
    assert set(dead) == set(reached)
    success = [f'janitor_last_run_success{{job="job",region="us-east-1",table="{name}"}}' for name in names]
    assert ([reached[each] for each in success], [dead[each] for each in success]) == (["1.0"] * 2, ["1.0", "0.0"])


@one_server
def test_the_variable_names_several_and_each_format_says_which_table(
    server: Server, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    names = deployments(new_table, table_number, due_rows(2), due_rows(2, 400))
    calendar = tmp_path / "t.ics"
    whole = tmp_path / "t.json"
    reports = ("--report", f"ics={calendar}", "--report", f"json={whole}")
    options = ("--format", "csv", *reports, "--fail-on", "expiring", "--metrics", "emf")
    with running_monitor() as monitor:
        finished = run(server, "scan", *options, "--heartbeat-url", monitor.url, JANITOR_DEPLOYMENT=" ".join(names))
    assert finished.code == 3, finished.err
    assert [told.path for told in monitor.told] == ["/start", "/"]
    rows = list(csv.DictReader(io.StringIO(finished.out)))
    assert list(rows[0])[-4:] == ["table", "groups", "last_seen", "why"]
    assert {row["table"] for row in rows} == {table_of(name) for name in names}
    # The same token in two tables is two events.
    assert calendar.read_text().count("BEGIN:VEVENT") == 2
    assert all(table_of(name) in calendar.read_text().replace("\r\n ", "") for name in names)
    emf = [json.loads(line) for line in finished.err.splitlines() if '"_aws"' in line]
    assert [(line["table"], line["TokensExpiring"]) for line in emf] == [(name, 1) for name in names]
    one = run(server, "scan", "--deployment", names[0], "--format", "json")
    said = json.loads(one.out)
    assert ([table["name"] for table in said["tables"]], said["findings"][0]["table"]) == ([table_of(names[0])], None)
    [part, _] = json.loads(whole.read_text())["tables"]
    assert (part["capacity"], part["counts"]) == (said["capacity"], said["counts"])


def test_a_sweep_of_two_tables_has_two_archives_and_a_guard_of_one_spares_not_the_other(
    server: Server, client: DynamoDBClient, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    living = living_rows(30)
    names = deployments(new_table, table_number, [*stale_rows(4), *living], [*stale_rows(9), *living])
    options = ("--delete", "--yes", "--max-clock-skew", "1d", "--max-deletes", "5", "--archive", f"{tmp_path}/kept/")
    state = str(tmp_path / "state")
    finished = run(server, "sweep", *flags(names), *options, XDG_STATE_HOME=state)
    said = json.loads(finished.out)
    assert (finished.code, said["run"]["outcome"]) == (4, "refused"), finished.err
    assert [part["outcome"] for part in said["tables"]] == ["complete", "refused"]
    assert (said["deletion"]["planned"], said["deletion"]["deleted"]) == (13, 4)
    assert (said["deletion"]["archive"], said["deletion"]["plan"]) == (None, None)
    [swept, refused] = [part["deletion"] for part in said["tables"]]
    assert Path(swept["archive"]).parent == tmp_path / "kept"
    assert (refused["archive"], Path(refused["plan"]).exists()) == (None, True)
    assert f"janitor: {table_of(names[1])}: the plan is " in finished.err
    keys = {row["token"]["S"] for row in living}
    assert keys_in(client, table_of(names[0])) == keys
    assert len(keys_in(client, table_of(names[1]))) == 39

    both = run(server, "sweep", *flags(names), *options[:-4], "--archive", f"{tmp_path}/kept/", XDG_STATE_HOME=state)
    assert (both.code, json.loads(both.out)["deletion"]["deleted"]) == (0, 9), both.err
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert not Path(refused["plan"]).exists()


@one_server
def test_one_table_by_two_names_and_no_table_at_all_are_refused_before_anything_is_read(
    server: Server, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    [name] = deployments(new_table, table_number, living_rows(6))
    twice = tmp_path / "job.toml"
    twice.write_text(f'[[table]]\ndeployment = "{name}"\n[[table]]\ntable = "{table_of(name)}"\n')
    finished = run(server, "run", str(twice))
    assert (finished.code, finished.out) == (2, "")
    assert f"{name} and {table_of(name)} are one table" in finished.err
    none = run(server, "scan", *flags(["nowhere", "neither"]))
    assert (none.code, none.out) == (2, "")
    assert "no table can be reached: nowhere: no token table" in none.err


@one_server
def test_one_digest_tells_of_all_tables_and_each_notice_once(
    server: Server,
    new_table: NewTable,
    table_number: Callable[[], int],
    topic: Loudspeaker,
    tmp_path: Path,
) -> None:
    names = deployments(new_table, table_number, due_rows(2, -1), due_rows(3))
    queue = topic.queue(f"queue-{table_number()}")
    file = tmp_path / "job.toml"
    role = "arn:aws:iam::000000000000:role/janitor"
    file.write_text(
        f'[[table]]\ndeployment = ["{names[0]}"]\n[[table]]\ndeployment = "{names[1]}"\nrole_arn = "{role}"\n'
        f'[[table]]\ntable = "not-there"\n[notify]\nsns_topic_arn = "{topic.arn}"\nper_token = true\n'
        f'[state]\nurl = "{state_in(tmp_path)}"\n'
    )
    finished = run(server, "run", str(file), "--keep-in", str(tmp_path / "kept"))
    assert finished.code == 1, finished.err
    said = json.loads(finished.out)
    assert said == json.loads((tmp_path / "kept" / "report.json").read_text())
    assert said["notices"] == {
        "due": 3, "sent": 3, "failed": 0, "left": 0, "long_expired": 0, "digests": 1, "state": state_in(tmp_path),
    }  # fmt: skip
    bodies = queue.bodies()
    [digest] = [body for body in bodies if body["schema"] == "janitor.digest/v1"]
    assert len(bodies) == 4
    assert (digest["table"], digest["outcome"], digest["notices_total"]) == (None, "failed", 3)
    tables = {table["table"]: table for table in digest["tables"]}
    assert [tables[table_of(name)]["outcome"] for name in names] == ["complete", "complete"]
    assert tables["not-there"]["outcome"] == "failed"
    assert sorted(notice["table"] for notice in digest["notices"]) == sorted(
        [table_of(names[0]), table_of(names[0]), table_of(names[1])]
    )
    again = run(server, "run", str(file))
    # That the table is not there was told.
    assert (json.loads(again.out)["notices"]["due"], queue.bodies()) == (0, [])
    alone = run(
        server, "scan", "--deployment", names[0], "--sns-topic-arn", topic.arn, "--state-url", state_in(tmp_path)
    )
    assert json.loads(alone.out)["notices"]["due"] == 0
    assert queue.bodies() == []


@one_server
def test_the_topic_of_tables_in_several_regions_is_asked_in_its_own(
    server: Server, new_table: NewTable, table_number: Callable[[], int], topic: Loudspeaker, tmp_path: Path
) -> None:
    [name] = deployments(new_table, table_number, due_rows(2))
    queue = topic.queue(f"queue-{table_number()}")
    file = tmp_path / "job.toml"
    file.write_text(
        '[[table]]\ntable = "not-there"\nregion = "eu-central-1"\n'
        f'[[table]]\ndeployment = "{name}"\nregion = "us-east-1"\n'
        f'[notify]\nsns_topic_arn = "{topic.arn}"\n[state]\nurl = "{state_in(tmp_path)}"\n'
    )
    finished = run(server, "run", str(file))
    assert json.loads(finished.out)["notices"]["sent"] == 1, finished.err
    assert len(queue.bodies()) == 1

"""`janitor run FILE`: a schedule file, once."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from prometheus_client.parser import text_string_to_metric_families

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows
from tests.tables import Item, create_table, token

# What files say is the same on every server; only the deletes are tried on each.
one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
SCHEDULES = sorted((Path(__file__).parents[2] / "schedules").glob("*.toml"))


def job(folder: Path, text: str) -> str:
    path = folder / "job.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(server: Server, file: str, *options: str, **env: str) -> Finished:
    return janitor("run", file, *options, env={"AWS_ENDPOINT_URL": server.url, **env})


def reports(finished: Finished) -> list[dict[str, Any]]:
    """The JSON reports on standard output, one after the other."""
    decoder, text, found = json.JSONDecoder(), finished.out.strip(), []
    while text:
        report, end = decoder.raw_decode(text)
        found.append(report)
        text = text[end:].strip()
    return found


def test_a_file_with_delete_enabled_deletes_and_dry_run_beats_it(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(3), living_rows(30)
    table = new_table([*stale, *living])
    before = keys_in(client, table)
    file = job(
        tmp_path,
        f'[table]\ntable = "{table}"\n[delete]\nenabled = true\nmax_clock_skew = "1d"\narchive = "{tmp_path}/kept/"\n',
    )
    dry = run(server, file, "--dry-run")
    [said] = reports(dry)
    assert (dry.code, keys_in(client, table)) == (0, before)
    assert said["deletion"]["enabled"] is False
    assert said["deletion"]["planned"] == 3
    real = run(server, file)
    [said] = reports(real)
    assert (real.code, said["run"]["command"]) == (0, "sweep")
    assert keys_in(client, table) == {row["token"]["S"] for row in living}
    assert len(list((tmp_path / "kept").iterdir())) == 1


@one_server
def test_a_file_without_a_section_to_delete_is_a_scan(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(1), *living_rows(6)])
    file = job(tmp_path, f'[table]\ntable = "{table}"\n[report]\nfail_on = "stale"\n')
    finished = run(server, file, "--keep-in", str(tmp_path / "kept"))
    [said] = reports(finished)
    assert (finished.code, said["run"]["command"]) == (3, "scan")
    assert json.loads((tmp_path / "kept" / "report.json").read_text())["run"] == said["run"]
    assert (tmp_path / "kept" / "report.html").read_text().startswith("<!doctype html>")


@one_server
def test_a_flag_beats_the_environment_which_beats_the_file(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table(living_rows(6))
    text = '[table]\ndeployment = "nothing-of-this-name"\n[policy]\ngrace = "1d"\nexpiring_within = "60d"\n'
    file = job(tmp_path, text)
    finished = run(server, file, "--table", table, "--expiring-within", "9d", JANITOR_GRACE="5d")
    [said] = reports(finished)
    policy = said["policy"]
    assert policy["grace_seconds"] == 5 * 86_400
    assert policy["thresholds_seconds"] == [9 * 86_400]


@one_server
def test_no_variable_aims_the_deletes_of_a_file_at_another_table(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    meant, other = new_table(stale_rows(1)), new_table(stale_rows(2))
    file = job(tmp_path, f'[table]\ntable = "{meant}"\n[delete]\nenabled = true\nno_archive = true\n')
    for options in ((), ("--check",), ("--dry-run",)):
        finished = run(server, file, *options, JANITOR_TABLE=other)
        assert (finished.code, finished.out) == (2, "")
        assert f"{file} deletes from the table that it names, and JANITOR_TABLE={other} names another" in finished.err
    assert (len(keys_in(client, meant)), len(keys_in(client, other))) == (1, 2)
    assert run(server, file, JANITOR_TABLE=meant).code == 0
    assert keys_in(client, meant) == set()


@one_server
@pytest.mark.parametrize(
    ("key", "said", "other"),
    [
        ("region", "us-east-1", "eu-west-1"),
        ("endpoint_url", "http://localhost:1", "http://localhost:2"),
        ("profile", "night", "day"),
        ("role_arn", "arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"),
    ],
)
def test_no_variable_leads_the_deletes_of_a_file_elsewhere(
    server: Server, tmp_path: Path, key: str, said: str, other: str
) -> None:
    text = f'[table]\ntable = "tokens"\n{key} = "{said}"\n[delete]\nenabled = true\n'
    for options in ((), ("--check",), ("--dry-run",)):
        finished = run(server, job(tmp_path, text), *options, **{f"JANITOR_{key.upper()}": other})
        assert (finished.code, finished.out) == (2, "")
        assert f"deletes, and JANITOR_{key.upper()}={other} contradicts its [table] {key}" in finished.err


@one_server
def test_the_patterns_of_a_variable_and_of_the_file_protect_together(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(3), *living_rows(6)])
    text = f'[table]\ntable = "{table}"\n[policy]\nprotect_users = ["user-0@*"]\n[delete]\nenabled = true\n'
    limits = 'no_archive = true\nmax_clock_skew = "1d"\n'
    finished = run(server, job(tmp_path, text + limits), JANITOR_PROTECT_USER="user-1@*")
    [report] = reports(finished)
    assert (finished.code, report["deletion"]["protected"], report["deletion"]["deleted"]) == (0, 2, 1), finished.err


@one_server
def test_no_variable_makes_a_file_delete(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    file = job(tmp_path, f'[table]\ntable = "{table}"\n[delete]\n')
    assert run(server, file).code == 0
    for name in ("JANITOR_DELETE", "JANITOR_ENABLED"):
        finished = run(server, file, **{name: "1"})
        assert (finished.code, f"janitor: {name} is not a variable of janitor" in finished.err) == (2, True)
    assert len(keys_in(client, table)) == 2


@one_server
def test_each_table_has_its_turn_and_all_are_in_one_report(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    first, last = new_table(living_rows(6)), new_table(living_rows(12))
    tables = "".join(f'[[table]]\ntable = "{name}"\n' for name in (first, "not-there", last))
    file = job(tmp_path, f'{tables}[report]\nreport = "ndjson={tmp_path}/all.ndjson"\n')
    finished = run(server, file, "--keep-in", str(tmp_path / "kept"))
    [said] = reports(finished)
    assert [part["name"] for part in said["tables"]] == [first, "not-there", last]
    # Not 2, for then nothing would have been read.
    assert finished.code == 1
    assert "janitor: not-there: there is no table not-there in" in finished.err
    lines = (tmp_path / "all.ndjson").read_text().splitlines()
    assert json.loads(lines[-1])["tables"] == said["tables"]
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"report.json", "report.html"}


@one_server
def test_metrics_have_the_name_of_the_job_and_a_refused_one_hides_behind_no_other(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(3), *living_rows(30)])
    metrics = tmp_path / "janitor.prom"
    notify = f'[notify]\nmetrics = ["prometheus={metrics}", "emf"]\n'
    sweep, report = tmp_path / "sweep.toml", tmp_path / "nightly report.toml"
    sweep.write_text(
        f'[table]\ntable = "{table}"\n{notify}[delete]\nenabled = true\nmax_deletes = 0\narchive = "{tmp_path}/kept/"\n'
    )
    report.write_text(f'[table]\ntable = "{table}"\n{notify}')
    where = ("--table", table, "--endpoint-url", server.url, "--metrics", f"prometheus={metrics}", "--metrics", "emf")
    for arguments, name, code in (
        (("run", str(sweep)), "sweep", 4),
        (("run", str(report)), "nightly report", 0),
        (("scan", *where), "scan", 0),
        (("scan", *where, "--job", "by hand"), "by hand", 0),
    ):
        finished = janitor(*arguments, env={"AWS_ENDPOINT_URL": server.url})
        assert finished.code == code, finished.err
        [line] = [json.loads(each) for each in finished.err.splitlines() if '"_aws"' in each]
        assert (line["job"], line["table"], line["Success"]) == (name, table, int(code == 0))
    successes = {
        sample.labels["job"]: sample.value
        for family in text_string_to_metric_families(metrics.read_text())
        for sample in family.samples
        if sample.name == "janitor_last_run_success"
    }
    assert successes == {"sweep": 0, "nightly report": 1, "scan": 1, "by hand": 1}


def test_a_wrong_file_runs_nothing_and_check_says_all_of_it(tmp_path: Path) -> None:
    file = job(tmp_path, '[when]\ncron = "0 3 * *"\n[policy]\ngrase = "7d"\n')
    for options, lines in (((), 1), (("--check",), 2)):
        finished = janitor("run", file, *options)
        assert (finished.code, finished.out) == (2, "")
        assert len(finished.err.splitlines()) == lines
        assert finished.err.startswith(f"janitor: {file}, line 2: [when] cron: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\ngrace = '1d'\n", "no table is named; give [table] deployment"),
        ("[table]\ntable = 'abc'\n[delete]\narchive = 'a/'\nno_archive = true\n", "contradict each other"),
        ("[table]\ntable = 'abc'\n[notify]\nper_token = true\n", "--per-token needs a topic"),
    ],
)
def test_check_finds_what_would_refuse_the_run(tmp_path: Path, text: str, says: str) -> None:
    finished = janitor("run", job(tmp_path, text), "--check")
    assert (finished.code, finished.out) == (2, "")
    assert says in finished.err


def test_check_says_what_a_file_would_do_and_when(tmp_path: Path) -> None:
    text = (
        'description = "Clears up"\n[when]\ncron = "0 3 * * *"\n[table]\ndeployment = "prod"\n'
        '[policy]\ngrace = "30d"\n[delete]\nenabled = true\nmax_deletes = 5\n'
    )
    file = job(tmp_path, text)
    said = janitor("run", file, "--check")
    assert said.code == 0
    assert said.out.splitlines()[0] == f"{file} is valid: Clears up"
    assert "DELETES tokens that expired 30 days ago or longer, at most 5 rows" in said.out
    assert said.out.count("03:00 UTC  in ") == 5
    assert "dry run" in janitor("run", file, "--check", "--dry-run").out
    assert "gates" not in said.out
    more = text.replace("[delete]", 'gates = "api"\n[delete]\ninclude = ["undated", "legacy"]')
    said = janitor("run", job(tmp_path, more), "--check")
    assert (
        "DELETES tokens that expired 30 days ago or longer, legacy rows and rows without a date by their createdDate "
        "too, at most 5 rows"
    ) in said.out, said.err
    assert "gates      api alone: what only MCP Workbench would accept counts as dead" in said.out


@one_server
@pytest.mark.parametrize("path", SCHEDULES, ids=[path.stem for path in SCHEDULES])
def test_each_ready_schedule_is_right_and_runs(
    server: Server, client: DynamoDBClient, path: Path, tmp_path: Path
) -> None:
    now = int(time.time())
    classic: list[Item] = [token("plain-text-key", now + 60), token("for-ever")]
    tables = {"prod-LISAApiBaseTokenTable": living_rows(12), "staging-LISAApiBaseTokenTable": classic}
    for name, rows in tables.items():
        create_table(client, name, hashed=name.startswith("prod"), rows=rows)
    try:
        checked = janitor("run", str(path), "--check")
        assert (checked.code, checked.err) == (0, "")
        assert "DELETES" not in checked.out
        finished = run(server, str(path), XDG_STATE_HOME=str(tmp_path))
        assert finished.code == (3 if path.stem == "weekly-audit" else 0), finished.err
        assert all(said["run"]["outcome"] == "complete" for said in reports(finished))
        [said] = reports(finished)
        assert len(said["tables"]) == (2 if path.stem == "several-tables" else 1)
        assert len(keys_in(client, "prod-LISAApiBaseTokenTable")) == 12
    finally:
        for name in tables:
            client.delete_table(TableName=name)

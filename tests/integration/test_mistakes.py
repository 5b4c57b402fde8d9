"""Mistakes of a new user, read aloud: one line each, what is wrong first, then the way out, and the exit code."""

from pathlib import Path

import pytest

from tests.command import janitor
from tests.fixtures import NewTable
from tests.integration.scanning import DAY
from tests.servers import Server
from tests.sweeping import stale_rows
from tests.tables import SAMPLE_NOW, modern

pytestmark = pytest.mark.parametrize("server", ["ministack"], indirect=True)

# What is typed, the exit code, and the line; {table} and {here} are filled in.
MISTAKES = (
    ("scan", 2, "no table is named; give --table NAME, --deployment NAME or --ssm-parameter [PATH]"),
    ("scan --table nope", 2, "there is no table nope in us-east-1; check the name, --region and the account"),
    (
        "scan --deployment dep",
        2,
        "no dep-LISAApiTokenTable, no LISAApiTokenTable; check the deployment's name, --region and the account",
    ),
    (
        "sweep --table {table} --notice-age 30d",
        2,
        "--notice-age is only for --require-notice; give --require-notice too",
    ),
    ("scan --deployment=", 2, "--deployment: the name is empty"),
    (
        "scan --table {table} --profile nope",
        2,
        "there is no profile nope; check --profile and AWS_PROFILE, or ~/.aws/config",
    ),
    (
        "scan --table {table} --endpoint-url localhost:8000",
        2,
        "'localhost:8000' is not an endpoint; give --endpoint-url a URL like http://localhost:8000",
    ),
    (
        "scan --table {table} --report json={here}/no/r.json",
        2,
        "{here}/no/r.json cannot be written: there is no folder {here}/no; make it, or give another path",
    ),
    (
        "scan --table {table} --report json={here}",
        2,
        "{here} cannot be written: it is a folder; give the path of a file in it",
    ),
    (
        "scan --table {table} --report json={here}/file/r.json",
        2,
        "{here}/file/r.json cannot be written: {here}/file is not a folder; give another path",
    ),
    ("sweep --table {table} --delete", 4, "refused to delete: there is no terminal to ask on; give --yes"),
    (
        "sweep --table {table} --plan {here}/file",
        2,
        "the plan: {here}/file exists already; give the path of a new file",
    ),
    ("apply nope.ndjson", 2, "nope.ndjson cannot be read: No such file or directory; check the path"),
    (
        "restore s3://nope/x/ --all",
        2,
        "s3://nope/x/: there is no such bucket; check the name, --region and the account",
    ),
    ("run nope.toml", 2, "nope.toml cannot be read: No such file or directory; give the path of a schedule file"),
    (
        "run {here}/value.toml",
        2,
        "{here}/value.toml: not TOML: Invalid value (at line 2, column 9); put a text in quotes, and write true or ",
    ),
    (
        "run {here}/zone.toml",
        2,
        "line 3: [when] timezone: 'CEST' is an abbreviation, not a time zone; write the zone of a place, like Europe/",
    ),
    (
        "run {here}/key.toml",
        2,
        "line 3: [table] tabel: an unknown key; did you mean 'table'? 1 more: `janitor run {here}/key.toml --check` ",
    ),
    ("serve {here}/file", 2, "{here}/file is not a folder; give the folder that holds the schedule files"),
    (
        "serve {here} --state-dir {here}/file --listen 127.0.0.1:0",
        2,
        "{here}/file cannot be written: {here}/file is not a folder; give --state-dir another folder",
    ),
    ("token show ana --table {table}", 2, "FINGERPRINT is neither 6 to 12 hex digits nor a row name nor a tokenUUID; "),
    (
        "token show 000000 --table {table}",
        2,
        "no row has the fingerprint 000000 in {table}; `janitor token list` lists all",
    ),
    (
        "token extend --user ben --by 1d --table {table}",
        2,
        "no token of ben is in {table}; `janitor token list` lists all",
    ),
    (
        "token remove --user held --yes --no-archive --table {table} --format table",
        4,
        "refused: it is protected (hold); take janitorHold out of its row to remove it",
    ),
    ("token revoke --user ana --table {table}", 4, "nothing was changed: there is no terminal to ask on; give --yes"),
    (
        "token add --user ana --name n --expires-in 1h --table {table}",
        2,
        "ana has a token already, and LISA allows one per user: ",
    ),
    (
        "token import --from-table x --owners {here}/file --table {table}",
        2,
        "{here}/file, line 1: there is no column fingerprint, no username, no name; the first line must ",
    ),
    (
        "doctor --table nope --format json",
        1,
        "table: there is no table nope in us-east-1; check the name, --region and the",
    ),
)


def test_each_mistake_is_one_line_that_says_what_is_wrong_then_what_to_do(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    living = [modern(name, SAMPLE_NOW + 10_000 * DAY, username=name) for name in ("ana", "cyd")]
    held = modern("held", SAMPLE_NOW, username="held", janitorHold={"BOOL": True})
    table = new_table([*stale_rows(3), *living, held])
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "value.toml").write_text("[table]\ntable = x\n")
    (tmp_path / "zone.toml").write_text('[when]\ncron = "0 3 * * *"\ntimezone = "CEST"\n')
    (tmp_path / "key.toml").write_text("[table]\n\ntabel = 1\nnames = 2\n")
    for typed, code, line in MISTAKES:
        arguments = typed.format(table=table, here=tmp_path).split()
        # A flag beats the variable, where an endpoint is the mistake.
        finished = janitor(*arguments, env={"AWS_ENDPOINT_URL": server.url})
        said = [each for each in finished.err.splitlines() if not each.startswith('{"')]
        expected = line.format(table=table, here=tmp_path)
        assert (finished.code, len([each for each in said if each.startswith("janitor: ")])) == (code, 1), finished.err
        assert expected in said[-1], typed
        assert "Traceback" not in finished.err

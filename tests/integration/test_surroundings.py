"""Where janitor is put: users without a name, disks that take nothing, files from other editors, plain terminals."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import living_rows, stale_rows

pytestmark = pytest.mark.parametrize("server", ["ministack"], indirect=True)

BOM = "\ufeff"
UNKNOWN_USER = 54_321
# Who the process is, and still with the right to read the interpreter, wherever that is.
AS_ANOTHER_USER = """
import os, runpy, sys
os.setresuid(int(sys.argv.pop(1)), 0, 0)
runpy.run_module("janitor", run_name="__main__", alter_sys=True)
"""
ARN = "arn:aws:sns:us-east-1:123456789012:tokens"


def ran(server: Server, *arguments: str, env: dict[str, str | None] | None = None, **options: Any) -> Finished:
    return janitor(*arguments, env={"AWS_ENDPOINT_URL": server.url, **(env or {})}, **options)


def one_line(finished: Finished) -> str:
    """The one line on stderr that is no log."""
    [line] = [line for line in finished.err.splitlines() if not line.startswith("{")]
    return line


def checks_of(finished: Finished) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(finished.out)["checks"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_and_a_home(server: Server, new_table: NewTable) -> None:
    table = new_table([*stale_rows(2), *living_rows(6)])
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "JANITOR_TABLE": table,
    }

    def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", AS_ANOTHER_USER, str(UNKNOWN_USER), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    scanned = as_nobody("scan", "--format", "json")
    assert (scanned.returncode, json.loads(scanned.stdout)["counts"]["scanned"]) == (0, 8), scanned.stderr
    for option, command in (
        ("--archive", ["sweep", "--delete", "--yes"]),
        ("--state-url", ["scan", "--sns-topic-arn", ARN]),
        ("--state-dir", ["serve", "/usr"]),
    ):
        finished = as_nobody(*command)
        assert finished.returncode == 2, finished.stderr
        said = finished.stderr.splitlines()[-1]
        assert f"HOME is not set, and no user has the id {UNKNOWN_USER}" in said
        assert said.endswith(f"set XDG_STATE_HOME to a folder that can be written, or give {option}")
    doctor = as_nobody("doctor", "--for", "sweep", "--format", "json", "--sns-topic-arn", ARN)
    checks = {check["name"]: check for check in json.loads(doctor.stdout)["checks"]}
    for name in ("archive", "state"):
        assert (checks[name]["status"], "no user has the id" in checks[name]["found"]) == ("failed", True)


def test_no_folder_for_temporary_files(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    """A largest file of no bytes is a disk that takes nothing, wherever one writes."""
    table = new_table([*stale_rows(2), *living_rows(6)])
    scanned = ran(server, "scan", "--table", table, largest_file=0)
    assert (scanned.code, json.loads(scanned.out)["counts"]["scanned"]) == (0, 8)
    options: list[tuple[str, ...]] = [
        ("sweep", "--table", table),
        ("sweep", "--table", table, "--delete", "--yes", "--no-archive"),
        ("scan", "--table", table, "--state-url", f"sqlite:///{tmp_path}/state.db"),
        ("demo",),
    ]
    for arguments in options:
        finished = ran(server, *arguments, largest_file=0)
        assert (finished.code, finished.out) == (2, ""), finished.err
        assert "there is no folder for temporary files" in one_line(finished)
        assert "set TMPDIR" in one_line(finished)
    for command, status in (("sweep", "failed"), ("scan", "warning")):
        doctor = ran(server, "doctor", "--for", command, "--table", table, "--format", "json", largest_file=0)
        assert checks_of(doctor)["temporary-files"]["status"] == status
    assert checks_of(ran(server, "doctor", "--table", table, "--format", "json"))["temporary-files"]["status"] == "ok"


def test_a_byte_order_mark_is_no_part_of_a_schedule(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    file = tmp_path / "job.toml"
    text = f'{BOM}[table]\r\ntable = "{new_table(living_rows(6))}"\r\n'
    file.write_bytes(text.encode())
    assert ran(server, "run", str(file), "--check").code == 0
    assert ran(server, "run", str(file)).code == 0
    assert checks_of(ran(server, "doctor", str(file), "--format", "json"))["schedule job.toml"]["status"] == "ok"
    file.write_bytes(text.removeprefix(BOM).encode("utf-16"))
    for arguments in (["run", str(file)], ["run", str(file), "--check"]):
        refused = ran(server, *arguments)
        assert (refused.code, "not UTF-8; save it as UTF-8" in one_line(refused)) == (2, True)
    assert checks_of(ran(server, "doctor", str(file), "--format", "json"))["schedule job.toml"]["status"] == "failed"


def test_a_byte_order_mark_is_no_part_of_a_secret(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    key, table = tmp_path / "key", new_table(living_rows(6))
    key.write_text(f"{BOM}a secret of some length\n")
    for command in (["scan", "--table", table], ["token", "fingerprint"]):
        refused = ran(server, *command, "--fingerprint-key-file", str(key), input="token")
        assert (refused.code, refused.out) == (2, "")
        assert "begins with a byte order mark" in one_line(refused)
    variable: dict[str, str | None] = {"JANITOR_FINGERPRINT_KEY_FILE": str(key)}
    found = checks_of(ran(server, "doctor", "--table", table, "--format", "json", env=variable))["fingerprint-key"]
    assert (found["status"], "byte order mark" in found["found"]) == ("failed", True)
    key.write_text("a secret of some length\n", encoding="utf-16")
    refused = ran(server, "token", "fingerprint", "--fingerprint-key-file", str(key), input="token")
    assert (refused.code, "begins with a byte order mark" in one_line(refused)) == (2, True)
    key.write_text("a secret of some length\n")
    found = checks_of(ran(server, "doctor", "--table", table, "--format", "json", env=variable))["fingerprint-key"]
    assert found["status"] == "ok"


def test_a_plan_that_an_editor_has_saved_is_no_plan(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table, plan = new_table(stale_rows(2)), tmp_path / "plan.ndjson"
    assert ran(server, "sweep", "--table", table, "--plan", str(plan)).code == 0
    text = plan.read_text()
    for content in ((BOM + text).encode(), text.encode("utf-16")):
        plan.write_bytes(content)
        for arguments in (["apply", str(plan), "--yes"], ["restore", str(plan), "--all"]):
            refused = ran(server, *arguments)
            assert (refused.code, refused.out) == (2, "")
            assert "begins with a byte order mark" in one_line(refused)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_line_of_toml_ends_where_toml_says(server: Server, tmp_path: Path, separator: str) -> None:
    file = tmp_path / "job.toml"
    text = f'# a{separator}b\n[table]\ntable = "t{separator}[policy]{separator}grce = 1"\n[policy]\ngrce = "1d"\n'
    file.write_text(text, encoding="utf-8")
    refused = ran(server, "run", str(file), "--check")
    assert (refused.code, one_line(refused)) == (
        2,
        f"janitor: {file}, line 5: [policy] grce: an unknown key; did you mean 'grace'?",
    )
    file.write_text(text.replace("grce =", "grace ="), encoding="utf-8", newline="\r\n")
    assert ran(server, "run", str(file), "--check").code == 0


@pytest.mark.parametrize("term", ["dumb", "unknown", "", None])
def test_a_plain_terminal_gets_no_escape_sequences(server: Server, new_table: NewTable, term: str | None) -> None:
    table = new_table([*stale_rows(2), *living_rows(6)])
    commands: list[tuple[str, ...]] = [
        ("scan", "--table", table, "--log-level", "info"),
        ("sweep", "--table", table),
        ("doctor", "--table", table),
        ("scan", "--table", "not-there"),
    ]
    for arguments in commands:
        finished = ran(server, *arguments, env={"TERM": term}, tty=True)
        assert "\x1b" not in finished.out + finished.err, arguments
    assert "\x1b" in ran(server, "scan", "--table", table, "--log-level", "info", tty=True).err


def test_a_relative_state_file_is_named_in_full_and_its_folder_has_to_be_there(
    server: Server, new_table: NewTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = new_table(living_rows(6))
    job = tmp_path / "job.toml"
    job.write_text(f'[table]\ntable = "{table}"\n[state]\nurl = "sqlite:///var/lib/janitor/state.db"\n')
    for arguments in (
        ["scan", "--table", table, "--state-url", "sqlite:///var/lib/janitor/state.db"],
        ["sweep", "--table", table, "--state-url", "sqlite:///var/lib/janitor/state.db"],
        ["run", str(job)],
        ["run", str(job), "--check"],
    ):
        refused = ran(server, *arguments)
        assert (refused.code, refused.out) == (2, "")
        assert f"there is no folder var/lib/janitor in {tmp_path}" in one_line(refused)
        assert "with four slashes: sqlite:////var/lib/janitor/state.db" in one_line(refused)
    options = ("doctor", "--table", table, "--format", "json", "--state-url")
    state = checks_of(ran(server, *options, "sqlite:///var/lib/janitor/state.db"))["state"]
    assert (state["status"], "four slashes" in state["way_out"]) == ("failed", True)
    schedule = checks_of(ran(server, "doctor", str(job), "--format", "json"))["schedule job.toml"]
    assert (schedule["status"], f"there is no folder var/lib/janitor in {tmp_path}" in schedule["found"]) == (
        "failed",
        True,
    )
    assert list(tmp_path.iterdir()) == [job]

    scanned = ran(server, "scan", "--table", table, "--state-url", "sqlite:///state.db")
    assert json.loads(scanned.out)["notices"]["state"] == f"sqlite:///{tmp_path}/state.db"
    state = checks_of(ran(server, *options, "sqlite:///state.db"))["state"]
    assert (state["status"], f"sqlite:///{tmp_path}/state.db" in state["found"]) == ("warning", True)
    assert checks_of(ran(server, *options, f"sqlite:///{tmp_path}/state.db"))["state"]["status"] == "ok"

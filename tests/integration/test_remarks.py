"""Where a report's errors and warnings are read by those who see no report, and that nobody reads them twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import Finished, janitor, on_screen
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import run, stale_rows

pytestmark = pytest.mark.parametrize("server", ["ministack"], indirect=True)

REFUSED = ("--max-deletes", "1", "--max-delete-percent", "100", "--no-archive", "--protect-user", "nobody")


def logged(finished: Finished) -> list[dict[str, Any]]:
    return [json.loads(line) for line in finished.err.splitlines() if line.startswith("{")]


def remarks_of(finished: Finished) -> list[tuple[str, str, str, str]]:
    lines = [line for line in logged(finished) if line["event"] in ("run.warning", "run.error")]
    return [(line["event"], line["level"], line["where"], line["code"]) for line in lines]


def test_the_log_says_what_a_dry_run_would_be_refused_and_warned_of(server: Server, new_table: NewTable) -> None:
    finished = run(server, new_table(stale_rows(3)), *REFUSED, "--format", "none")
    assert (finished.code, finished.out) == (0, "")
    assert remarks_of(finished) == [
        ("run.warning", "warning", "policy", "protects-nobody"),
        ("run.warning", "warning", "guard", "max-deletes"),
    ]
    lines = logged(finished)
    assert [line["event"] for line in lines if line["event"].startswith("run.")][-1] == "run.finished"
    [guard] = [line for line in lines if line.get("code") == "max-deletes"]
    assert "--max-deletes 3" in guard["message"]
    assert finished.err.count("'nobody' protects nobody") == 1


def test_the_log_says_why_a_sweep_was_refused(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table(stale_rows(3))
    env = {"XDG_STATE_HOME": str(tmp_path)}
    finished = run(server, table, *REFUSED, "--format", "none", "--delete", "--yes", env=env)
    assert (finished.code, finished.out) == (4, "")
    assert remarks_of(finished) == [
        ("run.error", "error", "guard", "max-deletes"),
        ("run.warning", "warning", "policy", "protects-nobody"),
    ]


def test_of_several_tables_each_remark_is_said_once(server: Server, new_table: NewTable) -> None:
    names = ["remarks-one", "remarks-two"]
    for name in names:
        new_table(stale_rows(3), name=f"{name}-LISAApiBaseTokenTable")
    where = [part for name in (*names, "remarks-not-there") for part in ("--deployment", name)]
    finished = janitor("sweep", *where, "--endpoint-url", server.url, *REFUSED, "--format", "none")
    assert finished.code == 1
    said = sorted((line["code"], line["message"].partition(":")[0]) for line in logged(finished) if "code" in line)
    tables = [f"{name}-LISAApiBaseTokenTable" for name in names]
    assert [each for each in said if each[0] == "max-deletes"] == [("max-deletes", table) for table in tables]
    assert len(said) == len(remarks_of(finished)) == 2 + 1
    assert logged(finished)[-1]["event"] == "run.finished"


def test_nobody_at_a_terminal_reads_a_sentence_twice(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table(stale_rows(3))
    env = {"XDG_STATE_HOME": str(tmp_path)}
    # The report of a table has it; the others say nothing of how the run ended.
    for form, warned in (("table", 0), ("none", 1), ("csv", 1)):
        finished = run(server, table, *REFUSED, "--format", form, "--delete", "--yes", env=env, tty=True)
        assert finished.code == 4
        shown = on_screen(finished.err)
        assert (shown.count("run.error"), shown.count("run.warning")) == (0, warned), shown
        # Standard output and standard error are one terminal to whoever reads them.
        read = " ".join(f"{shown} {on_screen(finished.out)}".split())
        assert read.count("3 rows are planned") == 1, read


MOMENTS = {
    "scan.failed": ("Scan", ("--format", "none")),
    "sweep.broken_off": ("BatchExecuteStatement", ("--delete", "--yes", "--no-archive", "--delete-api", "partiql")),
    "digest.not_published": ("Publish", ("--sns-topic-arn", "arn:aws:sns:us-east-1:000000000000:nowhere")),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_that_the_end_tells_of_is_a_line_of_its_own_only_where_nobody_watches(
    server: Server, new_table: NewTable, tmp_path: Path, moment: str
) -> None:
    table = new_table(stale_rows(3))
    operation, options = MOMENTS[moment]
    refusal = {"__type": "com.amazon.coral.service#AccessDeniedException", "message": "not for you"}

    def refuse(_: Request, __: Forward) -> tuple[int, Any]:
        return 400, refusal

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[operation] = refuse
        where = ("--table", table, "--endpoint-url", url)
        env = {"XDG_STATE_HOME": str(tmp_path)}
        command = "scan" if moment == "digest.not_published" else "sweep"
        watched = janitor(command, *where, *options, env=env, tty=True)
        piped = janitor(command, *where, *options, env=env)
        asked = janitor(command, *where, *options, "--log-level", "info", env=env, tty=True)
    assert watched.code == piped.code == asked.code == 1, watched.err
    shown = on_screen(watched.err)
    assert moment not in shown
    sentences = [line.removeprefix("janitor: ") for line in shown.splitlines() if line.startswith("janitor: ")]
    if piped.out:
        assert not sentences, "the report on the terminal says it"
        sentences = [error["message"] for error in json.loads(piped.out)["errors"]]
    read = " ".join(f"{shown} {on_screen(watched.out)}".split())
    assert [read.count(sentence[:60]) for sentence in sentences] == [1] * len(sentences), read
    assert sentences
    assert [line["level"] for line in logged(piped) if line["event"] == moment] == ["error"]
    assert moment in on_screen(asked.err)

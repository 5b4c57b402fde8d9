"""Filters of `janitor scan`: the findings are fewer, and what is counted or judged is of the whole table."""

import json
from pathlib import Path

import pytest

from tests.command import janitor, on_screen
from tests.fixtures import NewTable
from tests.integration.scanning import DAY, counted, report_of
from tests.servers import Server
from tests.tables import SAMPLE_NOW, Item, modern

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def rows() -> list[Item]:
    return [
        modern("a", SAMPLE_NOW + 90 * DAY, username="ana", name="ci", groups=["rag"]),
        modern("b", SAMPLE_NOW + 5 * DAY, username="ana", name="ci", groups=["rag", "ops"]),
        modern("c", SAMPLE_NOW - DAY, username="bo", name="job", groups=["rag-admins"]),
        modern("d", SAMPLE_NOW - 30 * DAY, username="cy", name="ci", groups={"L": [{"N": "1"}]}),
    ]


def test_only_findings_that_match_each_filter_are_listed(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    first = new_table(rows(), name="filters-1-LISAApiTokenTable")
    new_table(rows()[1:3], name="filters-2-LISAApiTokenTable")
    where = ("--endpoint-url", server.url, "--as-of", str(SAMPLE_NOW))
    one = ("--table", first, *where)
    whole = {"scanned": 4, "active": 1, "expiring": 1, "expired": 1, "stale": 1}
    for options, names in (
        (["--group", "rag*"], ["b", "c"]),
        (["--group", "rag", "--group", "ops"], ["b"]),
        (["--user", "[ac]*", "--name", "ci"], ["b", "d"]),
        (["--user", "nobody"], []),
    ):
        path = tmp_path / "lines.ndjson"
        said = janitor("scan", *one, *options, "--report", f"ndjson={path}", "--fail-on", "stale")
        report = json.loads(said.out)
        expected = {modern(name)["token"]["S"][:12] for name in names}
        *lines, closing = map(json.loads, path.read_text().splitlines())
        for found in (report["findings"], lines):
            assert {finding["fingerprint"] for finding in found} == expected
        # What is counted, and what --fail-on looks at, is of the whole table.
        assert (said.code, counted(report)) == (3, whole)
        assert report["findings_omitted"] == closing["findings_omitted"] == 0
        assert report["listing"]["chosen"] == len(names)
    bounded = report_of(janitor("scan", *one, "--group", "rag*", "--max-findings", "1"))
    assert (len(bounded["findings"]), bounded["findings_omitted"]) == (1, 1)
    screen = on_screen(janitor("scan", *one, "--group", "rag*", "--format", "table", tty=True, columns=170).out)
    assert "2 of 4 rows that are findings, in the group rag*, most urgent first." in screen
    assert "rag, ops" in screen
    for columns, options in ((80, ["--group", "rag*"]), (120, [])):
        screen = on_screen(janitor("scan", *one, *options, "--format", "table", tty=True, columns=columns).out)
        assert "rag, ops" in screen
        assert all(len(line) <= columns or line.startswith("    janitor ") for line in screen.splitlines())
    assert "Groups" not in janitor("scan", *one, "--format", "table", tty=True, columns=80).out

    # Of two tables the sums are those of both.
    both = ("--deployment", "filters-1", "--deployment", "filters-2")
    report = report_of(janitor("scan", *both, *where, "--group", "rag*", "--max-findings", "3"))
    assert (report["listing"]["chosen"], len(report["findings"]), report["findings_omitted"]) == (4, 3, 1)
    assert sum(table["findings_omitted"] for table in report["tables"]) == 1


def test_a_filtered_scan_notifies_nobody_and_no_variable_filters(server: Server, new_table: NewTable) -> None:
    table = new_table(rows())
    where = ("scan", "--table", table, "--endpoint-url", server.url)
    topic = "arn:aws:sns:us-east-1:123456789012:tokens"
    for options, env in (
        (["--sns-topic-arn", topic], {}),
        (["--notify", "json://127.0.0.1:9/secret"], {}),
        (["--per-token"], {}),
        (["--metrics", "emf"], {}),
        (["--unlock-after", "0s"], {}),
        ([], {"JANITOR_NOTIFY": "json://127.0.0.1:9/secret"}),
        ([], {"JANITOR_HEARTBEAT_URL": "http://127.0.0.1:9/secret"}),
        ([], {"JANITOR_STATE_URL": "sqlite:///state.sqlite"}),
    ):
        said = janitor(*where, "--user", "ana", *options, env=env)
        assert (said.code, said.out, "exclude each other: only a whole scan" in said.err) == (2, "", True)
        assert "secret" not in said.err
    said = janitor(*where, "--as-of", str(SAMPLE_NOW), env={"JANITOR_USER": "nobody", "JANITOR_GROUP": "none"})
    assert (len(report_of(said)["findings"]), report_of(said)["listing"]) == (3, None)
    # A sweep has no --group, and a variable that narrows it is refused, whatever a listing makes of it.
    assert janitor("sweep", *where[1:], "--group", "rag").code == 2
    refused = janitor("sweep", *where[1:], env={"JANITOR_USER": "ana"})
    assert (refused.code, refused.out, "give --user, or unset" in refused.err) == (2, "", True)

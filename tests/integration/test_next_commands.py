"""Every command that a report prints is run as it stands: it works, and plans no row that the report did not show."""

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.integration.test_apply import planned
from tests.servers import Server
from tests.sweeping import DAY, LONG_AGO
from tests.tables import Item, legacy, modern

HEX = "c0ffee" * 7
REDACTED = "[removed: it holds a token]"
PLANS = ("-plan.ndjson", "-locked-out.ndjson", "-legacy.ndjson")
REPORTS = ("-findings.ndjson", "-tokens.csv")
STALE = {"ana", "bob", "team-e", "recent", REDACTED}
# What a sweep takes with --unlock-after or --include legacy, which the report shows as rows of their own.
EARLY, OLD = {"lone"}, {"old"}
EVERYBODY = STALE | EARLY | OLD


def rows_of_owners(now: int) -> list[Item]:
    gone = now - LONG_AGO
    return [
        *(modern(f"token-of-{owner}", gone, username=owner) for owner in ("ana", "bob", "team-e", f"ci-{HEX}")),
        modern("1", now - 20 * DAY, username="recent"),
        modern("2", now - DAY, username="lone"),
        modern("3", {"S": "soon"}, username="broken"),
        modern("4", now + DAY, username="breaking", createdBy=7),
        legacy("a-key-of-old", now - 30 * DAY, username="old"),
        legacy("a-key-without-a-date", None, username="undated"),
        *(modern(f"living-{number}", now + 90 * DAY) for number in range(12)),
    ]


class Runs:
    """Runs janitor on one table, and the commands that its reports print."""

    def __init__(self, server: Server, table: str, folder: Path) -> None:
        self.server, self.table, self.folder = server, table, folder
        self.where = ("--table", table, "--endpoint-url", server.url)

    def report(self, *words: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(janitor(*words, *self.where).out)
        return report

    def plan_by_printed_commands(self, report: dict[str, Any]) -> tuple[list[list[str]], set[str]]:
        """Run each command, a real sweep as a dry one; return their words, and the owners of what they plan."""
        commands = [shlex.split(command) for step in report["next_steps"] for command in step["commands"]]
        folder = self.folder / report["run"]["id"]
        folder.mkdir()
        return commands, {owner for words in commands for owner in self._run(words, folder)}

    def _run(self, words: Sequence[str], folder: Path) -> set[str]:
        program, name, *_ = words
        assert (program, "--yes" in words) == ("janitor", False)
        if name == "token" and words[2] == "remove":
            shown = janitor("token", "show", *words[3:])
            assert (shown.code, shown.err) == (0, ""), words
            return set()
        kept = [str(folder / word) if word.endswith(PLANS) and "/" not in word else word for word in words[1:]]
        kept = [word.replace("=", f"={folder}/") if word.endswith(REPORTS) else word for word in kept]
        is_plain = name in ("scan", "token") or "--dry-run" in kept or "--plan" in kept
        finished = janitor(*kept, *([] if is_plain else ["--dry-run"]))
        assert finished.code == 0, (words, finished.err)
        return owners_planned(finished) if name in ("sweep", "apply") else set()


def owners_planned(finished: Finished) -> set[str]:
    return {finding["username"] for finding in json.loads(finished.out)["findings"] if finding["outcome"] == "planned"}


def names_of(commands: Sequence[Sequence[str]]) -> set[str]:
    return {" ".join(words[1:3] if words[1] == "token" else words[1:2]) for words in commands}


@pytest.fixture
def runs(table_server: Server, make_table: NewTable, tmp_path: Path) -> Runs:
    return Runs(table_server, make_table(rows_of_owners(int(time.time()))), tmp_path)


def test_no_printed_command_takes_more_than_was_shown(runs: Runs) -> None:
    key = runs.folder / "key"
    key.write_text("a secret for fingerprints")
    past = str(int(time.time()) - 20 * DAY)
    guarded = ("--protect-user", "bob", "--protect-user", "team-*")
    starts: list[tuple[tuple[str, ...], set[str], set[str]]] = [
        # The run; whose rows it shows as those that may go; the sweeps and applies that it has to print.
        (("scan", *guarded), EVERYBODY - {"bob", "team-e"}, {"sweep", "apply"}),
        (("scan", "--as-of", past), EVERYBODY - {"recent", "lone"}, {"sweep", "apply"}),
        (("scan", "--user", "ana"), set(), set()),
        (("token", "list"), EVERYBODY, {"sweep", "apply"}),
        (("token", "list", "--state", "stale"), set(), set()),
        (("sweep", "--user", "ana", "--user", "b*", *guarded), {"ana"}, {"sweep", "apply"}),
        (("sweep", "--fingerprint-key-file", str(key)), EVERYBODY, {"sweep", "apply"}),
        (("sweep", "--user", "ana", "--delete"), {"ana"}, {"sweep", "apply"}),
        (("sweep", "--max-deletes", "1", "--include", "legacy"), EVERYBODY, {"sweep", "apply"}),
        # What cannot be shown as it is protects and chooses nobody else: there is no command.
        (("scan", "--protect-user", f"*-{HEX}"), set(), set()),
        (("sweep", "--protect-user", f"ci-{HEX}"), set(), set()),
        (("sweep", "--user", f"*-{HEX}"), set(), set()),
        (("sweep", "--user", "ana", "--user", "b\u200bob"), set(), set()),
    ]
    for words, allowed, expected in starts:
        report = runs.report(*words)
        commands, owners = runs.plan_by_printed_commands(report)
        assert owners <= allowed, words
        assert names_of(commands) & {"sweep", "apply"} == expected, words
        # What is printed does something.
        assert bool(owners) == bool(expected), words
        assert HEX not in json.dumps(report), words


def test_no_command_printed_after_a_plan_takes_more_than_the_plan(runs: Runs) -> None:
    """`apply` knows its own options, and those of the plan only in part: it proposes no sweep."""
    limits = ("--user", "ana", "--user", "b*", "--user", "lone", "--protect-user", "bob", "--unlock-after", "1h")
    plan = planned(runs.server, runs.table, runs.folder / "a plan", *limits)
    applied = ("apply", str(plan), "--dry-run")
    commands, owners = runs.plan_by_printed_commands(runs.report(*applied, "--user", "*"))
    assert (names_of(commands) & {"sweep", "apply", "scan"}, owners) == ({"apply"}, {"ana", "lone"})
    commands, owners = runs.plan_by_printed_commands(runs.report(*applied, "--user", "l*"))
    assert (names_of(commands) & {"sweep", "apply", "scan"}, owners) == ({"apply"}, {"lone"})
    # A plan that was cut off needs --partial again, and one that nobody confirmed is applied again as it was.
    plan.write_bytes(plan.read_bytes().rpartition(b"\n{")[0] + b"\n")
    for words in (
        (*applied, "--partial"),
        ("apply", str(plan), "--partial", "--no-archive", "--max-delete-percent", "100"),
    ):
        report = runs.report(*words)
        commands, owners = runs.plan_by_printed_commands(report)
        # Nothing says how large the table was. Where a guard would refuse for that, the plan is to be looked at first.
        assert owners == ({"ana", "lone"} if "100" in words else set()), report["errors"]
        assert all("--partial" in command for command in commands if command[1] == "apply")
    cut = janitor(*applied, "--partial", "--format", "markdown", "--max-findings", "1", *runs.where).out
    assert f"janitor apply '{plan}' --table {runs.table}" in cut
    assert f"--partial --dry-run --report ndjson={runs.table}-findings.ndjson" in cut
    assert "janitor sweep --" not in cut
    assert "janitor scan --" not in cut


def test_the_commands_that_archives_and_restores_print_hold_no_login_and_restore_no_other_rows(runs: Runs) -> None:
    secret, archive = "hunter2", runs.folder / "archive"
    swept = janitor("sweep", "--user", "ana", "--delete", "--yes", "--archive", str(archive), *runs.where)
    assert swept.code == 0, swept.err
    login = ("--endpoint-url", runs.server.url.replace("://", f"://u:{secret}@"))
    listed = janitor("archive", "list", str(archive), *login)
    shown = janitor("plan", "show", str(archive), *login)
    dry = janitor("restore", str(archive), "--user", "ana", "--dry-run", *login)
    for finished in (listed, shown, dry):
        assert (finished.code, secret in finished.out + finished.err) == (0, False), finished
    [printed] = [each["restore"] for each in json.loads(listed.out)["archives"]]
    commands = [printed, json.loads(shown.out)["next_command"], json.loads(dry.out)["next_command"]]
    for command in commands:
        assert f"--endpoint-url {runs.server.url}" in command
        assert janitor(*shlex.split(command)[1:]).code == 0, command
    # A name that cannot be shown is not left out of a command that would restore more without it.
    hidden = janitor("restore", str(archive), "--user", "ana", "--user", f"ci-{HEX}", "--dry-run", *runs.where)
    assert json.loads(hidden.out)["next_command"] is None
    for command in ("archive list", "plan show"):
        kept = janitor(*command.split(), str(archive), "--profile", HEX)
        document = json.loads(kept.out)
        assert (kept.code, (document.get("archives") or [{}])[0].get("restore"), document.get("next_command")) == (
            0, None, None,
        )  # fmt: skip

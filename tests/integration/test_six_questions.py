"""What an operator asks of a sweep, answered by each format from the output alone: one dry run, every format.

What will go? Why? Which guards stand? How is it undone? What does it cost? Who is told? And then: what to type next.
"""

import json
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.notices.digest_content import build_digest_content
from janitor.notices.digest_parts import split_digest
from janitor.report.formats.html import HtmlFormat
from janitor.report.formats.markdown import MarkdownFormat
from janitor.report.formats.table import TableFormat
from janitor.report.model import Report
from tests.announcing import Runs, due_rows
from tests.command import janitor, on_screen
from tests.sweeping import DAY, LONG_AGO, keys_in, stale_rows
from tests.tables import modern

PLANNED, LISTED = 45, 40
OWNER = "ana@example.com"


@dataclass(frozen=True)
class DryRun:
    """A dry run: its report, what it printed at 80 columns, and the table and archive that it is about."""

    report: Report
    printed: str
    runs: Runs
    archive: str

    @property
    def target(self) -> str:
        return f"--table {self.runs.table} --region us-east-1 --endpoint-url {self.runs.url}"

    @property
    def next_command(self) -> str:
        told = f"--state-url {self.runs.state} --sns-topic-arn {self.runs.arn} --per-token"
        return (
            f"janitor sweep {self.target} --dialect hashed --grace 8d --protect-user 'bot-*' --archive {self.archive} "
            f"--max-deletes 44 {told}"
        )


class Texts(HTMLParser):
    """The texts of a page, with a space between two."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def dry(runs: Callable[..., Runs], tmp_path: Path) -> DryRun:
    second = int(time.time())
    protected = [
        modern("held", second - LONG_AGO, username="held@example.com", janitorHold=True),
        modern("bot", second - LONG_AGO, username="bot-1"),
    ]
    stale = stale_rows(PLANNED - 1)
    active = [modern(f"active-{number}", second + 300 * DAY) for number in range(90)]
    newest = modern("newest", second - 22 * DAY, username="a-name-that-is-too-long-for-a-narrow-terminal@example.com")
    of_table = runs(*stale, newest, *protected, *due_rows(5, 6, username=OWNER), *active)
    report, archive = tmp_path / "report.json", f"{tmp_path}/kept/"
    limits = ("--grace", "8d", "--protect-user", "bot-*", "--archive", archive, "--max-deletes", "44")
    told = ("--sns-topic-arn", of_table.arn, "--state-url", of_table.state, "--per-token")
    where = ("--table", of_table.table, "--endpoint-url", of_table.url)
    files = ("--format", "table", "--report", f"json={report}")
    finished = janitor("sweep", *where, *limits, *told, *files, env={"COLUMNS": "80"})
    assert finished.code == 0, finished.err
    return DryRun(msgspec.json.decode(report.read_bytes(), type=Report), finished.out, of_table, archive)


def digest_of(report: Report) -> str:
    """The text that mailboxes get of a digest of this run."""
    [part] = split_digest(build_digest_content(report, (), None))
    return str(json.loads(part.message.body)["email"])


def test_each_format_answers_what_an_operator_asks(dry: DryRun) -> None:
    report = dry.report
    tables = {width: TableFormat(width=width, colour=False).tail(report).decode() for width in (80, 120, 160)}
    markdown = MarkdownFormat().tail(report).decode()
    page = " ".join(Texts(HtmlFormat().tail(report).decode()).texts)
    # A pipe is as wide as COLUMNS says.
    assert dry.printed == tables[80]
    for_people = {"markdown": markdown.replace("\\", "").replace("&#8203;", ""), "html": page} | {
        f"table {width}": text for width, text in tables.items()
    }
    restore = f"janitor restore {dry.archive}{dry.runs.table}-TIME-RUN.ndjson --all --beside {dry.target}"
    for name, text in for_people.items():
        words = " ".join(text.split())
        # What goes, and why: a screenful, each with its reason, then how many more and how to list them all.
        reasons = re.findall(r"expired \d+ days ago, grace 8 days", words)
        assert len(reasons) == LISTED + 2, name
        assert "expired 22 days ago, grace 8 days" in reasons
        assert f"{PLANNED - LISTED:,} more" in words, name
        assert f"{dry.next_command} --report ndjson={dry.runs.table}-findings.ndjson" in words, name
        for protected in ("janitorHold", "--protect-user bot-*"):
            assert protected in words, (name, protected)
        # Which guards stand, each with its figure and limit.
        assert re.search(r"max-deletes\W+45 rows\W+at most 44\W+would refuse", words), name
        assert re.search(r"clock\W+0 seconds off\W+at most 60 seconds\W+passed", words), name
        assert re.search(r"lease\W+no other run\W+one run at a time\W+passed", words), name
        # How to undo it, what it costs, who is told.
        assert f"a new file in {dry.archive}" in words, name
        assert restore in words, name
        assert report.estimate is not None
        assert re.search(
            r"about [\d.]+ read units \(look-ups of owners included\) and 90 write units, \$0\.0", words
        ), name
        told = f"{dry.runs.arn} would get 1 digest with 2 notices and 2 messages to 1 owner ({OWNER})"
        assert told in words, name
        # And the next command, complete, in the last lines.
        assert dry.next_command in words[words.index("What to do next") :], name
    assert all(len(line) <= 80 or line.startswith("    janitor ") for line in tables[80].splitlines())
    # Nothing that is to be copied is wrapped or cut.
    for command in (restore, f"{dry.next_command} --plan {dry.runs.table}-plan.ndjson"):
        assert all(any(command == line.strip() for line in text.splitlines()) for text in tables.values())
    digest = " ".join(digest_of(report).split())
    for answer in (
        "45 rows are planned, but a real run would delete none, because it would be refused (max-deletes).",
        "The guard max-deletes would refuse: 45 rows, allowed is at most 44",
        "8 guards passed, of 9",
        f"To undo it: {restore}",
        "and 90 write units",
    ):
        assert answer in digest, digest


def test_the_json_has_a_key_for_each_answer(dry: DryRun) -> None:
    report = dry.report
    [table] = report.tables
    assert report.deletion.planned == sum(finding.outcome is not None for finding in report.findings) == PLANNED
    why = {finding.username: (finding.why, finding.protected_by) for finding in report.findings if finding.why}
    assert (len([each for each in report.findings if each.why]), why["bot-1"][1]) == (PLANNED + 2, "user:bot-*")
    assert why["held@example.com"][1] == "hold"
    verdicts = {guard.name: guard.passed for guard in table.guards}
    assert [name for name, passed in verdicts.items() if passed is False] == ["max-deletes"]
    assert (report.deletion.archive, report.deletion.archive_place) == (None, dry.archive)
    assert report.deletion.restore_command == table.deletion.restore_command
    assert report.estimate == table.estimate
    assert report.estimate is not None
    assert (report.estimate.write_units, report.estimate.read_units) == (2.0 * PLANNED, report.capacity.read_units)
    [destination] = report.recipients.destinations
    assert (destination.label, destination.digests, destination.are_owners_told) == (dry.runs.arn, 1, True)
    assert (destination.owners, destination.named_owners, destination.owner_messages) == (1, [OWNER], 2)
    assert report.recipients.nobody_because is None
    plan = f"{dry.runs.table}-plan.ndjson"
    assert report.next_steps[0].commands == (f"{dry.next_command} --plan {plan}", f"janitor plan show {plan}")
    for command in [command for step in report.next_steps for command in step.commands]:
        assert shlex.split(command)[0] == "janitor"


def test_a_real_run_by_the_commands_of_the_dry_run_can_be_undone_as_it_says(
    dry: DryRun, dynamodb: DynamoDBClient
) -> None:
    before = keys_in(dynamodb, dry.runs.table)
    [step, *_] = dry.report.next_steps
    # As typed, but for the limit that refuses.
    _, *words = shlex.split(step.commands[0].replace("--max-deletes 44", "--max-deletes 45").partition(" --plan ")[0])
    asked = janitor(*words, "--delete", "--format", "table", tty=True, columns=100, input="n\n")
    screen = on_screen(asked.err)
    assert (asked.code, keys_in(dynamodb, dry.runs.table)) == (4, before), asked.err
    # The same list, then one question, with what goes, from where, and how to undo it.
    assert len(re.findall(r"expired \d+ days ago, grace 8 days", screen)) == LISTED + 2
    question = f"Delete {PLANNED} tokens of {dry.runs.table} in us-east-1, account 000000000000, expired between "
    assert (asked.err.count(question), asked.err.count("[y/N]: ")) == (1, 1)
    assert f"Each row is archived before it is deleted, in {dry.archive}" in screen
    # Not confirmed is said once, and no guard is blamed for it.
    assert "not confirmed, nothing was deleted; scanned" in " ".join(on_screen(asked.out).split())
    assert (asked.err + on_screen(asked.out)).count("you did not confirm") == 1
    done = janitor(*words, "--delete", "--yes")
    real = msgspec.json.decode(done.out, type=Report)
    assert (done.code, real.deletion.deleted, real.estimate) == (0, PLANNED, None), done.err
    [destination] = real.recipients.destinations
    assert (destination.digests, destination.digest_notices > 0, destination.owners > 0) == (1, True, True)
    assert real.deletion.restore_command is not None
    _, *restore = shlex.split(real.deletion.restore_command)
    assert janitor(*restore, "--yes").code == 0
    assert keys_in(dynamodb, dry.runs.table) == before

import re
import shlex
from importlib import import_module

import click

from janitor.report.lockout_text import list_ways_out
from janitor.report.model import LockedOutOwner, LockingRow
from janitor.report.summary import closing_lines
from janitor.report.target_options import format_target, format_target_of
from janitor.tokens.classify import State
from janitor.tokens.lockout import Remedy
from tests.html_reports import report_of
from tests.reports import changed, named, of_several

OWNERS = [
    LockedOutOwner(username=remedy, rows=[LockingRow(row_name=f"{remedy}-row", state=State.EXPIRED, remedy=remedy)])
    for remedy in Remedy
]


def test_every_command_that_lets_an_owner_in_names_the_table_and_is_one_that_janitor_takes() -> None:
    target = format_target("it's", "us-east-1", "http://127.0.0.1:8000")
    ways = list_ways_out(OWNERS, target)
    assert len(ways) == len(Remedy)
    commands = [shlex.split(command) for way in ways for command in re.findall(r"`(janitor .+?)`", way)]
    # A sweep is named without its command: only the report's next steps know what protects rows in this run.
    assert {tuple(words[:3]) for words in commands} == {("janitor", "token", "remove")}
    assert "--delete" not in " ".join(ways)
    for _, word, *arguments in commands:
        name = f"{word} {arguments.pop(0)}"
        command: click.Command = import_module(f"janitor.cli.{name.replace(' ', '.')}").command
        assert command.make_context(name, list(arguments)).params["table"] == "it's"
        assert arguments[arguments.index("--region") + 1] == "us-east-1"
    assert all(f"{remedy}-row" in " ".join(ways) for remedy in (Remedy.REMOVE, Remedy.UNPROTECT))


def test_protected_rows_have_a_way_out() -> None:
    [way] = list_ways_out([owner for owner in OWNERS if owner.username == Remedy.UNPROTECT])
    for words in ("unprotect-row", "janitorHold", "--protect-user", "--protect-system"):
        assert words in way


def test_a_report_names_its_table_and_one_of_several_none() -> None:
    report = changed(report_of([]), lockouts=OWNERS)
    assert format_target_of(report).startswith(f" --table {report.title} --region ")
    assert "a sweep with `--unlock-after 1h`" in "\n".join(closing_lines(report))
    assert format_target_of(of_several(named(report, "one"), named(report, "two"))) == ""

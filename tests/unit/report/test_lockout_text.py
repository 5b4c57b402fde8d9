import re
import shlex

from janitor.cli.token.remove import command
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


def test_every_command_that_lets_an_owner_in_names_the_table_and_the_row() -> None:
    target = format_target("it's", "us-east-1", "http://127.0.0.1:8000")
    ways = list_ways_out(OWNERS, target)
    assert len(ways) == len(Remedy)
    commands = [shlex.split(command) for way in ways for command in re.findall(r"`(janitor .+?)`", way)]
    # A sweep is no command here: it would lack the options of the run, those that protect somebody too.
    assert [words[1:3] for words in commands] == [["token", "remove"]] * 2
    for _, _, _, *arguments in commands:
        assert command.make_context("remove", list(arguments)).params["table"] == "it's"
        assert arguments[arguments.index("--region") + 1] == "us-east-1"
    assert all(f"{remedy}-row" in " ".join(ways) for remedy in (Remedy.REMOVE, Remedy.UNPROTECT))


def test_protected_rows_have_a_way_out() -> None:
    [way] = list_ways_out([owner for owner in OWNERS if owner.username == Remedy.UNPROTECT])
    for words in ("unprotect-row", "janitorHold", "--protect-user", "--protect-system"):
        assert words in way


def test_a_report_names_its_table_and_one_of_several_none() -> None:
    report = changed(report_of([]), lockouts=OWNERS)
    assert format_target_of(report).startswith(f" --table {report.title} --region ")
    text = "\n".join(closing_lines(report))
    assert f"`janitor token remove FINGERPRINT{format_target_of(report)}`" in text
    assert "a sweep with `--unlock-after 1h`" in text
    assert format_target_of(of_several(named(report, "one"), named(report, "two"))) == ""

"""What is said on stderr at a run's end."""

import pytest
from msgspec import structs

from janitor.report.model import Outcome, Remark
from janitor.run.spec import RunResult
from janitor.wiring.execution import print_failures
from tests.reports import named, of_several
from tests.unit.report.test_formats import report


def test_tables_of_one_name_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    plain = report()
    refused = structs.replace(
        plain,
        run=structs.replace(plain.run, outcome=Outcome.REFUSED),
        deletion=structs.replace(plain.deletion, plan="p.ndjson"),
    )
    print_failures(
        RunResult(of_several(named(refused, "t", "here"), named(refused, "t", "there")), []), is_report_shown=False
    )
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "janitor: t, here: the plan is p.ndjson",
        "janitor: t, there: the plan is p.ndjson",
    ]
    # What a report on the same terminal shows is not said again.
    told = structs.replace(refused, errors=[Remark(where="guards", code="max-deletes", message="refused")])
    for is_shown, lines in ((True, []), (False, ["janitor: refused"])):
        print_failures(RunResult(told, []), is_report_shown=is_shown)
        assert [line for line in capsys.readouterr().err.splitlines() if line.endswith("refused")] == lines

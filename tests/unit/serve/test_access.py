import json
from pathlib import Path

from janitor.serve.access import Access
from janitor.serve.api import ready_of
from janitor.serve.board import Readiness
from janitor.serve.folder import Contents
from janitor.serve.jobs import TableOfJob
from janitor.serve.kept import kept_in
from tests.html_reports import believable
from tests.unit.serve.boards import TABLE, job, keep


def test_what_keeps_a_table_from_being_reached_is_said_with_the_table(tmp_path: Path) -> None:
    one = job(tmp_path, f'{TABLE}profile = "not-there"\n', environment={"AWS_REGION": "us-east-1"})
    nowhere = TableOfJob(*[None] * len(TableOfJob._fields))
    access = Access({"AWS_REGION": "us-east-1"})
    assert access.check([]) == []
    reaches = access.check([*one.tables, nowhere, *one.tables])
    while any(reach.why == "not asked yet" for reach in reaches):
        reaches = access.check([*one.tables, nowhere])
    said = ready_of(Readiness(Contents({"a": one}), reaches))
    assert (said["ready"], said["loaded"]) == (False, ["a"])
    first, second = said["tables"]
    assert (first["table"], first["profile"], first["ok"]) == ("tokens", "not-there", False)
    assert "not-there" in first["why"]
    assert second["why"] == "the file names no table, and no variable does"


def test_a_report_that_is_gone_or_damaged_is_left_out(tmp_path: Path) -> None:
    keep(believable(), tmp_path / "right")
    keep(believable(), tmp_path / "damaged")
    path = tmp_path / "damaged" / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "of_later": 1}))
    [one] = kept_in([tmp_path / "gone", tmp_path / "damaged", tmp_path / "right"])
    assert (one.number, one.counts) == (3, believable().counts)
    assert one.is_of(one.ended_at + 0.9)
    assert not one.is_of(one.ended_at + 1)

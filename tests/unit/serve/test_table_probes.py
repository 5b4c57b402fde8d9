import json
import threading
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import Loader
from structlog.testing import capture_logs

from janitor.errors import ConfigurationError, JanitorError
from janitor.serve.api import build_readiness_document
from janitor.serve.jobs import ScheduledTable
from janitor.serve.last_report import has_report_of_run, load_last_reports
from janitor.serve.schedule_folder import FolderContents
from janitor.serve.status import Readiness
from janitor.serve.table_probes import TableProbes, make_table_locator
from tests.html_reports import believable
from tests.servers import free_port
from tests.unit.serve.statuses import TABLE, job, keep

SECONDS = 10.0
NOWHERE = ScheduledTable(*[None] * len(ScheduledTable._fields))
ONE, OTHER = NOWHERE._replace(table="one"), NOWHERE._replace(deployment="other")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_what_keeps_a_table_from_being_reached_is_said_with_the_table(tmp_path: Path) -> None:
    one = job(tmp_path, f'{TABLE}profile = "not-there"\n', environment={"AWS_REGION": "us-east-1"})
    access = TableProbes(make_table_locator({"AWS_REGION": "us-east-1"}))
    assert access.check([]) == []
    reaches = access.check([*one.tables, NOWHERE, *one.tables], SECONDS)
    said = build_readiness_document(Readiness(FolderContents({"a": one}), reaches))
    assert (said["ready"], said["loaded"]) == (False, ["a"])
    first, second = said["tables"]
    assert (first["table"], first["profile"], first["ok"]) == ("tokens", "not-there", False)
    assert "not-there" in first["why"]
    assert second["why"] == "the file names no table, and no variable does"


def test_a_table_whose_answer_does_not_come_holds_up_no_other_and_is_not_reached_for_long() -> None:
    clock, may_answer, hangs = Clock(), threading.Event(), threading.Event()

    def find(table: ScheduledTable) -> str:
        if table == ONE and hangs.is_set():
            may_answer.wait(SECONDS)
        return table.label

    access = TableProbes(find, clock)
    assert [reach.is_reachable for reach in access.check([ONE, OTHER], SECONDS)] == [True, True]
    hangs.set()
    clock.now += 60
    try:
        # What was reached a minute ago is taken for reached while it is asked anew.
        assert [reach.is_reachable for reach in access.check([ONE, OTHER])] == [True, True]
        clock.now += 121
        stale, fresh = access.check([ONE, OTHER], 0.0), access.check([OTHER], SECONDS)
        assert (stale[0].is_reachable, fresh[0].is_reachable) == (False, True)
        assert (stale[0].why or "").startswith("no answer since 2")
    finally:
        may_answer.set()
    assert access.check([ONE], SECONDS)[0].is_reachable


def test_while_it_is_asked_for_the_first_time_there_is_no_answer_yet() -> None:
    may_answer = threading.Event()

    def find(_: ScheduledTable) -> str:
        may_answer.wait(SECONDS)
        raise ConfigurationError("there is none")

    access = TableProbes(find)
    try:
        assert access.check([ONE], 0.0)[0].why == "no answer yet"
        access.close()
        assert access.check([ONE], SECONDS)[0].why == "no answer yet"
    finally:
        may_answer.set()


def test_tables_beyond_the_number_of_threads_are_asked_for_too_and_a_fault_of_ours_ends_none() -> None:
    def find(table: ScheduledTable) -> str:
        if table.region == "7":
            raise RuntimeError("a fault")
        return "x"

    tables = [ONE._replace(region=str(number)) for number in range(40)]
    with capture_logs() as logs:
        reaches = TableProbes(find).check(tables, SECONDS)
    assert [reach.why for reach in reaches if not reach.is_reachable] == ["it cannot be located: RuntimeError"]
    assert [line["log_level"] for line in logs] == ["error"]


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_tables_that_are_named_in_two_ways_are_one_once_they_are_located(*, is_forgotten: bool) -> None:
    access = TableProbes(lambda _: "located|prod")
    assert access.lock_keys([ONE]) == {ONE.key}
    assert access.lock_keys([ONE]).isdisjoint(access.lock_keys([OTHER]))
    access.check([ONE, OTHER], SECONDS)
    if is_forgotten:
        access.watch([])
    assert access.lock_keys([ONE]).isdisjoint(access.lock_keys([OTHER])) is is_forgotten
    assert ONE.key in access.lock_keys([ONE, OTHER])


def test_a_report_that_is_gone_or_damaged_is_left_out(tmp_path: Path) -> None:
    keep(believable(), tmp_path / "right")
    keep(believable(), tmp_path / "damaged")
    path = tmp_path / "damaged" / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "of_later": 1}))
    assert load_last_reports(tmp_path / "gone") == load_last_reports(tmp_path / "damaged") == ()
    [one] = load_last_reports(tmp_path / "right")
    assert one.counts == believable().counts
    assert one.is_of(one.ended_at + 0.9)
    assert not one.is_of(one.ended_at + 1)


def test_a_report_that_cannot_be_read_is_left_by_its_run_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("too long")
    written_at = (tmp_path / "report.json").stat().st_mtime
    assert has_report_of_run(tmp_path, written_at)
    assert not has_report_of_run(tmp_path, written_at + 1)
    assert not has_report_of_run(tmp_path / "gone", written_at)


def test_all_probes_share_what_the_first_has_read_of_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    loaders: list[Loader] = []
    make = botocore.session.create_loader

    def create_loader(path: str | None = None) -> Loader:
        loaders.append(make(path))
        return loaders[-1]

    monkeypatch.setattr(botocore.session, "create_loader", create_loader)
    locate = make_table_locator({"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    for name in ("one", "other", "third"):
        with pytest.raises(JanitorError):
            # Nobody listens there; by then the session has its client.
            locate(NOWHERE._replace(table=name, endpoint_url=f"http://127.0.0.1:{free_port()}"))
    assert len(loaders) == 1

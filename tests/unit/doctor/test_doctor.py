import datetime as dt
from pathlib import Path
from typing import Any, cast

import click
import pytest
from msgspec import structs

from janitor.cli.doctor import check_schedule, command
from janitor.doctor.needs import NEEDS
from janitor.doctor.places import examine_archive
from janitor.doctor.schedules import examine_schedules
from janitor.doctor.table import FoundTable, Session, examine_clock
from janitor.dynamodb.clock import SKEW_WARNING_SECONDS
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError
from janitor.report.checkup import Check, Status, skipped_check
from janitor.settings.doctor import FOR_OPTION, DoctorCommand, DoctorSettings
from janitor.settings.limits import LimitSettings
from janitor.settings.output import LogSettings, StateSettings
from janitor.settings.parsers import Folder, S3Prefix
from janitor.settings.setting import Origin
from janitor.settings.table import TableSettings
from janitor.wiring.archives import check_archive
from janitor.wiring.open_table import OpenTable, find_table_warnings
from tests.unit.rows import TABLE

NOWHERE = Session(None, "not checked: no session", skipped_check("credentials", "none"))
MIDNIGHT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def given(**settings: Any) -> DoctorCommand:
    return DoctorCommand(DoctorSettings(**settings), TableSettings(), StateSettings(), LimitSettings(), LogSettings())


def archive(command: str = "sweep", **settings: Any) -> Check:
    return examine_archive(NEEDS[command], given(**settings), NOWHERE)


def table_with(skew_seconds: int | None) -> Table:
    return structs.replace(TABLE, skew_seconds=skew_seconds)


def clock(skew_seconds: int | None, *, plans: bool, **settings: Any) -> Check:
    return examine_clock(given(**settings), FoundTable(None, None, table_with(skew_seconds), None, "", ()), plans=plans)


def reached(skew_seconds: int) -> OpenTable:
    """A table that nothing is asked of: a name that no deployment has leaves no older one behind."""
    return OpenTable(cast("Any", None), table_with(skew_seconds), cast("Any", None))


def test_every_command_of_for_has_its_needs() -> None:
    assert tuple(NEEDS) == FOR_OPTION.choices


def test_an_archive_that_can_be_written_is_found_so_and_nothing_is_left(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "made" / "later"):
        for place in (Folder(folder), folder / "archive.ndjson.gz"):
            check = archive(archive=place)
            assert (check.status, check.needed) == (Status.OK, True)
            assert ("is made with" in check.found) == (folder != tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_cannot_be_written_fails_a_sweep_and_warns_a_scan(tmp_path: Path) -> None:
    file = tmp_path / "archive.ndjson"
    file.write_text("of last night")
    taken, below = archive(archive=file), archive(archive=Folder(file / "folder"))
    assert (taken.status, taken.found, taken.way_out) == (
        Status.FAILED,
        f"{file} exists already",
        "give a new file, or a folder",
    )
    assert (below.status, "is not a folder" in below.found) == (Status.FAILED, True)
    assert archive("scan", archive=file).status is Status.WARNING
    assert file.read_text() == "of last night"


def test_an_archive_that_nobody_asked_for_is_not_looked_at() -> None:
    assert [archive(command).status for command in ("scan", "restore", "token")] == [Status.SKIPPED] * 3
    assert "cannot be restored" in archive(no_archive=True).found
    assert archive(archive=S3Prefix("bucket", "prefix/")).found == "not checked: no session"


def test_schedule_files_are_named_with_what_they_do_and_when(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[when]\ncron = "30 2 * * *"\n')
    (tmp_path / "b.toml").write_text("[delete]\nenabled = true\n")
    (tmp_path / "c.toml").write_text("[delete]\nenabeld = true\n")
    (tmp_path / ".hidden.toml").write_text("no TOML")
    (tmp_path / "notes.txt").write_text("no schedule")
    nightly, deleting, broken = examine_schedules([tmp_path], MIDNIGHT, check_schedule)
    unchecked = "; what it names was not checked"
    assert (nightly.name, nightly.found) == (
        "schedule a.toml",
        f"a scan; next at 2026-03-01 02:30 UTC{unchecked}",
    )
    assert deleting.found.startswith(
        "a sweep that deletes; no cron line, so something else has to start it; a Kubernetes"
    )
    assert "CronJob that is suspended starts at once when it is resumed" in deleting.found
    assert deleting.found.endswith(unchecked)
    assert (broken.status, broken.needed) == (Status.FAILED, True)
    assert f"{tmp_path}/c.toml, line 2: [delete] enabeld" in broken.found
    assert "did you mean 'enabled'?" in broken.found


def test_a_folder_without_a_schedule_file_is_said_so_and_none_at_all_is_fine(tmp_path: Path) -> None:
    [empty], [missing] = (
        examine_schedules([tmp_path], MIDNIGHT, check_schedule),
        examine_schedules([tmp_path / "x.toml"], MIDNIGHT, check_schedule),
    )
    assert (empty.status, missing.status) == (Status.FAILED, Status.FAILED)
    assert [check.status for check in examine_schedules([], MIDNIGHT, check_schedule)] == [Status.SKIPPED]


@pytest.mark.parametrize("skew", [-SKEW_WARNING_SECONDS - 1, -50, SKEW_WARNING_SECONDS + 1, 50, 60])
def test_the_doctor_warns_of_a_clock_as_a_run_does(skew: int) -> None:
    for plans in (True, False):
        check = clock(skew, plans=plans)
        [remark] = [each for each in find_table_warnings(reached(skew)) if each.where == "clock"]
        assert (check.status, check.found) == (Status.WARNING, remark.message)
        assert f"{abs(skew)} seconds" in check.found


@pytest.mark.parametrize("skew", [-SKEW_WARNING_SECONDS, 0, SKEW_WARNING_SECONDS])
def test_a_clock_that_no_run_warns_of_is_fine(skew: int) -> None:
    assert [clock(skew, plans=plans).status for plans in (True, False)] == [Status.OK, Status.OK]
    assert find_table_warnings(reached(skew)) == ()


@pytest.mark.parametrize("skew", [61, -61, None])
def test_by_a_wrong_clock_a_sweep_and_notices_are_not_ready_and_a_scan_is(skew: int | None) -> None:
    topic = {"sns_topic_arn": "arn:aws:sns:us-east-1:000000000000:told"}
    checks = [clock(skew, plans=True), clock(skew, plans=False, **topic), clock(skew, plans=False)]
    assert [check.status for check in checks] == [Status.FAILED, Status.FAILED, Status.WARNING]


def test_the_clock_may_be_off_as_far_as_a_sweep_allows_it() -> None:
    assert [clock(skew, plans=True).status for skew in (60, -60)] == [Status.WARNING, Status.WARNING]
    assert clock(3_600, plans=True, max_clock_skew=3_600).status is Status.WARNING
    # Somebody may allow less than what is worth a word.
    assert clock(4, plans=True, max_clock_skew=3).status is Status.FAILED
    # A scan has no such option: it warns at the same minute as ever.
    assert clock(3_600, plans=False, max_clock_skew=3_600).status is Status.WARNING


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (("--archive", "x", "--no-archive"), ConfigurationError, "--archive and --no-archive contradict each other"),
        (("--create-state", "--state-url", "sqlite:///x"), ConfigurationError, "give --state-url dynamodb://TABLE"),
        (("--for", "demo"), click.BadParameter, "'demo' is not one of scan, sweep, apply, restore, token"),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(options: tuple[str, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        command.main(list(options), standalone_mode=False)
    assert said in str(raised.value)


def test_a_typed_archive_beats_a_variable_that_wants_none_as_it_does_in_a_sweep(tmp_path: Path) -> None:
    origins = {"archive": Origin.FLAG, "no_archive": Origin.VARIABLE}
    settings = given(archive=Folder(tmp_path), no_archive=True, origins=origins)
    check_archive(settings.doctor)
    assert examine_archive(NEEDS["sweep"], settings, NOWHERE).found == f"{tmp_path} can be written"
    by_variables = given(archive=Folder(tmp_path), no_archive=True, origins=dict.fromkeys(origins, Origin.VARIABLE))
    with pytest.raises(ConfigurationError, match="--archive and --no-archive contradict each other"):
        check_archive(by_variables.doctor)


def test_which_command_it_is_for_may_be_said_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANITOR_FOR", "nothing")
    with pytest.raises(click.BadParameter, match="'nothing' is not one of scan"):
        command.main([], standalone_mode=False)

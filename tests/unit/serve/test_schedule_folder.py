import os
from pathlib import Path

from structlog.testing import capture_logs

from janitor.serve.schedule_folder import ScheduleFolder
from janitor.settings.schedule import Schedule, load_schedule
from tests.unit.serve.statuses import NIGHTLY, TABLE

RIGHT = f"{NIGHTLY}{TABLE}"
BROKEN = f'{NIGHTLY}{TABLE}[policy]\ngrase = "7d"\n'


def test_files_that_come_change_and_go_are_seen_and_others_left_alone(tmp_path: Path) -> None:
    folder = ScheduleFolder(tmp_path, {})
    folder.refresh()
    (tmp_path / "a.toml").write_text(RIGHT)
    (tmp_path / "b.toml").write_text(RIGHT)
    for name in (".hidden.toml", "notes.txt", "c.toml~"):
        (tmp_path / name).write_text("not for us")
    assert folder.refresh()
    assert set(folder.contents.jobs) == {"a", "b"}
    assert not folder.refresh()
    before = folder.contents.jobs["b"]
    (tmp_path / "a.toml").write_text(RIGHT.replace("tokens", "others"))
    assert folder.refresh()
    assert folder.contents.jobs["a"].tables[0].table == "others"
    assert folder.contents.jobs["b"] is before
    (tmp_path / "a.toml").unlink()
    assert folder.refresh()
    assert set(folder.contents.jobs) == {"b"}


def test_a_file_that_breaks_takes_its_old_schedule_away_and_no_other(tmp_path: Path) -> None:
    folder = ScheduleFolder(tmp_path, {})
    (tmp_path / "a.toml").write_text(RIGHT)
    (tmp_path / "b.toml").write_text(RIGHT)
    folder.refresh()
    (tmp_path / "a.toml").write_text(BROKEN)
    assert folder.refresh()
    assert set(folder.contents.jobs) == {"b"}
    assert folder.contents.broken == {
        "a": f"{tmp_path}/a.toml, line 6: [policy] grase: an unknown key; did you mean 'grace'?"
    }
    assert not folder.refresh()
    (tmp_path / "a.toml").write_text(RIGHT)
    folder.refresh()
    assert (set(folder.contents.jobs), folder.contents.broken) == ({"a", "b"}, {})


def test_a_link_that_is_swapped_is_a_change_and_one_that_leads_nowhere_an_error(tmp_path: Path) -> None:
    """As Kubernetes puts a ConfigMap there, and takes it away again."""
    for version, text in (("v1", RIGHT), ("v2", RIGHT.replace("tokens", "others"))):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "a.toml").write_text(text)
    data = tmp_path / "..data"
    data.symlink_to("..v1")
    (tmp_path / "a.toml").symlink_to("..data/a.toml")
    folder = ScheduleFolder(tmp_path, {})
    folder.refresh()
    assert folder.contents.jobs["a"].tables[0].table == "tokens"
    data.unlink()
    assert folder.refresh()
    assert "cannot be read" in folder.contents.broken["a"]
    data.symlink_to("..v2")
    assert folder.refresh()
    assert folder.contents.jobs["a"].tables[0].table == "others"


def test_a_folder_that_goes_away_takes_its_jobs_and_brings_them_back(tmp_path: Path) -> None:
    place, aside = tmp_path / "schedules", tmp_path / "aside"
    place.mkdir()
    (place / "a.toml").write_text(RIGHT)
    folder = ScheduleFolder(place, {})
    folder.refresh()
    place.rename(aside)
    assert folder.refresh()
    assert folder.contents.error == f"{place} cannot be read: No such file or directory"
    assert not folder.contents.jobs
    assert not folder.refresh()
    aside.rename(place)
    assert folder.refresh()
    back = folder.contents
    assert (set(back.jobs), back.error) == ({"a"}, None)


def test_what_is_no_text_is_a_broken_file_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.toml").mkdir()
    (tmp_path / "c\x1b[2J.toml").write_text(RIGHT)
    folder = ScheduleFolder(tmp_path, {})
    folder.refresh()
    assert set(folder.contents.broken) == {"a", "b", "c\x1b[2J"}
    assert not any("\x1b" in why for why in folder.contents.broken.values())


def test_a_fifo_is_a_broken_file_and_nobody_waits_for_its_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    folder = ScheduleFolder(tmp_path, {})
    folder.refresh()
    assert folder.contents.broken == {"a": f"{tmp_path}/a.toml cannot be read: it is not a regular file"}


def test_a_fault_of_ours_in_one_file_leaves_the_others_running(tmp_path: Path) -> None:
    def load(path: Path) -> Schedule:
        if path.stem == "a":
            raise RecursionError("a fault")
        return load_schedule(path)

    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(RIGHT)
    folder = ScheduleFolder(tmp_path, {}, load)
    with capture_logs() as logs:
        folder.refresh()
    assert set(folder.contents.jobs) == {"b"}
    assert folder.contents.broken == {"a": f"{tmp_path}/a.toml cannot be read: RecursionError"}
    assert [line["log_level"] for line in logs if line["event"] == "file.not_read"] == ["error"]

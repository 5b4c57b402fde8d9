import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.serve.jobs import ScheduledJob, find_missed_time, is_catch_up_due
from janitor.settings.cron import When, next_times
from janitor.settings.schedule import Schedule
from tests.unit.serve.statuses import HOUR, NIGHTLY, NOW, TABLE, job

LINE = "0 3 * * * UTC"
CATCHES_UP = f"{NIGHTLY}catch_up = true\n{TABLE}"
LAST_DUE = NOW - 9 * HOUR


@pytest.mark.parametrize(
    ("text", "line", "handled_at", "missed"),
    [
        (CATCHES_UP, LINE, LAST_DUE - HOUR, True),
        (CATCHES_UP, LINE, LAST_DUE - 1, True),
        (CATCHES_UP, LINE, LAST_DUE - 400 * 24 * HOUR, True),
        (CATCHES_UP, LINE, LAST_DUE, False),
        (CATCHES_UP, LINE, NOW, False),
        (CATCHES_UP, LINE, NOW + 48 * HOUR, False),  # the clock was set back
        (CATCHES_UP, None, None, False),  # never seen before
        (CATCHES_UP, LINE, None, False),  # broken or taken away when the daemon ended
        (CATCHES_UP, "0 4 * * * UTC", LAST_DUE - HOUR, False),  # its line was changed meanwhile
        (f"{NIGHTLY}{TABLE}", LINE, LAST_DUE - HOUR, False),  # does not ask for it
        (TABLE, None, LAST_DUE - HOUR, False),  # nothing fires it
    ],
)
def test_what_came_due_while_no_daemon_was_there_is_caught_up_only_if_asked_for(
    text: str, line: str | None, handled_at: float | None, *, missed: bool, tmp_path: Path
) -> None:
    assert is_catch_up_due(line, job(tmp_path, text), handled_at, NOW) is missed


def test_what_jitter_put_off_until_the_daemon_ended_was_due_in_vain(tmp_path: Path) -> None:
    one = job(tmp_path, f'{NIGHTLY}jitter = "30m"\n{TABLE}')
    # It was there at 3:00, and ended before the job began.
    assert find_missed_time(LINE, one, LAST_DUE - HOUR, LAST_DUE + 60) == LAST_DUE
    # The job began at 3:20.
    assert find_missed_time(LINE, one, LAST_DUE + 1_200, LAST_DUE + HOUR) is None
    assert find_missed_time("0 4 * * * UTC", one, LAST_DUE - HOUR, LAST_DUE + 60) is None
    assert find_missed_time(LINE, one, None, LAST_DUE + 60) is None


@given(
    minutes=st.integers(1, 59),
    away=st.floats(0, 5 * 86_400),
    jitter=st.sampled_from([0, 600]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_a_job_is_missed_just_when_a_time_of_its_line_lies_in_between(
    minutes: int, away: float, jitter: int, zone: str
) -> None:
    when = When(cron=f"{minutes} */7 * * *", timezone=zone, jitter=jitter, catch_up=True)
    schedule = Schedule(
        path=Path("x.toml"), description="", when=when, tables=({},), is_sweep=False, deletes=False, values={}
    )
    one = ScheduledJob("x", schedule, (), deletes=False, digest="", deadline=3_600)
    handled_at = NOW - away
    due = next(next_times(when, dt.datetime.fromtimestamp(handled_at, dt.UTC)))
    assert is_catch_up_due(one.line, one, handled_at, NOW) is (due.timestamp() <= NOW)


def test_the_environment_says_which_table_it_is_as_it_does_for_a_run(tmp_path: Path) -> None:
    text = f'{NIGHTLY}[[table]]\ntable = "a"\nregion = "eu-west-1"\n[[table]]\ndeployment = "b"\n'
    [first, second] = job(tmp_path, text, environment={"AWS_REGION": "us-east-1", "JANITOR_TABLE": ""}).tables
    assert (first.table, first.region) == ("a", "eu-west-1")
    assert (second.deployment, second.region) == ("b", "us-east-1")
    forced = {"JANITOR_SSM_PARAMETER": "/x/y", "JANITOR_REGION": "eu-central-1"}
    [only] = job(tmp_path, text, environment=forced).tables
    assert (only.label, only.table, only.region) == ("/x/y", None, "eu-central-1")


def test_jobs_of_one_table_wait_for_each_other_whoever_asks_for_it(tmp_path: Path) -> None:
    environment = {"AWS_REGION": "us-east-1"}
    reader = job(tmp_path, f'{TABLE}profile = "reader"\n', environment=environment)
    sweeper = job(tmp_path, f'{TABLE}region = "us-east-1"\nprofile = "sweeper"\n[delete]\n', environment=environment)
    elsewhere = job(tmp_path, f'{TABLE}region = "eu-west-1"\n', environment=environment)
    [keys, same, other] = [{table.key for table in one.tables} for one in (reader, sweeper, elsewhere)]
    assert keys == same
    assert keys.isdisjoint(other)


def test_a_variable_for_dry_runs_is_believed(tmp_path: Path) -> None:
    text = f"{NIGHTLY}{TABLE}[delete]\nenabled = true\n"
    assert job(tmp_path, text, environment={"JANITOR_DRY_RUN": "0"}).deletes
    assert not job(tmp_path, text, environment={"JANITOR_DRY_RUN": "True"}).deletes


def test_a_list_of_deployments_is_a_table_each(tmp_path: Path) -> None:
    text = f'{NIGHTLY}[table]\ndeployment = ["a", "b"]\nregion = "eu-west-1"\n'
    assert [table.label for table in job(tmp_path, text).tables] == ["a", "b"]
    forced = job(tmp_path, text, environment={"JANITOR_DEPLOYMENT": "c  d"}).tables
    assert [(table.label, table.region) for table in forced] == [("c", "eu-west-1"), ("d", "eu-west-1")]


@pytest.mark.parametrize(
    ("text", "environment", "seconds"),
    [
        (TABLE, {}, 3_600),
        (f'{TABLE}[limits]\ndeadline = "20m"\n', {}, 1_200),
        (f'{TABLE}[limits]\ndeadline = "20m"\n', {"JANITOR_DEADLINE": "2h"}, 7_200),
        (TABLE, {"JANITOR_DEADLINE": "2h"}, 7_200),
        # Such a run says what is wrong with it, and ends.
        (TABLE, {"JANITOR_DEADLINE": "soon"}, 3_600),
        (TABLE, {"JANITOR_DEADLINE": ""}, 3_600),
    ],
)
def test_every_job_has_a_deadline(tmp_path: Path, text: str, environment: dict[str, str], seconds: int) -> None:
    assert job(tmp_path, text, environment=environment).deadline == seconds

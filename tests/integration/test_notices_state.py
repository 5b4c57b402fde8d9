"""What runs remember, where, and what may be deleted only after it was announced."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.announcing import Loudspeaker, Runs, due_rows, state_in
from tests.command import janitor
from tests.sweeping import DAY, living_rows, stale_rows


def test_what_runs_remember_may_be_in_a_table_that_the_doctor_makes(
    runs: Callable[..., Runs], ministack_url: str, table_number: Callable[[], int]
) -> None:
    state = f"dynamodb://state-{table_number()}"
    nightly = runs(*due_rows(20, 5), state=state)
    doctor = ("doctor", "--state-url", state, "--endpoint-url", ministack_url)
    before = janitor(*doctor)
    assert (before.code, "--create-state" in before.err) == (1, True)
    made = janitor(*doctor, "--create-state")
    assert (made.code, made.out) == (0, f"✓ state {state} can be read and written\n")
    assert janitor(*doctor, "--create-state").code == 0
    assert [nightly.run().notices["sent"], nightly.run().notices["sent"]] == [2, 0]
    assert nightly.run().report["changes"]["since"]


def test_the_doctor_makes_no_file_into_a_table(tmp_path: Path) -> None:
    finished = janitor("doctor", "--create-state", "--state-url", state_in(tmp_path))
    assert (finished.code, "dynamodb://TABLE" in finished.err) == (2, True)
    here = janitor("doctor", "--state-url", state_in(tmp_path))
    assert (here.code, "can be read and written" in here.out) == (0, True)


def aged(runs: Runs, days: int) -> None:
    """Let every notice have been sent so many days earlier."""
    with closing(sqlite3.connect(runs.state.removeprefix("sqlite:///"))) as state:
        state.execute("UPDATE mark SET at = at - ?", (days * DAY,))
        state.commit()


def test_after_notice_only_what_was_announced_long_enough_ago_is_deleted(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    topic.queue("patient")
    nightly = runs(*stale_rows(4), *living_rows(30))
    sweep = ("--delete", "--yes", "--no-archive", "--require-notice", "--notice-age", "3d")
    never_announced = nightly.run(*sweep, command="sweep")
    deletion = never_announced.report["deletion"]
    assert (never_announced.finished.code, deletion["planned"], deletion["waiting"]) == (0, 0, 4)
    announced = nightly.run(*sweep, command="sweep").report["deletion"]
    assert (announced["planned"], announced["waiting"]) == (0, 4)
    aged(nightly, 4)
    patient = nightly.run(*sweep, command="sweep").report["deletion"]
    assert (patient["deleted"], patient["waiting"]) == (4, 0)


def test_without_its_store_a_sweep_that_requires_notice_deletes_nothing(runs: Callable[..., Runs]) -> None:
    nightly = runs(*stale_rows(4), *living_rows(30), state="dynamodb://nowhere")
    swept = nightly.run("--delete", "--yes", "--no-archive", "--require-notice", command="sweep")
    assert (swept.finished.code, swept.report["deletion"]["deleted"], swept.report["deletion"]["waiting"]) == (1, 0, 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--per-token"], "--sns-topic-arn"),
        (["--sns-topic-arn", "topic"], "is not a topic's ARN"),
        (["--state-url", "redis://x"], "neither sqlite:///PATH nor dynamodb://TABLE"),
        (["--metrics", "statsd"], "neither emf nor prometheus=PATH"),
        (["--heartbeat-url", "ftp://x"], "http or https"),
        (["--sns-topic-arn", "arn:aws:sns:us-east-1:000000000000:t", "--as-of", "2027-01-01"], "as of another time"),
    ],
)
def test_a_wrong_option_is_named_in_a_line(ministack_url: str, options: list[str], said: str) -> None:
    finished = janitor("scan", "--table", "any", "--endpoint-url", ministack_url, *options)
    assert (finished.code, finished.out) == (2, "")
    assert said in finished.err.splitlines()[-1]

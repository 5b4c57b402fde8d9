"""What runs remember, where, and what may be deleted only after it was announced."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.announcing import Loudspeaker, Runs, due_rows
from tests.command import janitor
from tests.servers import microburst
from tests.state_file import overwrite, refuse, remove, rewrite
from tests.sweeping import DAY, fingerprint_of, living_rows, stale_rows
from tests.tables import legacy, modern


def aged(runs: Runs, days: int) -> None:
    """Let every notice have been sent so many days earlier."""
    rewrite(runs.state, "mark/", lambda mark: mark.update(at=mark["at"] - days * DAY))


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


def test_a_plan_that_is_carried_out_leaves_what_the_last_scan_found(runs: Callable[..., Runs], tmp_path: Path) -> None:
    nightly = runs(*due_rows(5, 6, 7), *stale_rows(3), *living_rows(30))
    nightly.run()
    plan = tmp_path / "plan"
    nightly.run("--plan", str(plan), command="sweep")
    where = ("--endpoint-url", nightly.url, "--sns-topic-arn", nightly.arn, "--state-url", nightly.state)
    applied = json.loads(janitor("apply", str(plan), "--yes", "--no-archive", *where).out)
    assert (applied["deletion"]["deleted"], applied["changes"]) == (3, None)
    after = nightly.run().report["changes"]
    assert {name: after[name]["count"] for name in ("newly_expiring", "newly_expired", "extended")} == {
        "newly_expiring": 0, "newly_expired": 0, "extended": 0,
    }  # fmt: skip


def test_a_snapshot_that_is_damaged_silences_nobody(runs: Callable[..., Runs]) -> None:
    nightly = runs(*due_rows(5, 6))
    assert nightly.run().notices["sent"] == 2
    assert overwrite(nightly.state, "chunk/", b"\0") == 1
    damaged = nightly.run("--digest", "always")
    assert (damaged.finished.code, damaged.report["changes"], damaged.notices["digests"]) == (0, None, 1)
    assert "state" in {warning["where"] for warning in damaged.report["warnings"]}
    assert nightly.run().report["changes"] is not None


def test_by_a_wrong_clock_nothing_is_announced(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    queue = topic.queue("skewed")
    nightly = runs(*due_rows(5, 6))
    with microburst(ministack_url) as proxy:
        proxy.rules([{"service": "dynamodb", "response": {"set_headers": {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}}}])
        skewed = nightly.run("--per-token", env={"AWS_ENDPOINT_URL_DYNAMODB": proxy.url})
    assert (skewed.finished.code, skewed.notices["sent"], queue.take()) == (1, 0, [])
    assert "clock" in {error["where"] for error in skewed.report["errors"]}
    assert nightly.run().notices["sent"] == 2


def test_a_token_with_two_rows_is_announced_once(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("twice")
    long_ago = int(time.time()) - 400 * DAY
    both = [modern("migrated", long_ago), legacy("migrated", long_ago)]
    nightly = runs(*both, *living_rows(30))
    options = ("--delete", "--yes", "--no-archive", "--include", "legacy", "--per-token")
    swept = nightly.run(*options, command="sweep")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 2)
    events = [body["event"] for body in queue.bodies() if body["schema"] == "janitor.notice/v1"]
    assert events.count("token.deleted") == 1


def test_a_row_that_had_changed_is_not_announced_as_expired(
    runs: Callable[..., Runs], topic: Loudspeaker, dynamodb: DynamoDBClient, tmp_path: Path
) -> None:
    queue = topic.queue("rescued")
    stale = stale_rows(3)
    nightly = runs(*stale, *living_rows(30))
    plan, where = tmp_path / "plan", ("--table", nightly.table, "--endpoint-url", nightly.url)
    assert janitor("sweep", *where, "--plan", str(plan)).code == 0
    now = str(int(time.time()) + 300 * DAY)
    dynamodb.put_item(TableName=nightly.table, Item=stale[0] | {"tokenExpiration": {"N": now}})
    told = ("--sns-topic-arn", nightly.arn, "--state-url", nightly.state, "--per-token", "--no-archive")
    applied = json.loads(janitor("apply", str(plan), "--yes", "--endpoint-url", nightly.url, *told).out)
    assert applied["deletion"]["changed"] == 1
    events = [body["event"] for body in queue.bodies() if body["schema"] == "janitor.notice/v1"]
    assert events == ["token.deleted"] * 2


def test_the_digest_points_to_the_report_where_it_is(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("pointing")
    nightly = runs(*due_rows(5))
    boto3.client("s3", endpoint_url=nightly.url).create_bucket(Bucket="reports")
    options = ("--report", "csv=/dev/null", "--report", "json=s3://reports/{table}/{run_id}.json")
    announced = nightly.run(*options)
    [digest] = queue.bodies()
    run_id = announced.report["run"]["id"]
    assert digest["pointer"] == f"s3://reports/{nightly.table}/{run_id}.json"
    assert [finding["state"] for finding in digest["report"]["findings"]] == ["expiring"]


def test_no_file_of_a_run_is_the_state(runs: Callable[..., Runs], tmp_path: Path) -> None:
    nightly = runs(*due_rows(5))
    finished = nightly.run("--report", f"json={tmp_path}/state.sqlite").finished
    assert (finished.code, "are one file" in finished.err) == (2, True)


def test_where_no_mark_can_be_kept_nothing_is_published_and_the_report_says_so(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("forgetful")
    nightly = runs(*due_rows(5, 6, 7))
    nightly.run("--digest", "never")
    refuse(nightly.state, "NEW.name LIKE '%mark/%'")
    forgetful = nightly.run()
    assert (forgetful.finished.code, forgetful.notices["sent"]) == (1, 0)
    assert "nothing was announced" in forgetful.finished.err
    assert queue.take() == []


def test_a_digest_whose_marks_fail_after_all_is_said_to_come_again(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("forgetful-after-all")
    nightly = runs(*due_rows(5, 6, 7))
    nightly.run("--digest", "never")
    refuse(nightly.state, "NEW.name LIKE 'mark/%'")
    forgetful = nightly.run()
    assert (forgetful.finished.code, forgetful.notices["sent"]) == (1, 0)
    assert "will be announced again" in forgetful.finished.err
    assert "nothing was announced" not in forgetful.finished.err
    assert len(queue.take()) == 1


def test_messages_that_nobody_took_are_named_and_nobody_is_forgotten(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    topic.queue("unnamed")
    due = due_rows(5)
    nightly = runs(*due, *stale_rows(1), *living_rows(30))
    with microburst(ministack_url) as proxy:
        rule = {"service": "sns", "operation": "PublishBatch", "error": {"code": "AuthorizationError", "status": 403}}
        proxy.rules([rule])
        options = ("--per-token", "--delete", "--yes", "--no-archive")
        failed = nightly.run(*options, command="sweep", env={"AWS_ENDPOINT_URL_SNS": proxy.url})
    assert (failed.finished.code, failed.notices["sent"]) == (1, 0)
    assert failed.notices["failed"] == failed.notices["due"]
    assert fingerprint_of(due[0]["token"]["S"]) in failed.finished.err
    assert nightly.run("--per-token").notices["sent"] > 0


FAR = "9999-12-31 23:59:59 UTC"
FAR_SECOND = 253_402_300_799
# What kind of record holds what, in the place of its own content or of some fields, and what is said of it.
HOSTILE: dict[str, tuple[str, bytes | str | dict[str, object], str]] = {
    "a mark of the year 9999": ("mark/", {"at": FAR_SECOND}, f"a mark, dated {FAR}"),
    "a mark that is a text": ("mark/", {"at": "soon"}, "a mark, with an unreadable time"),
    "what was heard in the year 9999": (
        "note/heard/", b'{"-": [253402300799, 0, 253402300799, true]}',
        f"a record of how far a topic has been informed, dated {FAR}",
    ),
    "what was heard and is a number too large": (
        "note/heard/", b'{"-": [1e100, 0]}', "a record of how far a topic has been informed, with an unreadable time",
    ),
    "what was heard and is a text": ("note/heard/", "told", "a record, with an unreadable time"),
    "a failure told in the year 9999": (
        "note/trouble/", {"reason": "x", "sentence": "x", "told_at": FAR_SECOND},
        f"a record of how the last run ended, dated {FAR}",
    ),
    "a snapshot of the year 9999": ("run/", {"started_at": FAR_SECOND}, f"the findings of the last run, dated {FAR}"),
}  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_no_run_can_have_left_silences_nobody_and_is_said_once(
    runs: Callable[..., Runs], topic: Loudspeaker, table_number: Callable[[], int], hostile: str
) -> None:
    topic.queue(f"hostile-{table_number()}")
    kind, content, said = HOSTILE[hostile]
    refused = ("--delete", "--yes", "--no-archive", "--max-deletes", "1")
    nightly = runs(*due_rows(5, 6), *stale_rows(3), *living_rows(30))
    due = nightly.run(*refused, command="sweep").notices["due"]
    assert due >= 2
    if isinstance(content, dict):
        assert rewrite(nightly.state, kind, lambda fields: fields.update(content)) >= 1
    else:
        assert overwrite(nightly.state, kind, content) >= 1
    if "heard" in kind:
        # Nothing else says what was told.
        remove(nightly.state, "mark/")
    again = nightly.run(*refused, command="sweep")
    told = [warning["message"] for warning in again.report["warnings"] if warning["code"] == "broken"]
    assert len(told) == 1, again.finished.err
    assert said in told[0]
    assert "check the clocks" in told[0]
    assert again.notices["due"] == (due if "mark" in kind or "heard" in kind else 0)
    assert again.notices["digests"] == (0 if kind == "run/" else 1)
    after = nightly.run(*refused, command="sweep")
    assert (after.notices["due"], after.notices["digests"]) == (0, 0)
    assert "broken" not in {warning["code"] for warning in after.report["warnings"]}
    assert after.report["changes"] is not None

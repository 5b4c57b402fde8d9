"""Telling the right people, once: what is published when, over several runs of one table."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.announcing import Loudspeaker, Runs, due_rows, loudspeaker
from tests.command import janitor
from tests.servers import microburst
from tests.sns_stub import stub
from tests.sweeping import DAY, living_rows, stale_rows


def test_each_token_is_announced_at_its_present_threshold_only_and_once(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("once")
    nightly = runs(*due_rows(20, 5, 0.5, -1, -6))
    first = nightly.run("--per-token")
    assert first.finished.code == 0, first.finished.err
    assert first.notices == {
        "due": 5, "sent": 5, "failed": 0, "left": 0, "long_expired": 0, "digests": 1, "state": nightly.state,
    }  # fmt: skip
    messages = [body for body in queue.bodies() if body["schema"] == "janitor.notice/v1"]
    assert [(body["event"], body["threshold_seconds"]) for body in messages] == [
        ("token.expiring", 1 * DAY), ("token.expiring", 7 * DAY), ("token.expiring", 30 * DAY), ("token.expired", 0),
        ("token.expired", 0),
    ]  # fmt: skip
    again = nightly.run("--per-token")
    assert (again.notices["due"], again.notices["digests"], queue.take()) == (0, 0, [])


def test_an_owners_message_says_whom_to_ask_and_how_to_renew_here_and_programs_get_the_same_json(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("owners", {"username": ["ana"]})
    # The other one's name is the token itself.
    nightly = runs(*due_rows(5, username="ana", name="ci"), *due_rows(6, username="ana", name="due in 6"))
    given = ("--per-token", "--digest", "never", "--sns-format", "mail")
    refused = nightly.run(*given, "--notice-text", "See {fingerprnt}")
    assert refused.finished.code == 2
    assert "'{fingerprnt}' is no field; did you mean {fingerprint}?" in refused.finished.err
    alone = nightly.run("--contact", "Ann")
    assert (alone.finished.code, "--contact is for messages to owners" in alone.finished.err) == (2, True)
    first = nightly.run(
        *given, "--contact", "Ann", env={"JANITOR_NOTICE_TEXT": "Open the form\nfor {name} of {username}."}
    )
    assert first.notices["sent"] == 2, first.finished.err
    # SNS gives a queue the text for `default`, and so does ministack.
    body, other = queue.bodies()
    assert "due in 6" not in str(other)
    assert "for [removed: it holds a token] of ana." in other["text"]
    assert (body["schema"], body["username"]) == ("janitor.notice/v1", "ana")
    assert "What to do\n----------\nOpen the form\nfor ci of ana.\n" in body["text"]
    assert body["text"].endswith("\nQuestions: Ann\n")


def test_a_token_that_passes_the_next_threshold_is_announced_again_and_an_extended_one_anew(
    runs: Callable[..., Runs], topic: Loudspeaker, dynamodb: DynamoDBClient
) -> None:
    queue = topic.queue("again")
    rows = due_rows(20, 25)
    nightly = runs(*rows)
    assert nightly.run("--digest", "never", "--per-token").notices["sent"] == 2
    queue.take()
    sooner, extended = rows
    for row, days in ((sooner, 3), (extended, 28)):
        dynamodb.put_item(
            TableName=nightly.table, Item=row | {"tokenExpiration": {"N": str(int(time.time()) + days * DAY)}}
        )
    assert nightly.run("--digest", "never", "--per-token").notices["sent"] == 2
    assert {body["threshold_seconds"] for body in queue.bodies()} == {7 * DAY, 30 * DAY}


def test_a_failed_publish_is_tried_again_next_time_and_said(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    queue = topic.queue("failing")
    nightly = runs(*due_rows(20, 5))
    with microburst(ministack_url) as proxy:
        rule = {"service": "sns", "operation": "Publish", "error": {"code": "InternalError", "status": 500}}
        proxy.rules([rule])
        failed = nightly.run(env={"AWS_ENDPOINT_URL_SNS": proxy.url})
    assert (failed.finished.code, failed.notices["sent"], failed.notices["failed"]) == (1, 0, 2)
    assert [error["where"] for error in failed.report["errors"]] == ["notices"]
    assert "will be tried again next time" in failed.finished.err
    assert queue.take() == []
    assert nightly.run().notices["sent"] == 2
    assert [body["notices_total"] for body in queue.bodies()] == [2]


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:sns:us-east-1:000000000000:nowhere", "does not exist"),
        ("arn:aws:sns:us-east-1:000000000000:nowhere.fifo", "does not exist"),
    ],
)
def test_a_topic_that_is_not_there_is_an_error_of_a_run_that_finishes(
    runs: Callable[..., Runs], arn: str, said: str
) -> None:
    announced = runs(*due_rows(20, 5), arn=arn).run("--per-token")
    assert (announced.finished.code, announced.report["run"]["outcome"]) == (1, "complete")
    assert said in announced.finished.err
    assert announced.notices["failed"] == 2


def test_a_store_that_cannot_be_reached_keeps_everything_unsent(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("storeless")
    (tmp_path / "folder").write_text("not a folder")
    for state in (f"sqlite:///{tmp_path}/folder/state.sqlite", "dynamodb://nowhere"):
        announced = runs(*due_rows(20, 5), state=state).run("--per-token", "--digest", "always")
        assert (announced.finished.code, announced.report["run"]["outcome"]) == (1, "complete")
        assert announced.report["counts"]["expiring"] == 2
        assert [error["where"] for error in announced.report["errors"]] == ["state"]
        assert "nothing was announced" in announced.finished.err
    assert queue.take() == []


def test_owners_get_their_own_tokens_only(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    mine = topic.queue("mine", {"username": ["ana@example.com"]})
    soon = topic.queue("soon", {"event": ["token.expiring"], "threshold": ["1d"], "system": ["false"]})
    rows = [*due_rows(20, 0.5, username="ana@example.com"), *due_rows(19, 0.4, username="ben@example.com")]
    runs(*rows).run("--per-token")
    assert [body["username"] for body in mine.bodies()] == ["ana@example.com"] * 2
    assert {(body["username"], body["threshold_seconds"]) for body in soon.bodies()} == {
        ("ana@example.com", DAY), ("ben@example.com", DAY),
    }  # fmt: skip


def test_a_mailbox_gets_prose_and_a_queue_gets_json(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("structured")
    announced = runs(*due_rows(20, 5, username="ana@example.com")).run("--report", "json=/dev/null")
    (message,) = queue.take()
    digest = json.loads(message["Message"])
    assert message["Subject"].startswith("[janitor] ")
    assert (digest["schema"], digest["notices_total"]) == ("janitor.digest/v1", 2)
    assert digest["report"]["run"]["id"] == announced.report["run"]["id"]
    assert len(digest["report"]["findings"]) == 2


def test_a_fifo_topic_takes_each_once(
    runs: Callable[..., Runs], ministack_url: str, table_number: Callable[[], int]
) -> None:
    with loudspeaker(ministack_url, f"topic-{table_number()}.fifo") as fifo:
        queue = fifo.queue(f"queue-{table_number()}.fifo", FifoQueue="true")
        announced = runs(*due_rows(20, 5), arn=fifo.arn).run("--per-token")
        assert announced.finished.code == 0, announced.finished.err
        assert len(queue.take()) == 3


@pytest.mark.parametrize(("when", "digests"), [("news", 0), ("always", 1), ("never", 0)])
def test_a_digest_is_sent_when_there_is_news(
    runs: Callable[..., Runs], topic: Loudspeaker, when: str, digests: int
) -> None:
    queue = topic.queue(f"quiet-{when}")
    nightly = runs(*living_rows(1))
    assert nightly.run("--digest", when).notices["digests"] == digests
    assert len(queue.take()) == digests


def test_what_was_deleted_is_told_by_the_digest_and_by_token(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("deleted")
    nightly = runs(*stale_rows(3), *living_rows(30))
    swept = nightly.run("--delete", "--yes", "--no-archive", "--per-token", command="sweep")
    assert swept.report["deletion"]["deleted"] == 3
    bodies = queue.bodies()
    events = [body["event"] for body in bodies if body["schema"] == "janitor.notice/v1"]
    assert events.count("token.deleted") == 3
    (digest,) = [body for body in bodies if body["schema"] == "janitor.digest/v1"]
    assert digest["deletion"]["deleted"] == 3
    assert nightly.run().report["changes"]["gone"]["count"] == 0


def test_a_refused_run_sends_its_own_digest(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("refused")
    nightly = runs(*stale_rows(3), *living_rows(30))
    nightly.run()
    queue.take()
    refused = nightly.run("--delete", "--yes", "--max-deletes", "2", command="sweep")
    assert refused.finished.code == 4
    (message,) = queue.take()
    assert "REFUSED" in message["Subject"]
    assert "--max-deletes 3" in message["Message"]


def test_a_failed_scan_sends_its_own_digest(runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str) -> None:
    queue = topic.queue("broken-off")
    nightly = runs(*due_rows(20))
    with microburst(ministack_url) as proxy:
        proxy.rules([{"service": "dynamodb", "operation": "Scan", "error": {"code": "AccessDeniedException"}}])
        failed = nightly.run(env={"AWS_ENDPOINT_URL_DYNAMODB": proxy.url})
    assert failed.finished.code == 1
    (message,) = queue.take()
    assert "FAILED" in message["Subject"]
    assert "dynamodb:Scan" in message["Message"]


def test_a_run_that_does_not_even_find_its_table_is_told_of(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("tableless")
    nightly = runs()
    lost = Runs(nightly.url, "nowhere", nightly.arn, nightly.state).run()
    assert (lost.finished.code, lost.finished.out) == (2, "")
    (message,) = queue.take()
    assert "FAILED" in message["Subject"]
    assert "nowhere" in message["Message"]


def changed(report: dict[str, Any]) -> dict[str, int]:
    return {name: part["count"] for name, part in report["changes"].items() if name != "since" and part["count"]}


def test_the_digest_names_what_changed_since_the_last_run(
    runs: Callable[..., Runs], topic: Loudspeaker, dynamodb: DynamoDBClient
) -> None:
    topic.queue("changes")
    near, far, gone, expiring, stays = rows = due_rows(10, 11, 12, 0.9, 13)
    nightly = runs(*rows)
    assert nightly.run().report["changes"] is None
    now = int(time.time())
    for row, expiry in ((near, now + 20 * DAY), (far, now + 300 * DAY), (expiring, now - 60)):
        dynamodb.put_item(TableName=nightly.table, Item=row | {"tokenExpiration": {"N": str(expiry)}})
    dynamodb.delete_item(TableName=nightly.table, Key={"token": gone["token"]})
    dynamodb.put_item(TableName=nightly.table, Item=due_rows(14)[0])
    report = nightly.run().report
    # The one that expired has another date than it had: it was shortened, and did not run out.
    assert changed(report) == {"newly_expiring": 1, "newly_expired": 1, "extended": 2, "gone": 1}
    assert report["changes"]["gone"]["tokens"][0]["name"] == gone["name"]["S"]
    assert stays["name"]["S"] not in json.dumps(report["changes"])


def test_without_an_index_what_vanished_is_said_to_be_one_or_the_other(
    runs: Callable[..., Runs], dynamodb: DynamoDBClient
) -> None:
    far, gone, _ = rows = due_rows(11, 12, 13)
    nightly = runs(*rows, hashed=False)
    nightly.run()
    dynamodb.put_item(TableName=nightly.table, Item=far | {"tokenExpiration": {"N": str(int(time.time()) + 300 * DAY)}})
    dynamodb.delete_item(TableName=nightly.table, Key={"token": gone["token"]})
    assert changed(nightly.run().report) == {"vanished": 2}


def test_without_a_store_and_a_topic_nothing_is_remembered(runs: Callable[..., Runs], tmp_path: Path) -> None:

    nightly = runs(*due_rows(20))
    where = ("scan", "--table", nightly.table, "--endpoint-url", nightly.url)
    report = json.loads(janitor(*where, env={"XDG_STATE_HOME": str(tmp_path / "state")}).out)
    assert (report["changes"], report["notices"]) == (None, None)
    assert not (tmp_path / "state").exists()


def test_a_chat_app_gets_the_digest_and_the_failure_of_a_run_in_its_own_schema(runs: Callable[..., Runs]) -> None:
    nightly = runs(*due_rows(5, username="<!channel>"))
    taken = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    with stub(lambda _: (200, taken)) as (sns, _):
        to_stub = {"AWS_ENDPOINT_URL_SNS": sns.url}
        assert nightly.run("--digest-format", "chatbot", env=to_stub).finished.code == 0
        missing = Runs(nightly.url, "no-such-table", nightly.arn, nightly.state)
        assert missing.run("--digest-format", "chatbot", env=to_stub).report == {}
        digest, failure = [json.loads(asked["Message"][0]) for asked in sns.parameters]
    for message, said in ((digest, "expires in 5 days"), (failure, "no-such-table")):
        assert message.keys() == {"default", "email", "https"}
        chat = json.loads(message["https"])
        assert (chat["version"], chat["source"]) == ("1.0", "custom")
        assert said in chat["content"]["description"]
    assert "<!channel>" not in json.loads(digest["https"])["content"]["description"]
    where = ("--table", nightly.table, "--endpoint-url", nightly.url)
    without_topic = janitor("scan", *where, "--digest-format", "chatbot")
    assert (without_topic.code, "--sns-topic-arn" in without_topic.err) == (2, True)

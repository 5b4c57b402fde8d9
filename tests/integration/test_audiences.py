"""Who was told what: by topic and by kind of message, once each, and nobody instead of another."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from janitor.store.create_table import create_table as create_state_table
from janitor.store.lease import Leases
from tests.announcing import Announced, Loudspeaker, Queue, Runs, due_rows, loudspeaker
from tests.command import janitor
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.integration.stores import refused, renewed, sqlite_leases
from tests.servers import microburst
from tests.state_file import connected, refuse, remove, rewrite
from tests.sweeping import DAY, living_rows, stale_rows
from tests.tables import create_table

DIGEST, OWNER = "janitor.digest/v1", "janitor.notice/v1"


def schemas(queue: Queue) -> list[str]:
    return sorted(body["schema"] for body in queue.bodies())


def aged(runs: Runs, days: int) -> None:
    """Let every notice have been sent so many days earlier."""
    rewrite(runs.state, "mark/", lambda mark: mark.update(at=mark["at"] - days * DAY))


def to(topic: Loudspeaker, runs: Runs) -> Runs:
    """The same runs, told to another topic."""
    return Runs(runs.url, runs.table, topic.arn, runs.state)


# Who was told: by topic and by kind.


def test_a_second_topic_hears_what_is_due_and_each_hears_it_once(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str, table_number: Callable[[], int]
) -> None:
    with loudspeaker(ministack_url, f"second-{table_number()}") as other:
        first, second = topic.queue("first-topic"), other.queue("second-topic")
        nightly = runs(*due_rows(20, 5, -1))
        elsewhere = to(other, nightly)
        assert nightly.run().notices["sent"] == 3
        told = elsewhere.run("--per-token")
        assert (told.notices["due"], told.notices["sent"]) == (3, 3)
        assert schemas(first) == [DIGEST]
        assert schemas(second) == [DIGEST, OWNER, OWNER, OWNER]
        for each in (nightly, elsewhere):
            assert each.run("--digest", "news").notices["due"] == 0
        assert elsewhere.run("--per-token").notices["due"] == 0
        assert (first.take(), second.take()) == ([], [])


def test_owners_hear_of_what_only_the_digest_told_and_the_digest_does_not_repeat_it(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("owners-later")
    nightly = runs(*due_rows(20, 5, -1))
    nightly.run()
    assert schemas(queue) == [DIGEST]
    later = nightly.run("--per-token")
    assert (later.notices["due"], later.notices["sent"], later.notices["digests"]) == (3, 3, 0)
    assert schemas(queue) == [OWNER] * 3
    nightly.run("--per-token")
    assert queue.take() == []


def test_the_digest_tells_what_only_owners_were_told(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("digest-later")
    nightly = runs(*due_rows(20, 5))
    nightly.run("--per-token", "--digest", "never")
    assert schemas(queue) == [OWNER, OWNER]
    nightly.run("--per-token")
    [digest] = queue.bodies()
    assert digest["notices_total"] == 2


SWEEP = ("--delete", "--yes", "--no-archive", "--require-notice", "--notice-age", "3d")


def test_where_owners_are_told_only_their_own_message_lets_a_token_go(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("which-kind")
    nightly = runs(*stale_rows(4), *living_rows(30))
    where = ("--table", nightly.table, "--endpoint-url", nightly.url, "--sns-topic-arn", nightly.arn)
    waiting = ("--require-notice", "--notice-age", "3d", "--state-url", nightly.state, "--format", "table")
    shown = janitor("sweep", *where, *waiting).out
    assert "4 stale tokens wait until their owners have had notice for 3 days." in shown
    assert "rows would be" not in shown
    assert "--require-notice --notice-age 3d" in shown[shown.index("What to do next") :]
    nightly.run(*SWEEP, command="sweep")
    aged(nightly, 30)
    queue.take()
    never_told = nightly.run(*SWEEP, "--per-token", command="sweep").report["deletion"]
    assert (never_told["deleted"], never_told["waiting"]) == (0, 4)
    assert schemas(queue).count(OWNER) >= 4
    aged(nightly, 4)
    told = nightly.run(*SWEEP, "--per-token", command="sweep").report["deletion"]
    assert (told["deleted"], told["waiting"]) == (4, 0)


def test_a_notice_to_one_topic_lets_nothing_go_that_another_is_to_hear_of(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str, table_number: Callable[[], int]
) -> None:
    topic.queue("heard")
    nightly = runs(*stale_rows(4), *living_rows(30))
    nightly.run(*SWEEP, command="sweep")
    aged(nightly, 30)
    with loudspeaker(ministack_url, f"unheard-{table_number()}") as other:
        unheard = to(other, nightly).run(*SWEEP, command="sweep").report["deletion"]
        assert (unheard["deleted"], unheard["waiting"]) == (0, 4)
        assert nightly.run(*SWEEP, command="sweep").report["deletion"]["deleted"] == 4


def test_require_notice_asks_which_topic(runs: Callable[..., Runs]) -> None:

    nightly = runs(*stale_rows(4))
    where = ("--table", nightly.table, "--endpoint-url", nightly.url, "--state-url", nightly.state)
    refused = janitor("sweep", *where, *SWEEP)
    assert refused.code == 2
    assert "--require-notice" in refused.err
    assert "--sns-topic-arn" in refused.err


# The first run.


def test_tokens_that_were_dead_before_the_first_run_are_counted_and_no_owner_is_written_to(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("first-run")
    nightly = runs(*due_rows(5, -1, -6, -8, -300, -4000))
    first = nightly.run("--per-token")
    assert (first.notices["due"], first.notices["sent"], first.notices["long_expired"]) == (3, 3, 3)
    bodies = queue.bodies()
    owners = [body["seconds_to_expiry"] // DAY for body in bodies if body["schema"] == OWNER]
    assert sorted(owners) == [-6, -1, 5]
    [digest] = [body for body in bodies if body["schema"] == DIGEST]
    assert (digest["notices_total"], digest["long_expired"]) == (3, 3)
    second = nightly.run("--per-token")
    assert (second.notices["due"], second.notices["long_expired"], queue.take()) == (0, 0, [])


def test_a_first_run_with_nothing_else_to_tell_still_says_how_many_are_dead(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    queue = topic.queue("only-dead")
    nightly = runs(*due_rows(-300, -301))
    # A dry run forecasts that; of a sweep, the deletions of both in its place.
    forecasts = [nightly.run("--dry-run"), nightly.run(command="sweep")]
    assert [(dry.notices["due"], dry.notices["long_expired"]) for dry in forecasts] == [(0, 2), (2, 0)]
    real = nightly.run()
    assert (real.notices["digests"], real.notices["long_expired"]) == (1, 2)
    assert forecasts[0].report["recipients"] == real.report["recipients"] | {"is_forecast": True}
    [of_sweep] = forecasts[1].report["recipients"]["destinations"]
    assert (of_sweep["digests"], of_sweep["digest_notices"]) == (1, 2)
    [message] = queue.take()
    assert '"long_expired":2' in message["Message"]
    assert (nightly.run().notices["digests"], queue.take()) == (0, [])


def test_a_run_that_is_told_to_nobody_primes_the_store(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("primed")
    nightly = runs(*due_rows(-300, -301))
    assert nightly.run("--digest", "never").notices["sent"] == 0
    later = nightly.run()
    assert (later.notices["due"], later.notices["digests"], queue.take()) == (0, 0, [])


def test_what_dies_after_the_first_run_is_told_however_long_no_run_came(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    """janitor was off for a month: a token that died within it, and is stale by now, is told all the same."""
    queue = topic.queue("after-a-pause")
    nightly = runs(*due_rows(-20))
    nightly.run("--per-token", "--grace", "30d", "--digest", "never")
    queue.take()
    remove(nightly.state, "mark/")
    assert nightly.run("--per-token", "--digest", "never", "--grace", "7d").notices["sent"] == 1


def test_a_first_run_that_does_not_see_the_whole_table_leaves_the_next_one_the_first(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:

    queue = topic.queue("part-of-it")
    nightly = runs(*stale_rows(2), *living_rows(30), *due_rows(-100))
    plan = tmp_path / "plan"
    where = ("--endpoint-url", nightly.url)
    assert janitor("sweep", "--table", nightly.table, *where, "--plan", str(plan)).code == 0
    told = ("--sns-topic-arn", nightly.arn, "--state-url", nightly.state, "--yes", "--no-archive")
    assert janitor("apply", str(plan), *where, *told, "--dry-run").code == 0
    queue.take()
    assert nightly.run().notices["long_expired"] == 3


def test_a_sweep_that_waits_for_notices_gives_them_to_the_long_dead_too(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    """Otherwise they would wait for ever: a scan counted them, and nobody was told of one."""
    queue = topic.queue("counted-then-told")
    nightly = runs(*stale_rows(4), *living_rows(30))
    assert nightly.run("--per-token").notices["long_expired"] == 4
    queue.take()
    waiting = nightly.run(*SWEEP, "--per-token", command="sweep")
    assert (waiting.report["deletion"]["waiting"], schemas(queue).count(OWNER)) == (4, 4)
    aged(nightly, 4)
    assert nightly.run(*SWEEP, "--per-token", command="sweep").report["deletion"]["deleted"] == 4


# What changed in the settings.


@pytest.mark.parametrize(
    "changed",
    [("30d", "10d", "1d"), ("30d", "14d", "7d", "1d"), ("25d",), ("60d", "30d", "21d")],
)
def test_another_list_of_thresholds_repeats_nothing(
    runs: Callable[..., Runs], topic: Loudspeaker, changed: tuple[str, ...]
) -> None:
    queue = topic.queue(f"thresholds-{'-'.join(changed)}")
    nightly = runs(*due_rows(0.5, 5, 8, 12, 20, 24), *due_rows(-1))
    assert nightly.run("--per-token").notices["sent"] == 7
    queue.take()
    options = [option for each in changed for option in ("--expiring-within", each)]
    again = nightly.run("--per-token", *options)
    assert (again.notices["due"], queue.take()) == (0, [])


def test_a_new_threshold_that_is_passed_later_is_told(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    topic.queue("new-threshold")
    nightly = runs(*due_rows(12))
    assert nightly.run().notices["sent"] == 1
    aged(nightly, 10)  # it was told 22 days ahead
    assert nightly.run("--expiring-within", "30d", "--expiring-within", "14d").notices["sent"] == 1


def key_file(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text(f"{name} " * 8)
    path.chmod(0o600)
    return str(path)


def counts(announced: Announced) -> dict[str, int]:
    changes = announced.report["changes"] or {}
    return {name: part["count"] for name, part in changes.items() if name != "since" and part["count"]}


def test_another_fingerprint_key_makes_nothing_due_and_nothing_gone(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("another-key")
    nightly = runs(*due_rows(0.5, 5, 20, -1, -300), hashed=False)
    assert nightly.run("--per-token").notices["sent"] == 4
    queue.take()
    key = ("--fingerprint-key-file", key_file(tmp_path, "new-key"))
    for _ in range(2):
        again = nightly.run("--per-token", *key)
        assert again.finished.code == 0, again.finished.err
        assert (again.notices["due"], again.notices["long_expired"], counts(again), queue.take()) == (0, 0, {}, [])
    back = nightly.run("--per-token")
    assert (back.notices["due"], counts(back), queue.take()) == (0, {}, [])


def test_another_dialect_makes_nothing_due_that_was_told(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("another-dialect")
    nightly = runs(*due_rows(0.5, 5, 20, -1, -300))
    assert nightly.run("--per-token").notices["sent"] == 4
    queue.take()
    for _ in range(2):
        again = nightly.run("--per-token", "--dialect", "classic")
        assert again.finished.code == 0, again.finished.err
        assert (again.notices["due"], again.notices["long_expired"], counts(again), queue.take()) == (0, 0, {}, [])
    boto3.client("dynamodb", endpoint_url=nightly.url).put_item(TableName=nightly.table, Item=due_rows(0.1)[0])
    back = nightly.run("--per-token")
    assert (back.notices["due"], back.notices["long_expired"]) == (1, 0)


def test_under_another_key_what_comes_later_is_told(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    topic.queue("later-under-another-key")
    nightly = runs(*due_rows(5))
    nightly.run()
    key = ("--fingerprint-key-file", key_file(tmp_path, "later-key"))

    def earlier(heard: dict[str, list[int]]) -> None:
        heard["hashed/-"][0] -= 3 * DAY

    # The last run was three days ago, when the token had eight days left.
    assert rewrite(nightly.state, "note/heard/", earlier) == 1
    assert nightly.run(*key).notices["sent"] == 1
    assert nightly.run(*key).notices["due"] == 0


def test_jobs_with_different_horizons_report_no_false_changes(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("horizons")
    nightly = runs(*due_rows(5, 20, 40, 80))
    for _ in range(3):
        for horizon in ("30d", "90d"):
            told = nightly.run("--expiring-within", horizon, "--digest", "news")
            assert counts(told) == {}
    assert len(queue.take()) == 2


# Two at once.


def turn_of(runs: Runs) -> tuple[Leases, str]:
    """Where the right to tell the topic of the table is, and what it is called there."""
    store = sqlite_leases(runs.state)
    return store, f"000000000000/us-east-1/{runs.table}/announce/{runs.arn}"


def test_who_comes_second_leaves_its_notices_to_the_next_run_and_says_so(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:

    queue = topic.queue("second")
    nightly = runs(*due_rows(5, 6))
    with renewed(*turn_of(nightly), "another-run"):
        left = nightly.run("--per-token")
    assert (left.finished.code, left.notices["sent"], left.notices["left"], queue.take()) == (0, 0, 2, [])
    assert "another-run" in left.report["warnings"][-1]["message"]
    assert nightly.run("--per-token").notices["sent"] == 2


def test_the_turn_of_a_dead_run_is_waited_for_and_what_it_left_is_told(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    topic.queue("dead-turn")
    nightly = runs(*due_rows(5, 6))
    store, scope = turn_of(nightly)
    store.take(scope, "dead-run", 1)
    told = nightly.run("--per-token")
    assert (told.finished.code, told.notices["sent"], told.notices["left"]) == (0, 2, 0)


def test_a_retry_of_the_same_job_takes_its_turn_over_and_no_other_jobs(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:
    topic.queue("retried-turn")
    nightly = runs(*due_rows(5, 6))
    store, scope = turn_of(nightly)
    store.take(scope, "job-1/killed", 600)
    sweep = ("--delete", "--yes", "--no-archive", "--per-token", "--deadline", "20s")
    # So near to its deadline a run does not wait to see whether another is at work.
    left = nightly.run(*sweep, "--lease-holder", "job-2", command="sweep")
    assert (left.finished.code, left.notices["sent"], left.notices["left"]) == (0, 0, 2), left.finished.err
    assert "(job-1/killed) is sending this table's notices to this topic" in left.report["warnings"][-1]["message"]
    told = nightly.run(*sweep, "--lease-holder", "job-1", command="sweep")
    assert (told.finished.code, told.notices["sent"], told.notices["left"]) == (0, 2, 0), told.finished.err
    assert not store.renew(scope, "job-1/killed", 600)


@pytest.mark.parametrize(
    ("until", "said"), [(253_402_300_799, "until 9999-12-31 23:59:59 UTC"), ("soon", "with an unreadable end time")]
)
def test_a_turn_that_no_run_can_have_taken_is_taken_over_and_said(
    runs: Callable[..., Runs], topic: Loudspeaker, until: object, said: str
) -> None:
    topic.queue(f"broken-turn-{until}")
    nightly = runs(*due_rows(5, 6))
    store, scope = turn_of(nightly)
    store.take(scope, "impossible", 600)
    assert rewrite(nightly.state, "lease", lambda lease: lease.update(until=until)) == 1
    told = nightly.run("--per-token")
    [warning] = [warning for warning in told.report["warnings"] if warning["code"] == "broken"]
    assert (told.finished.code, told.notices["sent"], warning["where"]) == (0, 2, "lease")
    assert f"the lease for sending this table's notices to this topic (run impossible, {said})" in warning["message"]


def test_what_only_this_run_knows_is_told_though_another_announces(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:

    queue = topic.queue("deletions")
    nightly = runs(*due_rows(5), *stale_rows(3), *living_rows(30))
    with renewed(*turn_of(nightly), "another-run"):
        nightly.run("--delete", "--yes", "--no-archive", "--per-token", command="sweep")
    bodies = queue.bodies()
    assert [body["event"] for body in bodies if body["schema"] == OWNER] == ["token.deleted"] * 3
    [digest] = [body for body in bodies if body["schema"] == DIGEST]
    assert {notice["event"] for notice in digest["notices"]} == {"token.deleted"}


@pytest.mark.parametrize("store", ["sqlite", "dynamodb"])
@pytest.mark.parametrize("command", ["scan", "sweep"])
def test_what_another_run_told_while_this_one_read_is_not_told_again(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str, store: str, command: str
) -> None:

    queue = topic.queue(f"overtaken-{store}-{command}")
    state = None
    if store == "dynamodb":
        create_state_table(boto3.client("dynamodb", endpoint_url=ministack_url), f"overtaken-{command}")
        state = f"dynamodb://overtaken-{command}"
    nightly = runs(*due_rows(5, 6, -1), state=state)
    overtaking: list[Announced] = []

    def overtaken(request: Request, forward: Forward) -> tuple[int, object]:
        answer = forward(request)
        if not overtaking:
            overtaking.append(nightly.run("--per-token"))
        return answer

    with meddling_proxy(ministack_url) as (url, meddling):
        meddling.by_operation["Query"] = overtaken
        options = ("--delete", "--yes", "--no-archive") if command == "sweep" else ()
        slow = nightly.run("--per-token", *options, command=command, env={"AWS_ENDPOINT_URL_DYNAMODB": url})
    assert overtaking[0].notices["sent"] == 3
    assert (slow.finished.code, slow.notices["sent"]) == (0, 0), slow.finished.err
    assert schemas(queue) == [DIGEST, OWNER, OWNER, OWNER]


def test_changes_that_another_run_told_meanwhile_are_no_news(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:

    queue = topic.queue("changes-told")
    _, gone = rows = due_rows(5, 6)
    nightly = runs(*rows)
    nightly.run()
    queue.take()
    boto3.client("dynamodb", endpoint_url=ministack_url).delete_item(
        TableName=nightly.table, Key={"token": gone["token"]}
    )
    overtaking: list[Announced] = []

    def overtaken(request: Request, forward: Forward) -> tuple[int, object]:
        answer = forward(request)
        if not overtaking:
            overtaking.append(nightly.run())
        return answer

    with meddling_proxy(ministack_url) as (url, meddling):
        meddling.by_operation["Scan"] = overtaken
        slow = nightly.run(env={"AWS_ENDPOINT_URL_DYNAMODB": url})
    assert (overtaking[0].notices["digests"], slow.notices["digests"]) == (1, 0)
    assert len(queue.take()) == 1


# A store that takes no marks.


def full(runs: Runs, bytes_left: int) -> int:
    """Let the state file be two megabytes long, and say how long a file may be that has so much room beyond that."""
    path = Path(runs.state.removeprefix("sqlite:///"))
    with connected(runs.state) as state:
        state.execute("CREATE TABLE filler (content BLOB)")
        state.execute("INSERT INTO filler VALUES (zeroblob(2000000))")
    return path.stat().st_size + bytes_left


@pytest.mark.parametrize("bytes_left", [0, 4_096, 16_384])
def test_where_no_mark_fits_no_message_goes_out(runs: Callable[..., Runs], topic: Loudspeaker, bytes_left: int) -> None:
    queue = topic.queue(f"full-{bytes_left}")
    nightly = runs(*living_rows(1))
    nightly.run()
    nightly = Runs(nightly.url, runs(*due_rows(*[day / 20 for day in range(400)])).table, nightly.arn, nightly.state)
    largest = full(nightly, bytes_left)
    queue.take()
    for _ in range(3):
        forgetful = nightly.run("--per-token", largest_file=largest)
        assert (forgetful.finished.code, forgetful.notices["sent"]) == (1, 0)
        assert "nothing was announced" in forgetful.finished.err
        assert queue.take() == []
    assert nightly.run("--per-token").notices["sent"] == 400


@pytest.mark.parametrize("kept", [0, 1, 25])
def test_the_first_mark_that_fails_ends_the_messages(runs: Callable[..., Runs], topic: Loudspeaker, kept: int) -> None:
    queue = topic.queue(f"first-failing-{kept}")
    nightly = runs(*due_rows(*[day / 4 for day in range(100)]))
    nightly.run("--digest", "never")
    marks = "(SELECT count(*) FROM record WHERE name LIKE 'mark/%')"
    refuse(nightly.state, f"NEW.name LIKE 'mark/%' AND {marks} >= {kept}")
    forgetful = nightly.run("--per-token")
    assert forgetful.finished.code == 1
    assert "will be announced again" in forgetful.finished.err
    heard = schemas(queue)
    assert kept <= len(heard) <= kept + 20
    assert DIGEST not in heard


# The same refusal every night.


REFUSED = ("--delete", "--yes", "--no-archive", "--max-deletes", "2")


def later(runs: Runs, hours: float) -> None:
    """Let the last run have been so many hours earlier."""
    rewrite(runs.state, "note/trouble/", lambda known: known.update(told_at=known["told_at"] - int(hours * 3_600)))


def test_the_same_refusal_is_told_once_a_day_and_its_end_once(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("same-refusal")
    nightly = runs(*stale_rows(3), *living_rows(30))
    nightly.run()
    queue.take()
    told = [nightly.run(*REFUSED, command="sweep").notices["digests"] for _ in range(3)]
    assert told == [1, 0, 0]
    later(nightly, 23)
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 0
    later(nightly, 1)
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 1
    queue.take()
    well = ("--max-deletes", "3")
    again = nightly.run(*REFUSED, *well, "--require-notice", command="sweep")
    assert (again.finished.code, again.notices["digests"]) == (0, 1)
    bodies = [body for body in queue.bodies() if body["schema"] == DIGEST]
    assert "max-deletes" in bodies[0]["recovered_from"]
    assert nightly.run(*REFUSED, *well, "--require-notice", command="sweep").notices["digests"] == 0


def test_another_reason_is_told_at_once(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    topic.queue("another-reason")
    nightly = runs(*stale_rows(12), *living_rows(12))
    nightly.run()
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 1
    other = ("--delete", "--yes", "--no-archive", "--max-delete-percent", "10")
    assert nightly.run(*other, command="sweep").notices["digests"] == 1
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 1


def test_what_is_due_is_told_though_the_refusal_is_known(runs: Callable[..., Runs], topic: Loudspeaker) -> None:

    topic.queue("due-anyway")
    nightly = runs(*stale_rows(3), *living_rows(30))
    nightly.run(*REFUSED, command="sweep")
    boto3.client("dynamodb", endpoint_url=nightly.url).put_item(TableName=nightly.table, Item=due_rows(4)[0])
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 1


def test_a_table_that_is_not_there_is_told_once_and_its_return_too(
    runs: Callable[..., Runs], topic: Loudspeaker
) -> None:

    queue = topic.queue("not-there")
    nightly = runs()
    lost = Runs(nightly.url, f"{nightly.table}-lost", nightly.arn, nightly.state)
    assert [lost.run().finished.code for _ in range(3)] == [2, 2, 2]
    assert len(queue.take()) == 1
    with closing(boto3.client("dynamodb", endpoint_url=nightly.url)) as client:
        create_table(client, lost.table, hashed=True, rows=living_rows(1))
        found = [lost.run().notices["digests"] for _ in range(2)]
        client.delete_table(TableName=lost.table)
    assert found == [1, 0]
    assert "nowhere" not in queue.bodies()[0]["recovered_from"]


def test_an_apply_calls_its_table_by_one_name_whether_it_is_reached_or_not(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("apply-lost")
    nightly = runs(*stale_rows(3), *living_rows(9))
    plan = str(tmp_path / "plan.ndjson")
    at = ("--endpoint-url", nightly.url, "--sns-topic-arn", nightly.arn, "--state-url", nightly.state)
    assert janitor("sweep", "--table", nightly.table, "--endpoint-url", nightly.url, "--plan", plan).code == 0
    apply = ("apply", plan, "--yes", "--no-archive", *at)
    with closing(boto3.client("dynamodb", endpoint_url=nightly.url)) as client:
        client.delete_table(TableName=nightly.table)
        assert [janitor(*apply).code for _ in range(2)] == [2, 2]
        create_table(client, nightly.table, hashed=True, rows=[*stale_rows(3), *living_rows(9)])
    assert janitor(*apply, "--table", nightly.table).code == 0
    failed, well = queue.bodies()
    assert (failed["schema"], failed["table"]) == ("janitor.failure/v1", nightly.table)
    assert well["recovered_from"] is not None


@pytest.mark.parametrize("store", ["sqlite", "dynamodb"])
def test_of_runs_that_come_to_no_report_at_once_one_says_so(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str, store: str
) -> None:
    queue = topic.queue(f"failing-at-once-{store}")
    state = dynamodb_state(ministack_url, "failing-at-once") if store == "dynamodb" else None
    nightly = runs(state=state)
    lost = Runs(nightly.url, f"{nightly.table}-lost", nightly.arn, nightly.state)
    with ThreadPoolExecutor(4) as at_once:
        codes = [each.finished.code for each in at_once.map(lambda _: lost.run(), range(4))]
    assert (codes, [body["schema"] for body in queue.bodies()]) == ([2] * 4, ["janitor.failure/v1"])


def test_a_run_that_comes_to_no_report_waits_while_another_one_is_about_to_say_so(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    queue = topic.queue("no-report-in-turn")
    nightly = runs(state=dynamodb_state(ministack_url, "no-report-in-turn"))
    lost = Runs(nightly.url, f"{nightly.table}-lost", nightly.arn, nightly.state)
    turns: list[Request] = []
    second_goes_on = threading.Event()

    def note_turn(request: Request, forward: Forward) -> tuple[int, object]:
        answer = forward(request)
        if "/runs/" in request["Key"]["scope"]["S"]:
            turns.append(request)
            if len(turns) > 1:
                second_goes_on.set()
        return answer

    with meddling_proxy(ministack_url) as (url, meddling), ThreadPoolExecutor(1) as second:
        started: list[Future[Announced]] = []

        def start_second(request: Request, forward: Forward) -> tuple[int, object]:
            answer = forward(request)
            if not started:
                # The first one has read that nobody said so, and has said nothing yet.
                started.append(second.submit(lost.run, env={"AWS_ENDPOINT_URL_DYNAMODB": url}))
                started[0].add_done_callback(lambda _: second_goes_on.set())
                assert second_goes_on.wait(60)
            return answer

        meddling.by_operation |= {"UpdateItem": note_turn, "BatchGetItem": start_second}
        first = lost.run(env={"AWS_ENDPOINT_URL_DYNAMODB": url})
        codes = first.finished.code, started[0].result().finished.code
    assert (codes, [body["schema"] for body in queue.bodies()]) == ((2, 2), ["janitor.failure/v1"])


def test_a_failure_that_another_run_told_while_this_one_waited_for_its_turn_is_not_told_again(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    queue = topic.queue("failure-told-meanwhile")
    nightly = runs(state=dynamodb_state(ministack_url, "failure-told-meanwhile"))
    overtaking: list[Announced] = []

    with meddling_proxy(ministack_url) as (url, meddling):

        def overtaken(request: Request, forward: Forward) -> tuple[int, object]:
            if not overtaking and "/announce/" in request["Key"]["scope"]["S"]:
                meddling.by_operation.pop("UpdateItem")
                overtaking.append(nightly.run(env={"AWS_ENDPOINT_URL_DYNAMODB": url}))
            return forward(request)

        meddling.by_operation |= {"UpdateItem": overtaken, "Scan": refused("AccessDeniedException")}
        slow = nightly.run(env={"AWS_ENDPOINT_URL_DYNAMODB": url})
    assert [run.report["run"]["outcome"] for run in (*overtaking, slow)] == ["failed", "failed"]
    assert [run.notices["digests"] for run in (*overtaking, slow)] == [1, 0]
    assert len(queue.take()) == 1


@pytest.mark.parametrize("state", ["sqlite:////dev/null/state.sqlite", "dynamodb://not-there"])
def test_a_run_that_comes_to_no_report_says_so_though_no_store_works(
    runs: Callable[..., Runs], topic: Loudspeaker, state: str
) -> None:
    queue = topic.queue("failing-without-a-store")
    nightly = runs(state=state)
    lost = Runs(nightly.url, f"{nightly.table}-lost", nightly.arn, nightly.state)
    assert [lost.run().finished.code for _ in range(2)] == [2, 2]
    assert [body["schema"] for body in queue.bodies()] == ["janitor.failure/v1"] * 2


def test_a_run_that_has_no_place_for_what_it_remembers_says_so(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    queue = topic.queue("failing-without-a-place")
    nightly = runs()
    where = ("--table", f"{nightly.table}-lost", "--endpoint-url", nightly.url, "--sns-topic-arn", nightly.arn)
    env = {"HOME": "/dev/null", "XDG_STATE_HOME": "/dev/null/state"}
    assert janitor("scan", *where, env=env).code == 2
    assert [body["schema"] for body in queue.bodies()] == ["janitor.failure/v1"]


def test_a_digest_that_was_not_taken_is_tried_again(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:

    topic.queue("not-taken")
    nightly = runs(*stale_rows(3), *living_rows(30))
    nightly.run()
    with microburst(ministack_url) as proxy:
        proxy.rules([{"service": "sns", "operation": "Publish", "error": {"code": "InternalError", "status": 500}}])
        nightly.run(*REFUSED, command="sweep", env={"AWS_ENDPOINT_URL_SNS": proxy.url})
    assert nightly.run(*REFUSED, command="sweep").notices["digests"] == 1


def dynamodb_state(url: str, name: str) -> str:
    with closing(boto3.client("dynamodb", endpoint_url=url)) as client:
        create_state_table(client, name)
    return f"dynamodb://{name}"


def test_a_state_table_knows_the_same_refusal_and_the_table_that_is_not_there(
    runs: Callable[..., Runs], topic: Loudspeaker, ministack_url: str
) -> None:
    queue = topic.queue("in-a-table")
    nightly = runs(*stale_rows(3), *living_rows(30), state=dynamodb_state(ministack_url, "troubles"))
    assert [nightly.run(*REFUSED, command="sweep").finished.code for _ in range(2)] == [4, 4]
    lost = Runs(nightly.url, f"{nightly.table}-lost", nightly.arn, nightly.state)
    assert [lost.run().finished.code for _ in range(2)] == [2, 2]
    assert [body["schema"] for body in queue.bodies()] == [DIGEST, "janitor.failure/v1"]


# Several tables.


def schedule(folder: Path, runs: Runs, *tables: str, then: str = "") -> str:
    file = folder / "job.toml"
    named = "".join(f'[[table]]\ntable = "{table}"\n' for table in tables)
    told = f'[notify]\nsns_topic_arn = "{runs.arn}"\nper_token = true\n[state]\nurl = "{runs.state}"\n'
    file.write_text(named + told + then)
    return str(file)


def test_of_several_tables_one_that_another_run_tells_is_left_and_the_others_are_told(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("several-held")
    first, second = runs(*due_rows(5, 6)), runs(*due_rows(7, -300))
    run = ("run", schedule(tmp_path, first, first.table, second.table), "--endpoint-url", first.url)
    with renewed(*turn_of(first), "another-run"):
        held = json.loads(janitor(*run).out)
    assert [held["notices"][key] for key in ("sent", "left", "long_expired", "digests")] == [1, 2, 1, 1]
    assert schemas(queue) == [DIGEST, OWNER]
    free = json.loads(janitor(*run).out)
    assert [free["notices"][key] for key in ("sent", "left", "long_expired", "digests")] == [2, 0, 0, 1]
    assert schemas(queue) == [DIGEST, OWNER, OWNER]


def test_of_several_tables_the_same_failure_is_told_once_and_another_tables_at_once(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("several-failing")
    first, second = runs(*living_rows(1)), runs(*living_rows(1))
    where = ("--endpoint-url", first.url)
    broken = schedule(tmp_path, first, first.table, second.table)
    with closing(boto3.client("dynamodb", endpoint_url=first.url)) as client:
        codes = [janitor("run", broken, *where).code]
        client.delete_table(TableName=second.table)
        codes += [janitor("run", broken, *where).code for _ in range(3)]
        create_table(client, second.table, hashed=True, rows=living_rows(1))
        codes += [janitor("run", broken, *where).code for _ in range(2)]
    assert codes == [0, 1, 1, 1, 0, 0]
    failed, well = queue.bodies()
    assert (failed["recovered_from"], well["outcome"]) == (None, "complete")
    assert second.table in well["recovered_from"]


def test_of_several_tables_no_message_goes_out_where_no_mark_fits(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("several-full")
    first, second = (runs(*due_rows(*[day / 20 for day in range(200)])) for _ in range(2))
    runs(*living_rows(1)).run()
    run = ("run", schedule(tmp_path, first, first.table, second.table), "--endpoint-url", first.url)
    forgetful = janitor(*run, largest_file=full(first, 4_096))
    assert (forgetful.code, queue.take()) == (1, [])
    assert json.loads(janitor(*run).out)["notices"]["sent"] == 400


# What stays is not forgotten.


@pytest.mark.parametrize("days", [51, 60, 131, 399])
def test_a_mark_of_a_token_that_stays_is_renewed_on_whichever_day_a_run_comes(
    runs: Callable[..., Runs], topic: Loudspeaker, days: int
) -> None:
    topic.queue(f"renewed-{days}")
    nightly = runs(*due_rows(-1))
    nightly.run()
    marks = "SELECT content, expires_at FROM record WHERE name LIKE 'mark/%'"
    with connected(nightly.state) as state:
        state.execute("UPDATE record SET expires_at = expires_at - ? WHERE name LIKE 'mark/%'", (days * DAY,))
        [before] = state.execute(marks).fetchall()
        assert nightly.run().notices["due"] == 0
        [after] = state.execute(marks).fetchall()
        assert (after[0], (after[1] - before[1]) // DAY) == (before[0], days)
        nightly.run()
        assert state.execute(marks).fetchall() == [after]

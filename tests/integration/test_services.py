"""The digest to services of Apprise: each hears of a token once, none keeps another from it, no URL is ever shown."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.announcing import Loudspeaker, Runs, due_rows
from tests.command import Finished, janitor
from tests.services import Hook, mail_server, web_hook
from tests.sweeping import stale_rows

GOOD, BAD = "first-secret-path", "second-secret-path"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_hook() as running:
        yield running


def notify(runs: Runs, *options: str, command: str = "scan", **env: str) -> tuple[Finished, dict[str, Any]]:
    """A run that tells no topic, only what the options and variables name."""
    where = ("--table", runs.table, "--endpoint-url", runs.url, "--state-url", runs.state)
    finished = janitor(command, *where, *options, env=env, timeout=120)
    return finished, json.loads(finished.out) if finished.out else {}


def secrets_in(*texts: str) -> list[str]:
    return [secret for secret in (GOOD, BAD) for text in texts if secret in text]


def test_a_service_gets_each_notice_once_and_another_makes_up_for_what_it_missed(
    runs: Callable[..., Runs], hook: Hook
) -> None:
    nightly = runs(*due_rows(5, username="<!channel> ada"))
    hook.refusing = {BAD}
    urls = {"JANITOR_NOTIFY": f"{hook.url(GOOD)}\n{hook.url(BAD)}"}
    first, report = notify(nightly, "--log-level", "debug", "--report", "html=/dev/null", **urls)
    assert first.code == 1
    assert "the message to --notify 2 (json) was refused with 503" in first.err
    assert report["notices"] | {"state": ""} == {
        "due": 2, "sent": 1, "failed": 1, "left": 0, "long_expired": 0, "digests": 1, "state": "",
    }  # fmt: skip
    [heard] = hook.take(GOOD)
    assert ("1 token expires within 7 days" in heard["title"], heard["type"]) == (True, "info")
    assert "‹!channel› ada" in heard["message"]  # noqa: RUF001  # the look-alike is meant
    hook.refusing = set()
    second, report = notify(nightly, **urls)
    assert (second.code, report["notices"]["sent"], hook.take(GOOD)) == (0, 1, [])
    assert "in 5 days" in hook.take(BAD)[0]["message"]
    assert report["changes"]["newly_expiring"]["count"] == 0
    state = Path(nightly.state.removeprefix("sqlite:///")).read_bytes().decode(errors="replace")
    assert secrets_in(first.out, first.err, second.out, second.err, state) == []
    third, report = notify(nightly, **urls)
    assert (third.code, report["notices"]["due"], hook.posted) == (0, 0, {})


def test_a_topic_and_a_service_hear_the_same_and_a_failed_run_is_told_to_both(
    runs: Callable[..., Runs], topic: Loudspeaker, hook: Hook, tmp_path: Path
) -> None:
    queue = topic.queue("beside-a-service")
    nightly = runs(*stale_rows(2), *due_rows(5))
    file = tmp_path / "urls"
    file.write_text(f"# chat\n{hook.url(GOOD)}\n", encoding="utf-8")
    told = nightly.run("--notify", f"file:{file}")
    assert (told.finished.code, told.notices["digests"], told.notices["sent"]) == (0, 2, 2)
    assert len(queue.bodies()) == len(hook.take(GOOD)) == 1
    missing = Runs(nightly.url, "no-such-table", nightly.arn, nightly.state)
    assert missing.run("--notify", f"file:{file}").report == {}
    assert [body["schema"] for body in queue.bodies()] == ["janitor.failure/v1"]
    [failure] = hook.take(GOOD)
    assert ("no-such-table" in failure["message"], failure["type"]) == (True, "failure")


def test_a_dry_run_says_which_service_would_hear_of_it_and_sends_nothing(runs: Callable[..., Runs], hook: Hook) -> None:
    finished, report = notify(runs(*due_rows(5)), command="sweep", JANITOR_NOTIFY=hook.url(GOOD))
    assert (finished.code, hook.posted) == (0, {})
    [destination] = report["recipients"]["destinations"]
    assert (destination["label"], destination["digests"], destination["digest_notices"]) == ("--notify 1 (json)", 1, 1)
    assert (destination["owners"], destination["are_owners_told"]) == (0, False)
    # The URL is a secret, which the next command leaves out, and says so.
    assert hook.url(GOOD) not in finished.out
    assert report["tables"][0]["options"]["left_out"] == ["--notify"]


def test_owners_get_mail_at_their_addresses_and_who_has_none_is_named_once(
    runs: Callable[..., Runs], tmp_path: Path
) -> None:
    owners = tmp_path / "owners.csv"
    owners.write_text("username,address\nada,ada@example.com\n", encoding="utf-8")
    nightly = runs(*due_rows(5, 20, username="ada"), *due_rows(6, username="0f1e-bob"))
    with mail_server() as mails:
        url = f"mailto://localhost:{mails.port}?from=janitor@example.com&to=ops@example.com&mode=insecure"
        options = ("--per-token", "--owner-address", str(owners))
        _, dry = notify(nightly, *options, command="sweep", JANITOR_NOTIFY=url)
        first, report = notify(nightly, *options, JANITOR_NOTIFY=url)
        assert first.code == 0, first.err
        # Who is told, and who cannot be: a dry run says of a real one what that says of itself.
        assert dry["recipients"] == report["recipients"] | {"is_forecast": True}
        [told] = report["recipients"]["destinations"]
        assert (told["digests"], told["digest_notices"], told["owner_messages"], told["owners"]) == (1, 3, 2, 1)
        assert (told["owners_without_address"], told["named_without_address"]) == (1, ["0f1e-bob"])
        [to_ada, again, digest] = mails.take()
        assert (to_ada[0], again[0], digest[0]) == (["ada@example.com"], ["ada@example.com"], ["ops@example.com"])
        assert "of ada expires in 5 days" in str(to_ada[1]["subject"])
        assert "0f1e-bob" in str(digest[1].get_body(("plain",)))
        [warning] = [each["message"] for each in report["warnings"] if each["code"] == "no-address"]
        assert "no mail address for 1 owner: 0f1e-bob" in warning
        second, report = notify(nightly, *options, JANITOR_NOTIFY=url)
        assert (second.code, mails.take()) == (0, [])


def test_subscribers_can_filter_for_an_owners_address(runs: Callable[..., Runs], topic: Loudspeaker) -> None:
    ada = topic.queue("for-ada", {"address": ["ada@example.com"]})
    nightly = runs(*due_rows(5, username="ada"), *due_rows(6, username="not an address"))
    options = ("--per-token", "--owner-address", "{username}@example.com")
    dry, told = nightly.run(*options, "--dry-run"), nightly.run(*options)
    assert told.notices["sent"] == 2
    # The topic gets the message of an owner without address too.
    assert dry.report["recipients"] == told.report["recipients"] | {"is_forecast": True}
    [destination] = told.report["recipients"]["destinations"]
    assert (destination["owners"], destination["owners_without_address"]) == (2, 0)
    assert [body["username"] for body in ada.bodies()] == ["ada"]
    [warning] = [each["message"] for each in told.report["warnings"] if each["code"] == "no-address"]
    assert "not an address" in warning


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--notify", f"nonsense://{GOOD}"), "--notify 1 (nonsense): Apprise does not know this URL"),
        (("--notify", GOOD), "neither a URL of Apprise"),
        (("--notify", f"json://localhost/{GOOD} json://localhost/{BAD}"), "several URLs"),
        (("--notify", "file:not-there"), "No such file"),
        (("--notify", f"json://localhost/{GOOD}", "--as-of", "2027-01-01"), "--as-of and --notify exclude"),
        (("--notify", f"json://localhost/{GOOD}", "--per-token"), "needs a topic"),
        (("--notify", "mailto://u:p@example.com", "--per-token"), "needs the owners' addresses"),
        (("--owner-address", "{user}@example.com"), "neither a template"),
        (("--owner-address", "not-there.csv"), "No such file"),
        (("--owner-address", "{username}@example.com"), "without --per-token there are none"),
        (("--idle-after", "30d"), "--idle-after says nothing without --last-seen"),
        (("--group", ""), "--group has an empty pattern"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_read_and_no_url_with_it(
    options: tuple[str, ...], said: str
) -> None:
    finished = janitor("scan", "--table", "abc", "--endpoint-url", "http://localhost:1", *options)
    assert finished.code == 2
    assert said in finished.err
    assert secrets_in(finished.err) == []


def test_a_schedule_file_and_the_doctor_name_services_and_never_show_their_urls(
    runs: Callable[..., Runs], hook: Hook, tmp_path: Path
) -> None:
    nightly, file = runs(*due_rows(5)), tmp_path / "nightly.toml"
    table = f'[table]\ntable = "{nightly.table}"\nendpoint_url = "{nightly.url}"\n[state]\nurl = "{nightly.state}"\n'
    file.write_text(f'{table}[notify]\nurls = ["{hook.url(GOOD)}"]\n', encoding="utf-8")
    checked, told = janitor("run", str(file), "--check"), janitor("run", str(file))
    assert (checked.code, "json://[removed]" in checked.out) == (0, True)
    assert (told.code, len(hook.take(GOOD))) == (0, 1)
    where = ("--table", nightly.table, "--endpoint-url", nightly.url, "--format", "json")
    examined = janitor("doctor", *where, env={"JANITOR_NOTIFY": hook.url(GOOD)})
    [services] = [each for each in json.loads(examined.out)["checks"] if each["name"] == "services"]
    assert (services["status"], hook.posted) == ("ok", {})
    file.write_text(f'{table}[notify]\nurls = ["{GOOD}"]\n', encoding="utf-8")
    wrong = janitor("run", str(file))
    assert wrong.code == 2
    assert secrets_in(*(text for run in (checked, told, examined, wrong) for text in (run.out, run.err))) == []

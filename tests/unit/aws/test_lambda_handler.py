"""What the Lambda entry makes of an event and of the time that is left, and what it says when it does not run."""

import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from janitor.aws import lambda_handler
from janitor.aws.lambda_handler import RESERVED_SECONDS, RunFailedError, handle_event
from janitor.errors import ConfigurationError

SCHEDULE = 'description = "a run"\n'


@dataclass
class Context:
    seconds: float = 300
    function_name: str = "nightly"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def _no_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JANITOR_SCHEDULE", raising=False)


@pytest.mark.parametrize(
    ("event", "of_environment", "sentence"),
    [
        ({}, "", "there is no schedule file"),
        (None, "  \n", "there is no schedule file"),
        ({"schedule": "\n"}, "", "there is no schedule file"),
        ("nightly.toml", "", "the event is not a JSON object"),
        ([], "", "the event is not a JSON object"),
        ({"schedule": {"table": "tokens"}}, "", "the event's schedule is not a text"),
        ({"schedule": SCHEDULE, "dry_run": True}, "", "the event has other keys than 'schedule'"),
        ({"detail-type": "Scheduled Event"}, SCHEDULE, "the event has other keys than 'schedule'"),
        ({"schedule": SCHEDULE}, SCHEDULE, "the event has a schedule, and the function's variable JANITOR_SCHEDULE"),
    ],
)
def test_an_event_that_could_be_meant_otherwise_runs_nothing(
    event: object, of_environment: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", _never)
    monkeypatch.setenv("JANITOR_SCHEDULE", of_environment)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        handle_event(event, Context())
    assert "dry_run" not in str(caught.value)


def test_too_little_time_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", _never)
    with pytest.raises(ConfigurationError, match="raise the function's timeout"):
        handle_event({"schedule": SCHEDULE}, Context(RESERVED_SECONDS + 0.9))


def test_the_run_gets_the_schedule_as_a_file_and_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        (file,) = (word for word in command if word.endswith(".toml"))
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123
            ran.update(options, command=command, file=file, text=opened.read())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("JANITOR_SCHEDULE", SCHEDULE)
    monkeypatch.setenv("JANITOR_GRACE", "30d")
    assert handle_event({}, Context(300)) == {"exit_code": 0}
    assert (ran["text"], ran["file"].rpartition("/")[2]) == (SCHEDULE, "nightly.toml")
    assert ran["command"][ran["command"].index("--deadline") + 1] == f"{300 - RESERVED_SECONDS}s"
    assert 0 < ran["timeout"] < 300
    # The run would not know the first.
    assert {name for name in ran["env"] if name.startswith("JANITOR_")} == {"JANITOR_GRACE"}


def test_a_run_that_hangs_is_killed_in_time_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_handler, "_ANSWER_SECONDS", RESERVED_SECONDS + 0.9)
    with pytest.raises(RunFailedError, match="did not end in time and was killed"):
        handle_event({"schedule": SCHEDULE}, Context(RESERVED_SECONDS + 1))


def _never(*_: object, **__: object) -> None:
    raise AssertionError("something was run")

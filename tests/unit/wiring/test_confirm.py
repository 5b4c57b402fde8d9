"""A question that a request to stop comes before: what the command says then, and what it ends with."""

import io
import os
import pty
import signal
import sys
from collections.abc import Iterator

import pytest

from janitor.report.model import TablePart
from janitor.run.sweep import PlanToConfirm
from janitor.stopping import Stop
from janitor.wiring.confirm import Confirmation, NotConfirmedError, confirm


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        yield
    os.close(master)


@pytest.mark.parametrize(
    ("number", "sentence", "error_code", "exit_code"),
    [
        (signal.SIGINT, "nothing was removed: stopped by SIGINT", "interrupted", 130),
        (signal.SIGTERM, "nothing was removed: stopped by SIGTERM", "interrupted", 143),
        (signal.SIGALRM, "nothing was removed: the deadline came", "deadline", 1),
    ],
)
def test_a_request_to_stop_is_no_yes_and_the_command_says_who_asked(
    number: int, sentence: str, error_code: str, exit_code: int
) -> None:
    stop = Stop()
    stop.request(number)
    with pytest.raises(NotConfirmedError) as refused:
        confirm("Delete it?", "nothing was removed", stop)
    assert (str(refused.value), refused.value.code, refused.value.exit_code) == (sentence, error_code, exit_code)
    table = TablePart(name="tokens", region="us-east-1", account_id=None, endpoint=None)
    plan = PlanToConfirm(1, (0, 0), 0, 0, list, None, None)
    assert not Confirmation(table, stop, yes=False).ask(plan)

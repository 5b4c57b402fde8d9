import pytest

from janitor.report.model import Outcome
from janitor.serve.ending import ending_of, words_of

SKIPPED, COMPLETE = Outcome.SKIPPED, Outcome.COMPLETE


@pytest.mark.parametrize(
    ("code", "outcomes", "ended"),
    [
        (0, [COMPLETE], ("complete", True)),
        (0, [], ("complete", True)),
        (3, [COMPLETE], ("complete", True)),
        (0, [SKIPPED], ("skipped", False)),
        (0, [SKIPPED, COMPLETE], ("complete", True)),
        (1, [COMPLETE], ("failed", False)),
        (2, [], ("failed", False)),
        (4, [Outcome.REFUSED], ("refused", False)),
        (143, [Outcome.INTERRUPTED], ("interrupted", False)),
        (-9, [], ("killed", False)),
        (77, [], ("failed", False)),
    ],
)
def test_an_exit_code_says_how_a_run_ended(code: int, outcomes: list[Outcome], ended: tuple[str, bool]) -> None:
    assert ending_of(code, outcomes) == ended


def test_a_code_is_said_in_words() -> None:
    assert words_of(0) == words_of(77) == ""
    assert words_of(4) == "a guard refused to delete"
    assert words_of(-9) == "killed by SIGKILL; out of memory?"
    assert words_of(-250) == "killed by signal 250"

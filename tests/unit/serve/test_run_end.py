import pytest

from janitor.report.model import Outcome
from janitor.serve.run_end import classify_end

SKIPPED, COMPLETE = Outcome.SKIPPED, Outcome.COMPLETE


@pytest.mark.parametrize(
    ("code", "outcomes", "ended"),
    [
        (0, [COMPLETE], ("complete", True)),
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
    assert classify_end(code, outcomes) == ended


def test_one_that_ends_well_and_left_no_report_has_failed() -> None:
    for code in (0, 3):
        assert classify_end(code, [], has_report=False) == ("failed", False)
        # Too long a report to be read is one.
        assert classify_end(code, [], has_report=True) == ("complete", True)
    assert classify_end(2, [], has_report=False) == ("failed", False)


def test_a_sigterm_is_an_interruption_where_it_is_the_daemons_own() -> None:
    assert classify_end(-15, [], has_report=False, was_asked_to_end=True) == ("interrupted", False)
    assert classify_end(-15, [], has_report=False) == ("killed", False)
    assert classify_end(-9, [], has_report=False, was_asked_to_end=True) == ("killed", False)


def test_a_run_that_was_ended_because_it_outlived_its_deadline_has_failed() -> None:
    for code in (1, 143, -15, -9):
        assert classify_end(code, [Outcome.INTERRUPTED], was_asked_to_end=True, was_overdue=True) == ("failed", False)
    # It came to its end all the same.
    assert classify_end(0, [COMPLETE], was_overdue=True) == ("complete", True)
    assert classify_end(4, [Outcome.REFUSED], was_overdue=True) == ("refused", False)

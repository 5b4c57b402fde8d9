"""The same problem night after night: when it is told, and when its end is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.notices.channel import Channel, Destination
from janitor.notices.problem_comparison import ProblemComparison
from janitor.notices.run_problem import ProblemMemory, RunProblem
from janitor.report.model import Outcome
from janitor.sinks.sns import Message, PublishResult
from janitor.store.records import Store
from janitor.store.run_memory import RunMemory
from janitor.store.sqlite import SqliteBackend
from tests.examples import examples
from tests.reports import changed, named, of_several
from tests.unit.notices.notices import digest
from tests.unit.report.test_formats import report

NOW, HOUR = 1_800_000_000, 3_600


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def memory(path: Path, clock: Clock, table: str = "tokens") -> ProblemMemory:
    return ProblemMemory(Store(SqliteBackend(path)), clock, job="sweep", table=table, topic="arn")


endings = st.sampled_from([None, "refused", "failed"])


@examples(30, 500)
@given(st.lists(st.tuples(endings, st.integers(1, 30)), min_size=1, max_size=12))
def test_a_trouble_is_told_when_it_is_new_then_daily_and_its_end_once(
    tmp_path_factory: pytest.TempPathFactory, nights: list[tuple[str | None, int]]
) -> None:
    path, clock = tmp_path_factory.mktemp("problem") / "state", Clock()
    before, told_at = None, 0.0
    for reason, hours in nights:
        clock.now += hours * HOUR
        problems = memory(path, clock)
        last = problems.last()
        problem = None if reason is None else RunProblem(reason, f"it was {reason}")
        is_told = problem is None and last is not None
        if problem is not None:
            is_told = not problems.was_published_recently(problem, last)
            expected = reason != before or clock.now - told_at >= 23.5 * HOUR
            assert is_told == expected
            told_at = clock.now if is_told else told_at
        else:
            assert is_told == (before is not None)
        problems.remember(problem, last, was_published=is_told)
        before = reason


def test_what_was_not_told_is_told_by_the_next_run_and_its_end_is_not(tmp_path: Path) -> None:
    clock, problem = Clock(), RunProblem("refused", "a guard")
    problems = memory(tmp_path / "state", clock)
    problems.remember(problem, problems.last(), was_published=False)
    last = problems.last()
    assert last == problem
    assert not problems.was_published_recently(problem, last)
    problems.remember(None, last, was_published=False)
    assert problems.last() is None


def test_an_end_that_was_not_told_stays_to_be_told(tmp_path: Path) -> None:
    problems = memory(tmp_path / "state", Clock())
    problems.remember(RunProblem("refused", "a guard"), None, was_published=True)
    last = problems.last()
    problems.remember(None, last, was_published=False)
    assert problems.last() == last == RunProblem("refused", "a guard", NOW)


def test_another_table_has_troubles_of_its_own(tmp_path: Path) -> None:
    clock = Clock()
    memory(tmp_path / "state", clock).remember(RunProblem("refused", "a guard"), None, was_published=True)
    assert memory(tmp_path / "state", clock, "other").last() is None


def test_where_the_store_fails_or_is_damaged_everything_is_worth_telling(tmp_path: Path) -> None:
    clock, problem = Clock(), RunProblem("refused", "a guard")
    (tmp_path / "folder").mkdir()
    broken = memory(tmp_path / "folder", clock)
    broken.remember(problem, None, was_published=True)
    assert broken.last() is None
    problems = memory(tmp_path / "state", clock)
    problems.remember(problem, None, was_published=True)
    notes = RunMemory(Store(SqliteBackend(tmp_path / "state")), "runs", NOW)
    for damage in (b"{", b"[]", b'{"reason": "x"}', b'{"reason": "x", "sentence": "y", "told_at": "soon"}', b"\xff"):
        notes.keep_note(problems.name, damage, NOW)
        assert problems.last() is None


def test_a_run_that_left_a_table_to_another_is_no_recovery(tmp_path: Path) -> None:
    clock, notices = Clock(), digest()
    problems = memory(tmp_path / "state", clock)
    problems.remember(RunProblem("refused", "a guard"), None, was_published=True)
    channel = Channel(
        topic=Nobody(),
        per_token=False,
        digest="news",
        full_report_location=None,
        destination=Destination(Nobody.arn, Nobody.arn),
        problems=problems,
    )
    good, left = report(), changed(named(report(), "left"), run=structs.replace(report().run, outcome=Outcome.SKIPPED))
    sameness = ProblemComparison(channel, of_several(good, left))
    assert sameness.apply_to(notices).recovered_from is None
    sameness.remember(was_published=False)
    well = ProblemComparison(channel, of_several(good, named(good, "left")))
    assert well.apply_to(notices).recovered_from == "a guard"


class Nobody:
    """A topic that nobody listens to."""

    arn = "arn"

    def publish(self, message: Message) -> None:
        raise AssertionError(message)

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[PublishResult]:
        raise AssertionError(messages)

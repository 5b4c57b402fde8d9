"""One suite over every store: what is marked stays marked, and what a run leaves is whole or not there."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import LedgerError
from janitor.ledger.dynamodb import DynamoDbLedger
from janitor.ledger.interface import REMEMBER_SECONDS, Ledger
from janitor.ledger.sqlite import SqliteLedger
from janitor.tokens.crossing import EXPIRY, Crossing
from tests.integration.ledgers import CHUNKS, DAY, FIRST, NOW, SCOPE, SECOND, at_once, crossings, never, state_table


@dataclass(frozen=True)
class Store:
    """A store, and ledgers on it."""

    ledger: Callable[[], Ledger]

    def open(self, scope: str = SCOPE, now: int = NOW) -> "closing[Any]":
        ledger = self.ledger()
        ledger.open(scope, now)
        return closing(ledger)


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield Store(lambda: SqliteLedger(tmp_path / "state" / "ledger.db"))
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):
        yield Store(lambda: DynamoDbLedger(client, table, wait=never))


def test_what_was_marked_was_announced_and_nothing_else(store: Store) -> None:
    marked, other = crossings(3), crossings(3, EXPIRY)
    with store.open() as ledger:
        ledger.mark(marked, NOW)
        assert ledger.announced([*other, *marked]) == dict.fromkeys(marked, NOW)
    with store.open() as ledger:
        assert ledger.announced([*marked, *other]) == dict.fromkeys(marked, NOW)


@pytest.mark.parametrize("changed", [{"expiry": NOW + DAY}, {"threshold": EXPIRY}, {"fingerprint": "f" * 12}])
def test_another_expiry_threshold_or_token_is_another_crossing(store: Store, changed: dict[str, Any]) -> None:
    [crossing] = crossings(1)
    with store.open() as ledger:
        ledger.mark([crossing], NOW)
        assert ledger.announced([crossing._replace(**changed)]) == {}


def test_any_number_of_crossings_is_marked_and_found_some_named_twice(store: Store) -> None:
    many = crossings(1_050)
    with store.open() as ledger:
        ledger.mark([*many, *many[:150]], NOW)
        assert ledger.announced([*many[:150], *many]) == dict.fromkeys(many, NOW)
        ledger.mark([], NOW)
        assert ledger.announced([]) == {}


def test_an_expiry_that_no_column_holds_is_marked_too(store: Store) -> None:
    crossing = Crossing("a" * 12, -(10**125), EXPIRY)
    with store.open() as ledger:
        ledger.mark([crossing], NOW)
        assert ledger.announced([crossing]) == {crossing: NOW}


def test_marking_again_keeps_the_first_time(store: Store) -> None:
    few = crossings(3)
    with store.open() as ledger:
        ledger.mark(few[:2], NOW)
        ledger.mark(few, NOW + DAY)
        assert ledger.announced(few) == {few[0]: NOW, few[1]: NOW, few[2]: NOW + DAY}


def test_two_runs_at_once_see_each_others_marks_and_the_first_time_stays(store: Store) -> None:
    few = crossings(3)
    with store.open() as one, store.open() as other:
        one.mark(few[:2], NOW)
        other.mark(few[1:], NOW + 5)
        assert one.announced(few) == other.announced(few) == {few[0]: NOW, few[1]: NOW, few[2]: NOW + 5}


def test_tables_that_share_a_store_do_not_see_each_others_marks_and_runs(store: Store) -> None:
    with store.open() as one, store.open("000000000000/us-east-1/other") as other:
        one.mark(crossings(1), NOW)
        one.replace_snapshot(CHUNKS, FIRST)
        assert (other.announced(crossings(1)), list(other.snapshot()), other.last_run()) == ({}, [], None)
        other.replace_snapshot([b"other"], SECOND)
        assert list(one.snapshot()) == CHUNKS


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_a_mark_is_remembered_for_400_days_and_then_absent_dropped_or_not(store: Store, *, is_forgotten: bool) -> None:
    over = NOW + REMEMBER_SECONDS
    with store.open() as ledger:
        ledger.mark(crossings(2), NOW)
        if is_forgotten:
            ledger.forget(over - 1)
    with store.open(now=over - 1) as ledger:
        assert ledger.announced(crossings(2)) == dict.fromkeys(crossings(2), NOW)
        if is_forgotten:
            ledger.forget(over)
    with store.open(now=over) as ledger:
        assert ledger.announced(crossings(2)) == {}


def test_a_mark_that_is_renewed_is_remembered_400_days_from_then_on(store: Store) -> None:
    with store.open() as ledger:
        ledger.mark(crossings(1), NOW)
        ledger.mark(crossings(1), NOW + DAY)
        ledger.forget(NOW + REMEMBER_SECONDS)
    with store.open(now=NOW + REMEMBER_SECONDS) as ledger:
        assert ledger.announced(crossings(1)) == dict.fromkeys(crossings(1), NOW)


def test_a_mark_past_its_time_begins_anew_beside_one_that_is_not(store: Store) -> None:
    few, over = crossings(3), NOW + REMEMBER_SECONDS
    with store.open() as ledger:
        ledger.mark(few[:1], NOW)
        ledger.mark(few[1:2], NOW + 1)
    with patient(store).open(now=over) as ledger:
        ledger.mark(few, over)
        assert ledger.announced(few) == {few[0]: over, few[1]: NOW + 1, few[2]: over}


def patient(store: Store) -> Store:
    """Let the store's ledgers go round again, at once."""

    def ledger() -> Ledger:
        made = store.ledger()
        if isinstance(made, DynamoDbLedger):
            made._wait = at_once  # noqa: SLF001  # there is no other reason to let it change
        return made

    return Store(ledger)


def test_there_is_no_run_before_the_first(store: Store) -> None:
    with store.open() as ledger:
        assert list(ledger.snapshot()) == []
        assert ledger.last_run() is None


def test_the_next_run_reads_what_the_last_one_left_byte_for_byte_in_order(store: Store) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(iter(CHUNKS), FIRST)
    with store.open() as ledger:
        assert list(ledger.snapshot()) == CHUNKS
        assert ledger.last_run() == FIRST


@pytest.mark.parametrize("chunks", [[], [b"one"], [b"1", b"2", b"3", b"4"]])
def test_what_a_run_leaves_stands_in_the_place_of_the_old(store: Store, chunks: list[bytes]) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(CHUNKS, FIRST)
        ledger.replace_snapshot(chunks, SECOND)
        assert list(ledger.snapshot()) == chunks
        assert ledger.last_run() == SECOND


def breaking_off(chunks: Iterable[bytes], error: BaseException) -> Iterator[bytes]:
    yield from chunks
    raise error


@pytest.mark.parametrize("error", [LedgerError("the disk is full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_replacement_that_breaks_off_leaves_the_old_one(store: Store, error: BaseException) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(CHUNKS, FIRST)
        with pytest.raises(type(error)):
            ledger.replace_snapshot(breaking_off([b"new"], error), SECOND)
        assert list(ledger.snapshot()) == CHUNKS
        assert ledger.last_run() == FIRST
        ledger.mark(crossings(1), NOW)
        ledger.replace_snapshot([b"new"], SECOND)
        assert list(ledger.snapshot()) == [b"new"]


def test_a_reader_meets_the_old_or_the_new_or_an_error_but_no_mixture(store: Store) -> None:
    with store.open() as reader, store.open() as writer:
        writer.replace_snapshot([b"old 1", b"old 2"], FIRST)
        half_read = reader.snapshot()
        assert next(half_read) == b"old 1"
        writer.replace_snapshot([b"new 1", b"new 2"], SECOND)
        with pytest.raises(LedgerError, match="another run replaced"):
            next(half_read)
        assert list(reader.snapshot()) == [b"new 1", b"new 2"]


def test_what_a_run_left_400_days_ago_is_absent(store: Store) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot([b"old"], FIRST)
    with store.open(now=FIRST.finished_at + REMEMBER_SECONDS) as ledger:
        assert (list(ledger.snapshot()), ledger.last_run()) == ([], None)
        ledger.forget(FIRST.finished_at + REMEMBER_SECONDS)
        late = SECOND._replace(finished_at=FIRST.finished_at + REMEMBER_SECONDS)
        ledger.replace_snapshot([b"new"], late)
        assert (list(ledger.snapshot()), ledger.last_run()) == ([b"new"], late)


def test_a_ledger_that_is_not_open_says_so_and_closing_never_fails(store: Store) -> None:
    ledger = store.ledger()
    ledger.close()
    with pytest.raises(LedgerError, match="is not open"):
        ledger.mark(crossings(1), NOW)
    with store.open() as opened:
        opened.close()
        with pytest.raises(LedgerError, match="is not open"):
            opened.last_run()

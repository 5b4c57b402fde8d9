"""What changed between two runs, and that nothing is lost on the way from one to the next."""

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import StoreError
from janitor.store.chunks import RememberedToken, decode_chunk, encode_chunks
from janitor.store.run_memory import MAX_CHUNK_BYTES
from janitor.store.snapshot import ChangedEntry, Snapshot, TokenChanges
from janitor.tokens.classify import State
from janitor.tokens.expiration import FIRST_SECOND, MAX_SECONDS

NOW = 1_800_000_000
DAY = 86_400
FINDINGS = [str(state) for state in State if state is not State.ACTIVE]
DATED = ["expiring", "expired", "stale"]
UNDATED = ["permanent", "malformed", "legacy"]

fingerprints = st.text("0123456789abcdef", min_size=12, max_size=12)
texts = st.none() | st.text(max_size=256)
entries = st.builds(
    RememberedToken, fingerprints, st.sampled_from(FINDINGS), st.none() | st.integers(0, MAX_SECONDS), texts, texts
)
runs = st.lists(entries, max_size=30, unique_by=lambda entry: entry.fingerprint)


def token(fingerprint: str, state: str, expiry: int | None = None) -> RememberedToken:
    return RememberedToken(fingerprint, state, expiry, "alice", "ci")


@contextmanager
def snapshot_of(then: Iterable[RememberedToken] | None, now: Iterable[RememberedToken]) -> Iterator[Snapshot]:
    """A run that finds these, after one that found those; None for no run before."""
    with tempfile.TemporaryDirectory() as folder, closing(Snapshot(Path(folder))) as snapshot:
        snapshot.load([] if then is None else encode_chunks(then))
        snapshot.add([*now])
        yield snapshot


def changes(then: Iterable[RememberedToken] | None, now: Iterable[RememberedToken]) -> TokenChanges:
    with snapshot_of(then, now) as snapshot:
        return snapshot.changes(NOW, 10)


def kinds_of(found: TokenChanges) -> list[str]:
    return [kind for kind in found._fields if getattr(found, kind).count]


def left_by(snapshot: Snapshot) -> list[RememberedToken]:
    return [entry for chunk in snapshot.chunks() for entry in decode_chunk(chunk)]


@given(runs)
def test_what_a_run_leaves_is_what_the_next_one_loads(found: list[RememberedToken]) -> None:
    with snapshot_of(None, found) as first, tempfile.TemporaryDirectory() as folder:
        with closing(Snapshot(Path(folder))) as second:
            second.load(first.chunks())
            assert second.has_previous
            assert sorted(second.missing()) == sorted(found)
        assert left_by(first) == sorted(found)


@given(runs)
def test_a_run_that_finds_the_same_has_nothing_to_say(found: list[RememberedToken]) -> None:
    assert changes(found, reversed(found)) == TokenChanges()


@given(runs, runs)
def test_counts_and_names_agree_and_gone_is_what_was_there_and_is_not(
    then: list[RememberedToken], now: list[RememberedToken]
) -> None:
    with snapshot_of(then, now) as snapshot:
        found = snapshot.changes(NOW, 1_000)
        fewer = snapshot.changes(NOW, 2)
    for kind in found._fields:
        group = getattr(found, kind)
        assert group.count == len(group.first)
        assert getattr(fewer, kind).count == group.count
        assert getattr(fewer, kind).first == group.first[:2]
    was, here = {entry.fingerprint for entry in then}, {entry.fingerprint for entry in now}
    assert {changed.fingerprint for changed in found.vanished.first} == was - here


@given(runs)
def test_a_first_run_has_no_changes_however_much_it_finds(found: list[RememberedToken]) -> None:
    assert changes(None, found) == TokenChanges()


def test_a_run_that_found_nothing_is_a_run_before_all_the_same() -> None:
    assert kinds_of(changes([], [token("a", "expiring", NOW + DAY)])) == ["newly_expiring"]


@pytest.mark.parametrize("state", [None, *UNDATED])
def test_a_token_that_was_not_expiring_and_is_now_is_newly_expiring(state: str | None) -> None:
    then = [token("a", state)] if state else []
    found = changes(then, [token("a", "expiring", NOW + DAY)])
    assert kinds_of(found) == ["newly_expiring"]
    assert found.newly_expiring.first == (ChangedEntry("a", "alice", "ci", NOW + DAY, None),)


@pytest.mark.parametrize("state", ["expired", "stale"])
def test_a_token_that_was_expiring_and_has_expired_is_newly_expired(state: str) -> None:
    found = changes([token("a", "expiring", NOW - 1)], [token("a", state, NOW - 1)])
    assert kinds_of(found) == ["newly_expired"]
    assert found.newly_expired.first == (ChangedEntry("a", "alice", "ci", NOW - 1, NOW - 1),)


@pytest.mark.parametrize("state", ["expired", "stale"])
def test_an_expired_token_that_no_run_has_found_before_is_newly_expired(state: str) -> None:
    assert kinds_of(changes([], [token("a", state, NOW - 1)])) == ["newly_expired"]


def test_a_token_whose_date_was_brought_forward_into_the_past_is_newly_expired() -> None:
    assert kinds_of(changes([token("a", "expiring", NOW + DAY)], [token("a", "expired", NOW - 1)])) == ["newly_expired"]


@pytest.mark.parametrize("before", ["permanent", "malformed", "legacy"])
def test_a_token_that_had_no_valid_date_and_has_expired_is_newly_expired(before: str) -> None:
    assert kinds_of(changes([token("a", before, None)], [token("a", "expired", NOW - 1)])) == ["newly_expired"]


def test_a_token_that_was_extended_and_has_expired_since_is_newly_expired() -> None:
    found = changes([token("a", "expiring", NOW - 10)], [token("a", "expired", NOW - 1)])
    assert kinds_of(found) == ["newly_expired", "extended"]


def test_a_token_that_was_expired_and_is_stale_now_is_no_news() -> None:
    assert changes([token("a", "expired", NOW - DAY)], [token("a", "stale", NOW - DAY)]) == TokenChanges()


@pytest.mark.parametrize("state", DATED)
def test_a_later_expiry_is_an_extension_and_says_both_dates(state: str) -> None:
    found = changes([token("a", state, NOW + 1)], [token("a", state, NOW + DAY)])
    # The later date of one that has expired is over too.
    assert kinds_of(found) == (["newly_expired", "extended"] if state in {"expired", "stale"} else ["extended"])
    assert found.extended.first == (ChangedEntry("a", "alice", "ci", NOW + DAY, NOW + 1),)


def test_a_token_extended_beyond_the_horizon_is_extended_once_it_is_found_among_the_missing() -> None:
    with snapshot_of([token("a", "expiring", NOW + 1)], []) as snapshot:
        assert kinds_of(snapshot.changes(NOW, 10)) == ["vanished"]
        for entry in snapshot.missing():
            snapshot.add([entry._replace(state="active", expiry=NOW + 90 * DAY)])
        found = snapshot.changes(NOW, 10)
        assert kinds_of(found) == ["extended"]
        assert found.extended.first == (ChangedEntry("a", "alice", "ci", NOW + 90 * DAY, NOW + 1),)
        assert left_by(snapshot) == []


def test_an_earlier_expiry_is_no_extension() -> None:
    assert changes([token("a", "expiring", NOW + DAY)], [token("a", "expiring", NOW + 1)]) == TokenChanges()


@pytest.mark.parametrize("state", UNDATED)
def test_tokens_without_a_valid_date_are_kept_and_only_their_going_is_news(state: str) -> None:
    odd = token("a", state, NOW - DAY if state == "legacy" else None)
    later = odd._replace(expiry=NOW + DAY)
    assert kinds_of(changes([], [odd])) == []
    assert kinds_of(changes([odd], [later])) == []
    assert kinds_of(changes([token("a", "expiring", NOW + DAY)], [odd])) == []
    assert kinds_of(changes([odd], [])) == ["vanished"]


def test_a_token_that_is_gone_is_named_with_its_last_date() -> None:
    found = changes([token("a", "stale", NOW - DAY)], [])
    assert found.vanished.first == (ChangedEntry("a", "alice", "ci", None, NOW - DAY),)


def test_what_this_run_deleted_is_not_gone_by_other_hands_now_or_next_time() -> None:
    gone = [token("a", "stale", NOW - DAY), token("b", "stale", NOW - DAY)]
    with snapshot_of(gone, [gone[0], token("c", "permanent")]) as snapshot:
        snapshot.vanish(["a", "b", "b"])
        assert snapshot.changes(NOW, 10) == TokenChanges()
        assert left_by(snapshot) == [token("c", "permanent")]


def test_the_nearest_dates_come_first_and_those_without_one_last() -> None:
    then = [
        token("far", "stale", NOW - 9 * DAY),
        token("none", "permanent"),
        token("near", "expiring", NOW + DAY),
        token("past", "expired", NOW - 2 * DAY),
        token("also-none", "permanent"),
    ]
    found = changes(then, [])
    assert [changed.fingerprint for changed in found.vanished.first] == ["near", "past", "far", "also-none", "none"]


@given(st.permutations([token("a", "legacy"), token("a", "expiring", NOW + DAY), token("a", "stale", NOW - DAY)]))
def test_of_several_rows_of_one_token_the_latest_counts_whichever_comes_first(rows: list[RememberedToken]) -> None:
    with snapshot_of(None, rows) as snapshot:
        assert left_by(snapshot) == [token("a", "expiring", NOW + DAY)]


@pytest.mark.parametrize("expiry", [-(10**30), -(2**63), -1])
def test_a_date_before_all_calendars_is_kept_as_the_first_one(expiry: int) -> None:
    with snapshot_of([], [token("a", "stale", expiry)]) as snapshot:
        assert left_by(snapshot) == [token("a", "stale", max(expiry, FIRST_SECOND))]
        assert snapshot.changes(NOW, 10).newly_expired.count == 1


def test_texts_beyond_what_is_shown_are_cut() -> None:
    with snapshot_of([], [token("a", "permanent")._replace(name="n" * 400_000, username="u" * 257)]) as snapshot:
        [entry] = left_by(snapshot)
    assert (len(entry.name or ""), len(entry.username or "")) == (256, 256)


def test_no_chunk_is_larger_than_a_store_takes_even_if_nothing_compresses() -> None:
    random = Random(1)
    noise = ["".join(map(chr, random.choices(range(0x4E00, 0x9FFF), k=256))) for _ in range(600)]
    found = [token(f"{number:012x}", "malformed")._replace(name=text) for number, text in enumerate(noise)]
    chunks = [*encode_chunks(found)]
    assert len(chunks) > 1
    assert max(map(len, chunks)) <= MAX_CHUNK_BYTES
    assert [entry for chunk in chunks for entry in decode_chunk(chunk)] == found


def damaged_chunks() -> Iterator[bytes]:
    [whole] = encode_chunks([token("a", "expiring", NOW + DAY)])
    yield b""
    yield b"\x02" + whole[1:]
    yield whole[:-1]
    yield whole + b"\x00"
    yield whole[:10] + bytes([whole[10] ^ 0xFF]) + whole[11:]
    for lines in (b'["a","expiring"]', b'["a","expiring","soon",null,null]', b"{", b'["a"', b"[" * 100_000, b"\xff"):
        yield b"\x01" + zlib.compress(lines)
    yield b"\x01" + zlib.compress(b"\n" * 1_000_000)


@pytest.mark.parametrize("chunk", [*damaged_chunks()])
def test_a_damaged_chunk_is_an_error_after_which_there_is_no_run_before(tmp_path: Path, chunk: bytes) -> None:
    with closing(Snapshot(tmp_path)) as snapshot:
        with pytest.raises(StoreError, match="what the last run left"):
            snapshot.load([*encode_chunks([token("b", "stale", NOW)]), chunk])
        snapshot.add([token("c", "expiring", NOW + DAY)])
        assert snapshot.changes(NOW, 10) == TokenChanges()
        assert list(snapshot.missing()) == []
        assert left_by(snapshot) == [token("c", "expiring", NOW + DAY)]


@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_an_error(chunk: bytes) -> None:
    for candidate in (chunk, b"\x01" + chunk, b"\x01" + zlib.compress(chunk)):
        try:
            decode_chunk(candidate)
        except StoreError:
            continue


def test_nothing_is_in_the_folder_while_it_is_used_nor_after(tmp_path: Path) -> None:
    with closing(Snapshot(tmp_path)) as snapshot:
        snapshot.add([token(f"{number:012x}", "stale", NOW) for number in range(100_000)])
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing cannot be made"):
        Snapshot(tmp_path / "missing")


def test_a_closed_snapshot_says_so_and_closes_again(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path)
    snapshot.close()
    snapshot.close()
    with pytest.raises(StoreError, match="is closed"):
        snapshot.add([])

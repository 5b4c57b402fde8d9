"""Which planned rows have to wait for their notice."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from janitor.readers.interface import DeletableRow, JudgedRow
from janitor.run.planning import _find_announced
from janitor.tokens.classify import State, Verdict
from tests.unit.rows import row

# Few of each, so that the two rows of a token, with one fingerprint and two expiries, are often among them.
_PAIRS = st.sets(st.tuples(st.sampled_from(["aaa", "bbb", "ccc"]), st.integers(1, 4)))


@given(_PAIRS, _PAIRS)
def test_what_was_announced_of_one_row_of_a_token_is_not_announced_of_the_other(
    rows: set[tuple[str, int]], announced: set[tuple[str, int]]
) -> None:
    def found(expiries: Mapping[str, int]) -> set[str]:
        return {name for name, expiry in expiries.items() if (name, expiry) in announced}

    nobody = row({"token": {"S": "k"}})
    going = [
        DeletableRow(b"{}", name, JudgedRow(nobody, Verdict(State.STALE, (), expiry, ()))) for name, expiry in rows
    ]
    assert _find_announced(going, found) == rows & announced

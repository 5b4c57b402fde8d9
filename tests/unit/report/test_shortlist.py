"""Which findings are listed, whichever order they come in."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from janitor.report.shortlist import MostUrgent, Rank, Shortlist, encode_line
from janitor.tokens.classify import State

ranked = st.tuples(st.sampled_from(list(State)), st.integers(0, 50))


@given(ranks=st.lists(st.integers(0, 50), max_size=60), limit=st.integers(0, 12), data=st.data())
def test_the_most_urgent_are_the_same_in_every_order(ranks: list[int], limit: int, data: st.DataObject) -> None:
    rows = [((rank, False, 0), f"{number:03}") for number, rank in enumerate(ranks)]
    kept = MostUrgent(limit)
    for rank, key in data.draw(st.permutations(rows)):
        if kept.may_want(rank):
            kept.add(encode_line(rank, key, b""))
    assert kept.lines() == [encode_line(rank, key, b"") for rank, key in sorted(rows)[:limit]]


@given(found=st.lists(ranked, max_size=80), limit=st.integers(0, 30), parts=st.integers(1, 5), data=st.data())
def test_the_shortlist_of_shortlists_is_that_of_everything(
    found: list[tuple[State, int]], limit: int, parts: int, data: st.DataObject
) -> None:
    everything = [(state, (list(State).index(state), False, far), f"{n:03}") for n, (state, far) in enumerate(found)]
    split: list[list[tuple[State, Rank, str]]] = [[] for _ in range(parts)]
    for entry in everything:
        split[data.draw(st.integers(0, parts - 1))].append(entry)
    of_parts = [entry for part in split for entry in shortlist(part, limit)]
    assert shortlist(of_parts, limit) == shortlist(everything, limit)


def shortlist(entries: list[tuple[State, Rank, str]], limit: int) -> list[tuple[State, Rank, str]]:
    decode = msgspec.json.Decoder(tuple[State, Rank, str]).decode
    listed: Shortlist[tuple[State, Rank, str]] = Shortlist(limit, msgspec.json.encode, decode)
    for entry in entries:
        listed.offer(*entry, entry)
    return listed.sorted()

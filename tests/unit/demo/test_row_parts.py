"""Spans that are spread have one in each part, whatever the dice say."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from janitor.demo.row_parts import spread_times


@given(seed=st.integers(), number=st.integers(1, 40), least=st.integers(0, 10_000), part=st.integers(1, 10_000))
def test_each_equal_part_holds_one_span(seed: int, number: int, least: int, part: int) -> None:
    spans = list(spread_times(Random(seed), number, least, least + number * part))
    assert [(span - least) // part for span in spans] == list(range(number))

"""Numbers and lists in words."""

import pytest

from janitor.tokens.words import format_count, list_some


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_234_567, "1,234,567 rows")],
)
def test_how_many_there_are_of_something(number: int, words: str) -> None:
    assert format_count(number, "row") == words


@pytest.mark.parametrize(
    ("texts", "total", "words"),
    [
        ([], None, ""),
        (["a"], None, "a"),
        (["a", "b"], None, "a, b"),
        (["a", "b", "c"], None, "a, b and 1 more"),
        (["a", "b"], 2, "a, b"),
        (["a", "b"], 1_002, "a, b and 1,000 more"),
    ],
)
def test_the_first_of_a_list_and_how_many_more_there_are(texts: list[str], total: int | None, words: str) -> None:
    assert list_some(texts, 2, total=total) == words


def test_what_there_are_more_of_is_said_where_it_is_given() -> None:
    assert list_some(["a", "b", "c"], 1, names="owners") == "a and 2 more owners"
    assert list_some(["a"], 1, names="owners") == "a"

from hypothesis import given

from janitor.notices.text_wrapping import WIDTH, display_width, wrap_text
from janitor.tokens.printable import printable
from tests.unit.notices.notices import texts


@given(texts, texts)
def test_any_text_is_set_in_lines_of_the_width_and_nothing_of_it_is_lost(one: str, other: str) -> None:
    text = printable(f"{one} {other}")
    lines = wrap_text(text, first="  - ", rest="      ")
    assert all(display_width(line) <= WIDTH for line in lines)
    assert all("\n" not in line for line in lines)
    whole = "".join(line[4:] if number == 0 else line[6:] for number, line in enumerate(lines))
    assert whole.replace(" ", "") == text.replace(" ", "")


def test_words_stay_whole_where_they_fit_in_a_line() -> None:
    lines = wrap_text("word " * 30)
    assert {word for line in lines for word in line.split()} == {"word"}


def test_wide_characters_take_two_columns() -> None:
    assert display_width("日本 go") == 7
    assert [display_width(line) for line in wrap_text("字" * 40)] == [72, 8]


@given(texts)
def test_a_plain_text_is_one_visible_line_that_can_be_encoded(text: str) -> None:
    assert printable(text).isprintable()
    printable(text).encode()

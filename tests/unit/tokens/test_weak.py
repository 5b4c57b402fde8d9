import random
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.tokens.token_strength import MAX_LENGTH, MIN_LENGTH, why_unusable, why_weak

printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


@pytest.mark.parametrize("alphabet", ["0123456789abcdef", string.digits, string.ascii_letters + string.digits + "-_"])
@pytest.mark.parametrize("length", [MIN_LENGTH, 43, 128])
def test_what_is_random_is_neither_weak_nor_unusable(alphabet: str, length: int) -> None:
    source = random.Random(length)
    for _ in range(300):
        token = "".join(source.choices(alphabet, k=length))
        assert (why_weak(token), why_unusable(token)) == (None, None), token


def test_what_lisa_generates_is_taken() -> None:
    assert why_weak(secrets.token_hex(64)) is None


@given(printable.filter(lambda token: len(token) < MIN_LENGTH))
def test_a_short_token_is_weak(token: str) -> None:
    assert str(len(token)) in (why_weak(token) or "")


@given(st.text(st.sampled_from("ab1-Z"), min_size=MIN_LENGTH))
def test_a_token_of_few_characters_is_weak(token: str) -> None:
    assert "different character" in (why_weak(token) or "")


@given(printable.filter(lambda piece: len(piece) < MIN_LENGTH // 2), st.integers(0, 20))
def test_a_piece_repeated_is_weak(piece: str, more: int) -> None:
    assert why_weak((piece * MIN_LENGTH)[: MIN_LENGTH + more]) is not None


@given(st.integers(0x21, 0x3F), st.sampled_from([1, -1]))
def test_a_count_is_weak(first: int, step: int) -> None:
    token = "".join(chr(first + at) for at in range(MIN_LENGTH))[::step]
    assert "counts" in (why_weak(token) or "")


@pytest.mark.parametrize(
    "token", ["changemechangemechangemechangeme", "passwordpasswordpassword12345678", "0" * 128, "YOUR_STRING_HERE"]
)
def test_what_people_type_to_fill_a_field_is_weak(token: str) -> None:
    assert why_weak(token) is not None


@given(printable.filter(lambda token: len(token) <= MAX_LENGTH))
def test_a_word_of_printable_ascii_can_be_sent(token: str) -> None:
    assert why_unusable(token) is None


@given(printable, st.text(st.characters(max_codepoint=0x20) | st.characters(min_codepoint=0x7F), min_size=1), printable)
def test_nothing_else_can(before: str, odd: str, after: str) -> None:
    assert why_unusable(before + odd + after) is not None


@pytest.mark.parametrize(
    ("token", "word"),
    [("", "empty"), ("Bearer 0f0f", "white space"), ("a\nb", "white space"), ("a\x00b", "control"), ("clé", "ASCII")],
)
def test_the_reason_is_said(token: str, word: str) -> None:
    assert word in (why_unusable(token) or "")
    assert "longer than 2,048" in (why_unusable("a" * (MAX_LENGTH + 1)) or "")

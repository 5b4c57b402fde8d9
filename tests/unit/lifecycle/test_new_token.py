"""Which token, and for how long: what is refused before anything is asked of AWS."""

import io
import sys
from typing import Any

import pytest

from janitor.errors import ConfigurationError
from janitor.lifecycle.new_token import choose_lifetime, compute_expiry, make_or_read_token
from janitor.settings.setting import Origin
from janitor.settings.token_add import LifetimeSettings, TokenSourceSettings
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY

NOW = 1_790_000_000
TEN_YEARS = 3_653 * DAY


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    ("life", "expires"),
    [
        ({"expires_in": 3600}, NOW + 3600),
        ({"expires_at": NOW + 1}, NOW + 1),
        ({"expires_in": TEN_YEARS}, NOW + TEN_YEARS),
        ({"expires_in": TEN_YEARS + 1, "yes": True}, NOW + TEN_YEARS + 1),
    ],
)
def test_a_life_ends_when_it_was_asked_to(life: dict[str, Any], expires: int, dialect: Dialect) -> None:
    assert compute_expiry(LifetimeSettings(**life), dialect, NOW) == expires


@pytest.mark.parametrize(
    ("life", "code", "word"),
    [
        ({"expires_in": 0}, "past", "just now"),
        ({"expires_at": NOW}, "past", "not in the future"),
        ({"expires_at": NOW - DAY}, "past", "24 hours ago"),
        ({"expires_in": TEN_YEARS + 1}, "too-far", "--yes"),
        ({"expires_at": 99_999_999_999}, "too-far", "more than ten years"),
        ({"expires_in": 99_999_999_999, "yes": True}, "too-far", "UNIX seconds"),
    ],
)
def test_a_life_that_is_over_or_without_end_is_refused(life: dict[str, Any], code: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word) as refused:
        compute_expiry(LifetimeSettings(**life), Dialect.CLASSIC, NOW)
    assert refused.value.code == code


def test_a_permanent_token_is_for_classic_tables() -> None:
    assert compute_expiry(LifetimeSettings(permanent=True), Dialect.CLASSIC, NOW) is None
    with pytest.raises(ConfigurationError, match="rejects a token without an expiry"):
        compute_expiry(LifetimeSettings(permanent=True), Dialect.HASHED, NOW)


def test_one_life_has_to_be_chosen_and_no_more() -> None:
    with pytest.raises(ConfigurationError, match="--expires-in, --expires-at, --permanent"):
        choose_lifetime(LifetimeSettings())
    with pytest.raises(ConfigurationError, match="JANITOR_EXPIRES_IN and JANITOR_PERMANENT contradict"):
        choose_lifetime(LifetimeSettings(expires_in=0, permanent=True))


def test_a_typed_life_beats_one_of_the_environment() -> None:
    typed, variable = Origin.FLAG, Origin.VARIABLE
    life = LifetimeSettings(expires_in=1, expires_at=2, origins={"expires_in": variable, "expires_at": typed})
    assert choose_lifetime(life) == "expires_at"
    both = LifetimeSettings(expires_in=1, expires_at=2, origins={"expires_in": typed, "expires_at": typed})
    with pytest.raises(ConfigurationError, match="--expires-in and --expires-at contradict"):
        choose_lifetime(both)


@pytest.mark.parametrize("length", [32, 33, 128, 2048])
def test_a_generated_token_is_as_long_as_asked_for_and_never_the_same(length: int) -> None:
    made = {make_or_read_token(TokenSourceSettings(length=length)) for _ in range(20)}
    assert len(made) == 20
    assert {len(token) for token in made} == {length}
    assert set("".join(made)) <= set("0123456789abcdef")


def test_a_length_is_for_a_generated_token_and_a_variable_that_says_one_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strong = "".join(f"{number:x}" for number in range(40))
    assert token_from(monkeypatch, strong, length=64, origins={"length": Origin.VARIABLE}) == strong
    with pytest.raises(ConfigurationError, match="--length is for a generated token"):
        token_from(monkeypatch, strong, length=64, origins={"length": Origin.FLAG})


def token_from(monkeypatch: pytest.MonkeyPatch, content: str, **settings: Any) -> str:
    """The token that this content of standard input makes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode()), encoding="utf-8"))
    return make_or_read_token(TokenSourceSettings(token_stdin=True, **settings))


@pytest.mark.parametrize(("content", "word"), [("changeme\n", "has 8 characters"), ("0" * 64, "1 different character")])
def test_a_weak_token_is_taken_only_where_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, content: str, word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word) as refused:
        token_from(monkeypatch, content)
    assert content.strip() not in str(refused.value)
    assert token_from(monkeypatch, content, allow_weak=True) == content.strip()


@pytest.mark.parametrize("content", ["", "\n", "two words, and more of them than one\n", "clé" * 20, "a\n\n"])
def test_what_no_header_carries_is_never_taken(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    with pytest.raises(ConfigurationError):
        token_from(monkeypatch, content, allow_weak=True)

import hashlib
import hmac
import re
import subprocess
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.redact import REDACTED, redacted_groups, redacted_texts, remove_keys, reveals_token
from tests.unit.rows import row

TOKEN = "0f" * 64
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
UUID = {"tokenUUID": {"S": "u"}}


def test_an_owner_finds_the_own_row_with_two_shell_commands() -> None:
    recipe = 'printf %s "$TOKEN" | sha256sum | cut -c1-12'
    said = subprocess.run(
        ["sh", "-c", recipe], env={"TOKEN": TOKEN, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    expected = said.stdout.decode().strip()
    assert compute_fingerprint(row({"token": {"S": TOKEN}}), Dialect.CLASSIC) == expected
    assert compute_fingerprint(row({"token": {"S": HASH}, **UUID}), Dialect.HASHED) == expected
    assert compute_fingerprint(row({"token": {"S": TOKEN}}), Dialect.HASHED) == expected


@given(st.text(min_size=1).filter(lambda key: len(key) != 64))
def test_a_key_that_is_no_hash_never_shows_its_beginning(key: str) -> None:
    for dialect in Dialect:
        mark = compute_fingerprint(row({"token": {"S": key}, **UUID}), dialect)
        assert mark == hashlib.sha256(key.encode()).hexdigest()[:12]


def test_a_legacy_key_that_looks_like_a_hash_is_hashed_all_the_same() -> None:
    assert (
        compute_fingerprint(row({"token": {"S": HASH}}), Dialect.HASHED)
        == hashlib.sha256(HASH.encode()).hexdigest()[:12]
    )


def test_a_secret_makes_it_an_hmac_of_the_same_hash_in_both_dialects() -> None:
    expected = hmac.new(b"secret", HASH.encode(), hashlib.sha256).hexdigest()[:12]
    assert compute_fingerprint(row({"token": {"S": TOKEN}}), Dialect.CLASSIC, b"secret") == expected
    assert compute_fingerprint(row({"token": {"S": HASH}, **UUID}), Dialect.HASHED, b"secret") == expected


@given(st.text(min_size=1).filter(lambda key: len(key) != 64), st.none() | st.binary(min_size=1))
def test_the_two_rows_of_a_token_have_one_fingerprint_and_two_names(token: str, fingerprint_key: bytes | None) -> None:
    key = hashlib.sha256(token.encode()).hexdigest()
    legacy, present = row({"token": {"S": token}}), row({"token": {"S": key}, **UUID})
    [mark] = {compute_fingerprint(each, Dialect.HASHED, fingerprint_key) for each in (legacy, present)}
    names = {make_row_name(each, mark, fingerprint_key) for each in (legacy, present)}
    assert len(names) == 2
    assert all(re.fullmatch(rf"{mark}-[0-9a-f]{{6}}", name) for name in names)
    assert not any(name[-6:] in digest for name in names for digest in (key, hashlib.sha256(key.encode()).hexdigest()))


def test_a_name_that_holds_the_token_is_not_shown() -> None:
    for name in (TOKEN, f"my {TOKEN} here", HASH):
        held = row({"token": {"S": HASH}, "name": {"S": name}, "username": {"S": "ana"}})
        assert redacted_texts(held) == (REDACTED, "ana", None, None)
    assert redacted_texts(row({"token": {"S": "k3y"}, "name": {"S": "has k3y in it"}})).name == REDACTED
    assert not reveals_token("a name like any other", HASH)


def test_a_group_that_holds_the_token_is_not_shown_and_only_texts_are_groups() -> None:
    def groups(value: object) -> tuple[str, ...] | None:
        return redacted_groups(row({"token": {"S": HASH}, "groups": value}))

    texts = ["users", f"for {TOKEN}", HASH, "n" * 3_000]
    assert groups({"L": [{"S": text} for text in texts]}) == ("users", REDACTED, REDACTED, "n" * 255 + "…")
    assert groups({"SS": ["b", "a"]}) == ("a", "b")
    assert groups({"L": []}) == groups({"NULL": True}) == redacted_groups(row({"token": {"S": HASH}})) == ()
    assert [groups(value) for value in ({"L": [{"N": "1"}]}, {"S": "users"}, {"NS": ["1"]})] == [None] * 3
    assert len(groups({"L": [{"S": f"group {number}"} for number in range(500)]}) or ()) == 100


WEAK = "hunter2-hunter2!"
WEAK_HASH = hashlib.sha256(WEAK.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        WEAK, f"key={WEAK}", f"({WEAK})", f"{WEAK},", f'"{WEAK}"', f"Bearer:{WEAK}", f"https://x/?api_key={WEAK}",
        f"the key ({WEAK}).", f"**{WEAK}**", f"a/b;{WEAK}", f"old, {WEAK}; new", f"`{WEAK}`",
    ],
)  # fmt: skip
def test_a_token_between_other_characters_is_found(text: str) -> None:
    assert reveals_token(text, WEAK_HASH)
    assert not reveals_token(text.replace(WEAK, "hunter3-hunter3!"), WEAK_HASH)


@given(
    before=st.text(max_size=200),
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=2_048),
    behind=st.text("a:/;=, .", max_size=5_000),
)
def test_a_token_that_people_would_see_is_found_in_a_text_of_any_length(before: str, token: str, behind: str) -> None:
    key = hashlib.sha256(token.encode()).hexdigest()
    assert reveals_token(f"{before} {token} {behind}", key)


@pytest.mark.parametrize("text", ["a:" * 150_000, ":;," * 100_000, "=" * 400_000, "a b:c " * 50_000])
def test_no_text_of_a_row_fills_the_memory(text: str) -> None:
    tracemalloc.start()
    try:
        shown = redacted_texts(row({"token": {"S": HASH}, "name": {"S": text}}))
        groups = redacted_groups(row({"token": {"S": HASH}, "groups": {"L": [{"S": text[:200_000]}] * 2}}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(shown.name or ""), len(groups or ())) == (256, 2)
    assert peak < 50 * 2**20


def test_a_group_is_the_token_of_one_row_and_a_name_to_the_other() -> None:
    for key, shown in ((HASH, WEAK), (WEAK_HASH, REDACTED), (HASH, WEAK)):
        assert redacted_groups(row({"token": {"S": key}, "groups": {"L": [{"S": WEAK}]}})) == (shown,)


@given(before=st.text(max_size=4), behind=st.text(max_size=4))
def test_what_looks_like_any_token_or_key_is_not_shown_in_whatever_row(before: str, behind: str) -> None:
    for secret in (TOKEN, HASH, HASH.upper()):
        assert reveals_token(f"{before}{secret}{behind}", "another key")


@pytest.mark.parametrize(
    "text", ["ana@example.com", "pipeline of 3f0c9a1b", "0b4e1c9e-8a59-4d61-9c26-5d0a3c7c9e11", ""]
)
def test_ordinary_texts_are_shown(text: str) -> None:
    assert not reveals_token(text, HASH)


def test_long_texts_are_cut_and_other_types_left_out() -> None:
    texts = redacted_texts(row({"token": {"S": HASH}, "name": {"S": "n" * 3_000}, "username": {"L": []}}))
    assert texts == ("n" * 255 + "…", None, None, None)


def test_a_servers_message_is_cleaned_of_keys() -> None:
    said = remove_keys(
        f"""bad key {{'token': {{'S': 'it"s mine'}}}} and "token": "abc" and {HASH} but not {HASH[:12]}"""
    )
    assert "mine" not in said
    assert "abc" not in said
    assert HASH not in said
    assert HASH[:12] in said

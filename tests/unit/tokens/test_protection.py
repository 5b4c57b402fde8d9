"""Who is protected: names in any form of Unicode, case kept; and which patterns fit nobody."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from janitor.tokens.protection import (
    UnusedPatterns,
    count_misread_patterns,
    find_matching_patterns,
    find_protection,
    longest_literal,
)
from janitor.tokens.row import Row
from janitor.tokens.user_name import list_spellings, matches_pattern, normalize_name
from tests.unit.rows import row

Form: TypeAlias = Literal["NFC", "NFD"]
FORMS: tuple[Form, Form] = ("NFC", "NFD")
# Letters that compose, marks that do, a sign that composes to an ASCII letter, and what a pattern means something by.
_letters = st.text(alphabet="aeK;` .@-ñé\u0301\u0323\u212aß*?[]!A", max_size=8)


def protects(pattern: str, name: str) -> bool:
    policy = Policy(dialect=Dialect.HASHED, protect_users=("somebody else", pattern))
    by = find_protection(row({"token": {"S": "k"}, "username": {"S": name}}), policy)
    assert by in (None, f"user:{pattern}")
    return by is not None


@pytest.mark.parametrize("of_row", FORMS)
@pytest.mark.parametrize("of_pattern", FORMS)
@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("José Núñez", "José Núñez"),
        ("Jos? *", "José Núñez"),
        ("[Éé]va*", "éva@x"),
        ("Å*", "\u212bngström"),
        ("K*", "\u212a1"),
    ],
)
def test_an_accent_protects_however_it_is_written(pattern: str, name: str, of_pattern: Form, of_row: Form) -> None:
    assert protects(unicodedata.normalize(of_pattern, pattern), unicodedata.normalize(of_row, name))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("ana", "Ana"),
        ("ANA", "ana"),
        ("José", "Jose"),
        ("ana,ben", "ana"),
        ("ana ben", "ana"),
        ("ana", "ana "),
        ("ﬁ", "fi"),
    ],
)
def test_case_counts_and_so_does_every_other_character(pattern: str, name: str) -> None:
    assert not protects(pattern, name)


@given(_letters, _letters)
def test_the_form_of_neither_matters(pattern: str, name: str) -> None:
    wanted = fnmatchcase(unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", pattern))
    assert {
        matches_pattern(unicodedata.normalize(of_name, name), unicodedata.normalize(of_pattern, pattern))
        for of_name in FORMS
        for of_pattern in FORMS
    } == {wanted}
    assert {normalize_name(spelling) for spelling in list_spellings(name)} == {normalize_name(name)}


@given(_letters, _letters, st.sampled_from(["*", "?", "", "*x*"]))
@example("caf", "e\u0301", "*")
@example("\u212a", "elvin", "")
def test_the_text_of_a_pattern_stands_in_every_name_that_it_fits(start: str, end: str, between: str) -> None:
    """What the server is asked for must let through every row that the pattern fits."""
    pattern = f"{start}{between}{end}"
    for name in (f"{start}abc{end}", f"{start}{end}", f"{start}z{end}", f"{start}axb{end}", start, end):
        for spelling in list_spellings(name):
            if matches_pattern(spelling, pattern):
                assert longest_literal(pattern) in spelling


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("svc-*", "svc-"), ("*@example.com", "@example.com"), ("John Doe", "John Doe"), ("*", ""), ("[ab]nna", ""),
        ("José Núñez", "Jos"), ("MiKe", "Mi"), ("a?bc*d", "bc"), ("é", ""), ("svc-[ab]*x", "svc-"),
    ],
)  # fmt: skip
def test_it_is_as_long_as_can_be(pattern: str, text: str) -> None:
    assert longest_literal(pattern) == text


def left_after(patterns: UnusedPatterns, *rows: Row) -> Sequence[str]:
    patterns.mark_used(find_matching_patterns(patterns.patterns, rows))
    return patterns.patterns


def test_patterns_are_left_that_fitted_no_owner_of_any_row() -> None:
    patterns, every = UnusedPatterns(["ana", "svc-*", "Ben", "cleo,dan", "ana"]), ("ana", "svc-*", "Ben", "cleo,dan")
    assert left_after(patterns) == every
    assert left_after(patterns, row({"token": {"S": "1"}}), row({"token": {"S": "2"}, "username": {"N": "7"}})) == every
    owned = [row({"token": {"S": "3"}, "username": {"S": name}}) for name in ("ana", "ben", "cleo", "svc-")]
    assert left_after(patterns, *owned) == ("Ben", "cleo,dan")
    assert UnusedPatterns().patterns == ()


def test_a_row_fits_several_patterns_though_one_protects_it() -> None:
    held = row({"token": {"S": "1"}, "username": {"S": "ana"}, "janitorHold": {"BOOL": True}})
    assert left_after(UnusedPatterns(["ana", "a*", "*"]), held) == ()


@pytest.mark.parametrize(
    ("pattern", "owner"),
    [
        ("ana,ben", "ben"), ("ana ben", "ana"), ("ana; svc-*", "svc-ci"), ("ana\tben", "ben"), ("- ana", "ana"),
        ("Ana", "ana"), ("ana", "ANA"), ("SVC-*", "svc-ci"), ("'ana'", "ana"), ('"Ana, Ben"', "ben"),
        ('["ana", "ben"]', "ben"), ("[ana]", "ana"), ("<a@b.org>", "a@b.org"), ("“ana”", "ana"),
        ("ana\uff0cben", "ben"),
        ("\ufeffana", "ana"), ("ana", " ana "), ("STRASSE", "straße"), ("doe, john", "Doe, John"),
        ("[Ss]VC-?", "svc-1"),
        ("svc-{ci,cd}", "svc-cd"), ("{ana,ben}", "ben"), ("ana|ben", "ben"),
        ("svc[prod]", "svc[prod]"), ("a?b[c]*", "a?b[c]*"), ("user:ana", "ana"), ("^ana$", "ana"), ("an.*", "anabel"),
        ("ana+Ben", "ben"), ("ana/ben", "ana"), ("ana:ben", "ben"), ("@ana", "ana"), ("!ana", "ana"),
        ("username=ana", "ana"), ("CORP/ana", "CORP\\ana"), ("CORP\\ana", "corp/ana"),
    ],
)  # fmt: skip
def test_a_pattern_that_was_clearly_meant_for_somebody_is_found(pattern: str, owner: str) -> None:
    assert not matches_pattern(owner, pattern)
    assert count_misread_patterns([pattern, "nobody"], [owner, owner, None, "somebody else"]) == {pattern: 2}


@pytest.mark.parametrize(
    ("pattern", "owner"),
    [
        ("svc-nightly", "svc-daily"), ("ana", "anabel"), ("José", "Jose"), ("svc *", "ana"), ("* *", "ana"),
        ("ana,", "ben"), ("*, ?", "x"), ("[A-Z]*", "ana"), ("[]", "ana"), ("''", ""), ("ana", ""),
    ],
)  # fmt: skip
def test_a_pattern_that_merely_fits_nobody_today_is_none_of_those(pattern: str, owner: str) -> None:
    assert count_misread_patterns([pattern], [owner]) == {}


_names = st.text(alphabet="abcXYZñß-@.", min_size=1, max_size=6).filter(lambda name: any(map(str.isalnum, name)))


@given(
    st.lists(_names, min_size=1, max_size=4),
    st.sampled_from([",", " ", ", ", ";", "\n", "\t", "; "]),
    st.sampled_from(["", "'", '"', "`"]),
    st.sampled_from(["", "[]", "()", "{}"]),
    st.sampled_from([str, str.upper, str.lower, str.swapcase]),
)
def test_however_names_are_written_together_each_of_them_is_found(
    names: list[str], between: str, quote: str, around: str, case: Callable[[str], str]
) -> None:
    pattern = around[:1] + between.join(f"{quote}{case(name)}{quote}" for name in names) + around[1:]
    assert count_misread_patterns([pattern], names) == {pattern: len(names)}


@given(_names, _names)
def test_whole_names_of_plain_patterns_are_compared(pattern: str, owner: str) -> None:
    # A mark before the name and another separator within it are among the differences that count.
    if _list_words(pattern) != _list_words(owner):
        assert count_misread_patterns([pattern], [owner]) == {}


def _list_words(name: str) -> list[str]:
    return re.findall(r"\w+", name.casefold())

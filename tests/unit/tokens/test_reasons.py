"""LISA's own code (tests/lisa.py) judges which rows make it fail."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.meaning import describe_row
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, find_list_faults, find_reasons
from tests.lisa import list_token, write_context
from tests.unit.rows import KEY, NOW, POLICIES, items, row, values

HASHED = POLICIES[Dialect.HASHED]
# What LISA writes; the list looks at these attributes alone.
WRITTEN: dict[str, dict[str, Any]] = {
    "token": {"S": KEY},
    "tokenUUID": {"S": "u"},
    "tokenExpiration": {"N": str(NOW + 60 * DAY)},
    "createdDate": {"N": str(NOW)},
    "createdBy": {"S": "ana"},
    "username": {"S": "ana"},
    "groups": {"L": [{"S": "a"}, {"S": "b"}]},
    "name": {"S": "n"},
    "isSystemToken": {"BOOL": False},
}
texts_like_numbers = st.one_of(
    st.from_regex(r"\s?[-+]?[0-9٣]{0,4}_?[0-9]{0,3}(\.[0-9]{0,2})?\s?", fullmatch=True),
    st.sampled_from(["1" * 4_300, "1" * 4_301, " 1", "1 ", "²"]),
)
truth_words = st.sampled_from(
    ["true", "FALSE", "oN", "off", "t", "y", "No", "1", "0", "2", " true", "", "\u0131", "\u017f"]
)
nested: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(values, st.just({"S": "a"})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: {"L": each}),
        st.dictionaries(st.sampled_from(["N", "S", "x"]), inner, max_size=2).map(lambda each: {"M": each}),
    ),
    max_leaves=6,
)
odd_attributes = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys([name for name in WRITTEN if name != "token"], values),
        "groups": nested,
        "createdDate": st.one_of(values, texts_like_numbers.map(lambda text: {"S": text})),
        "isSystemToken": st.one_of(
            values, truth_words.map(lambda text: {"S": text}), st.sampled_from(["0", "1", "1.0", "0E+3", "2"]).map(
                lambda number: {"N": number}
            ),
        ),
    },
)  # fmt: skip


def raises(call: Callable[[], object]) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001  # whatever it is, LISA fails
        return True
    return False


@example({"isSystemToken": {"S": "\u017f"}})
@example({"groups": {"M": {"N": {"S": "a group named like a type"}}}})
@given(odd_attributes)
def test_a_row_breaks_lisas_list_and_authorizer_where_lisas_own_code_fails(odd: dict[str, Any]) -> None:
    item = {**WRITTEN, **odd}
    reasons = find_reasons(row(item))
    # A name that LISA does not show is read by boto3 all the same: a number that boto3 cannot hold fails there.
    if not item["tokenUUID"].get("S") and "N" in item["name"]:
        return
    assert (BREAKS_LISA_LIST in reasons) == raises(lambda: list_token(item, NOW)), reasons
    if item["tokenUUID"].get("S"):
        assert (GROUPS_BREAK_AUTHORIZER in reasons) == raises(lambda: write_context({"groups": item["groups"]}))


@given(items)
def test_what_is_quickly_found_to_be_as_lisa_writes_it_has_no_faults(item: dict[str, Any]) -> None:
    read = row(item)
    assert bool(find_list_faults(read)) == (BREAKS_LISA_LIST in find_reasons(read))


# Kinds of rows: what they differ in from a row that LISA writes, and their reasons.
KINDS: dict[str, tuple[dict[str, dict[str, Any]], tuple[str, ...]]] = {
    "as LISA writes it": ({}, ()),
    "date as text": ({"tokenExpiration": {"S": "1790000000"}}, ("not-a-number", BREAKS_LISA_LIST)),
    "date as null": ({"tokenExpiration": {"NULL": True}}, ("not-a-number", BREAKS_LISA_LIST)),
    "date with a fraction": ({"tokenExpiration": {"N": "1799999999.5"}}, (BREAKS_LISA_LIST,)),
    "date in milliseconds": ({"tokenExpiration": {"N": "1790000000000"}}, ("looks-like-milliseconds",)),
    "groups as text": ({"groups": {"S": "a"}}, (BREAKS_LISA_LIST,)),
    "groups as a set": ({"groups": {"SS": ["a"]}}, (GROUPS_BREAK_AUTHORIZER,)),
    "groups with a number": ({"groups": {"L": [{"S": "a"}, {"N": "1"}]}}, (GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST)),
    "name as a number": ({"name": {"N": "1"}}, (BREAKS_LISA_LIST,)),
    "createdBy as a number": ({"createdBy": {"N": "1"}}, (BREAKS_LISA_LIST,)),
    "odd isSystemToken": ({"isSystemToken": {"S": "maybe"}}, (BREAKS_LISA_LIST,)),
    "no tokenUUID": ({"tokenUUID": {"S": ""}}, ("plain-text-key",)),
    "key in plain text": ({"token": {"S": "hunter2"}}, ("key-not-a-sha256", "plain-text-key")),
    "key in capitals": ({"token": {"S": KEY.upper()}}, ("key-not-a-sha256",)),
}  # fmt: skip


@pytest.mark.parametrize(("odd", "reasons"), KINDS.values(), ids=KINDS)
def test_each_kind_of_row_has_its_reasons_and_says_them_in_words(odd: dict[str, Any], reasons: tuple[str, ...]) -> None:
    read = row({**WRITTEN, **odd})
    verdict = classify(read, NOW, HASHED)
    assert verdict.reasons == reasons
    assert verdict.is_finding == bool(reasons)
    if BREAKS_LISA_LIST in reasons:
        assert f"breaks LISA's list of tokens for everybody: {next(iter(odd))} is " in describe_row(read, verdict, NOW)
    # Before 6.1 a key is the token, and nothing lists the table.
    assert classify(read, NOW, POLICIES[Dialect.CLASSIC]).reasons == tuple(
        reason for reason in reasons if verdict.state is State.MALFORMED and reason != BREAKS_LISA_LIST
    )


@pytest.mark.parametrize("key", ["hunter2", KEY.upper(), KEY[:-1], f"{KEY} ", f"{KEY[:-1]}é"])
def test_a_row_whose_key_no_hash_can_be_opens_workbench_alone(key: str) -> None:
    read = row({**WRITTEN, "token": {"S": key}})
    verdict = classify(read, NOW, HASHED)
    assert (verdict.state, verdict.accepted_by) == (State.LEGACY, ("workbench",))
    assert key not in describe_row(read, verdict, NOW)

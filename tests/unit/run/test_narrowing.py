"""`--user` and `--fingerprint` only ever take rows out of a plan, whatever the rows, the rules and the patterns."""

import copy
import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from janitor.readers.interface import Rules
from janitor.readers.judging import judge_page
from janitor.run.narrowing_remarks import build_narrowing_remarks
from janitor.settings.parsers import parse_fingerprint_pattern
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.lockout import UNLOCKS_OWNER
from janitor.tokens.narrowing import Narrowing
from janitor.tokens.policy import Policy
from tests.examples import examples
from tests.unit.rows import NOW, items, row
from tests.unit.run.test_flow import page
from tests.unit.run.test_unlocking import report_of

OWNERS = ("ana", "anton", "bob", "guarded", "")
users = st.lists(st.sampled_from(["ana", "an*", "?ob", "*", "[gb]*", "ANA", "nobody"]), min_size=1, max_size=2)
fingerprints = st.lists(
    st.sampled_from(["*", "0*", "[0-7]*", "*-*", "[!0-7]*", "?" * 12, "0" * 12]), min_size=1, max_size=2
)
narrowings = st.builds(
    Narrowing,
    users=st.one_of(st.just(()), users.map(tuple)),
    fingerprints=st.one_of(st.just(()), fingerprints.map(tuple)),
)


def aged(*days: int, uuids: Sequence[str] = ("u", "u", "u", "")) -> st.SearchStrategy[dict[str, Any]]:
    """LISA's own rows that expired so many days ago."""
    return st.builds(
        lambda past, uuid: {"tokenExpiration": {"N": str(NOW - past * DAY)}, "tokenUUID": {"S": uuid}},
        st.sampled_from(days),
        st.sampled_from(uuids),
    )


def owned(kinds: st.SearchStrategy[dict[str, Any]], owners: Sequence[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of these kinds and owners, with different keys."""
    return st.lists(st.tuples(kinds, st.sampled_from(owners)), min_size=1, max_size=6).map(
        lambda rows: [
            {
                **item,
                "token": {"S": hashlib.sha256(b"%d" % number).hexdigest()},
                **({"username": {"S": owner}} if owner else {}),
            }
            for number, (item, owner) in enumerate(rows)
        ]
    )


dated = aged(-1, 1, 5, 30, 99)
tables = owned(st.one_of(dated, dated, dated, items), OWNERS)
policies = st.builds(
    Policy,
    dialect=st.sampled_from([Dialect.HASHED, Dialect.HASHED, Dialect.CLASSIC]),
    grace=st.sampled_from([7 * DAY, 30 * DAY]),
    protect_users=st.sampled_from([(), ("guarded",)]),
    include_legacy=st.booleans(),
    include_undated=st.booleans(),
    has_workbench=st.booleans(),
    unlock_after=st.sampled_from([None, DAY]),
)


def names_of(item: dict[str, Any], policy: Policy, key: bytes | None) -> tuple[str, str]:
    fingerprint = compute_fingerprint(row(item), policy.dialect, key)
    return fingerprint, make_row_name(row(item), fingerprint, key)


@examples(100, nightly=1_000)
@given(rows=tables, policy=policies, narrowing=narrowings, key=st.sampled_from([None, b"secret"]))
def test_what_does_not_match_is_never_planned_and_what_matches_as_it_would_be(
    rows: list[dict[str, Any]], policy: Policy, narrowing: Narrowing, key: bytes | None
) -> None:
    rules = Rules(policy=policy, now=NOW, plans=True, fingerprint_key=key)
    before = copy.deepcopy(rows)
    whole = judge_page(page(*rows), rules)
    part = judge_page(page(*rows), structs.replace(rules, policy=structs.replace(policy, narrowing=narrowing)))
    matching = set()
    for item in before:
        owner = item.get("username", {}).get("S")
        is_of_user = owner is not None and any(fnmatchcase(owner, pattern) for pattern in narrowing.users)
        named = any(fnmatchcase(name, each) for name in names_of(item, policy, key) for each in narrowing.fingerprints)
        if (is_of_user or not narrowing.users) and (named or not narrowing.fingerprints):
            matching.add(item["token"]["S"])
    planned = {deletable.found.row.key.S for deletable in part.deletable}
    of_whole = {deletable.found.row.key.S: deletable for deletable in whole.deletable}
    assert planned == of_whole.keys() & matching
    # What is left out stays in its state, and is reported as any other row.
    left_out = [each for each in whole.deletable if each.found.row.key.S not in matching]
    ordinary = [each for each in left_out if UNLOCKS_OWNER not in each.found.verdict.reasons]
    # A protected row that does not match would stay in any case: it is left out, and not said to be protected.
    of_matching = judge_page(page(*(item for item in before if item["token"]["S"] in matching)), rules)
    assert part.tally.protected == of_matching.tally.protected
    assert part.tally.left_out == len(ordinary) + whole.tally.protected - part.tally.protected
    assert part.tally.by_state == whole.tally.by_state
    assert {found.row.key.S for found in part.found} == {found.row.key.S for found in whole.found} | {
        each.found.row.key.S for each in left_out
    }


@examples(100, nightly=1_000)
@given(rows=owned(aged(5, 99, uuids="u"), ("ana", "bob")), narrowing=narrowings)
def test_rows_go_early_only_if_all_that_keep_their_owner_out_match(
    rows: list[dict[str, Any]], narrowing: Narrowing
) -> None:
    policy = Policy(dialect=Dialect.HASHED, grace=30 * DAY, unlock_after=DAY, narrowing=narrowing)
    early = {finding.row_name for finding in report_of(rows, policy).findings if UNLOCKS_OWNER in finding.reasons}
    for owner in OWNERS:
        of_owner = [item for item in rows if owner and item.get("username") == {"S": owner}]
        names = [names_of(item, policy, None) for item in of_owner]
        if early & {row_name for _, row_name in names}:
            assert all(narrowing.includes(row(item), *name) for item, name in zip(of_owner, names, strict=True))


@given(rows=tables, narrowing=narrowings)
def test_a_pattern_that_matches_no_planned_row_is_named(rows: list[dict[str, Any]], narrowing: Narrowing) -> None:
    assume(narrowing)
    policy = Policy(dialect=Dialect.HASHED)
    named = [(row(item), *names_of(item, policy, None)) for item in rows]
    unmatched = narrowing.find_unmatched(iter(named))
    for pattern in narrowing.users:
        assert (pattern in unmatched.users) == (not any(Narrowing((pattern,)).includes(*each) for each in named))
    for pattern in narrowing.fingerprints:
        matches = any(Narrowing((), (pattern,)).includes(*each) for each in named)
        assert (pattern in unmatched.fingerprints) == (not matches)


@given(rows=tables, plan=narrowings, own=narrowings)
def test_a_part_of_a_limited_plan_has_only_rows_of_owners_that_both_name(
    rows: list[dict[str, Any]], plan: Narrowing, own: Narrowing
) -> None:
    policy = Policy(dialect=Dialect.HASHED)
    both = structs.replace(own, within=plan)
    for item in rows:
        named = (row(item), *names_of(item, policy, None))
        assert both.includes(*named) == (own.includes(*named) and Narrowing(plan.users).includes(*named))
    assert both.names_owners == bool(own.users or plan.users)


def test_the_remarks_show_a_few_patterns_and_no_key() -> None:
    assert not list(build_narrowing_remarks(Narrowing(), [], 3))
    key = "f" * 64
    narrowing = Narrowing((key, *(f"user-{number}" for number in range(9))), ("0" * 12,))
    left_out, unmatched = (remark.message for remark in build_narrowing_remarks(narrowing, [], 1))
    assert (
        "5 more and --fingerprint '000000000000' were planned; 1 more row that may be deleted was left out" in left_out
    )
    assert "match no planned row; check the spelling (case matters), and that --finger" in unmatched
    assert key not in left_out + unmatched


@pytest.mark.parametrize(
    "text", ["3F0C9a1b2d4e", "3f0c9a1b2d4e-7b21c0", "3f0c*", "*-7b21c0", "_748922512345", "[!0-7]*", "????*"]
)
def test_a_fingerprint_or_a_pattern_for_them(text: str) -> None:
    assert parse_fingerprint_pattern(text) == text.lower().removeprefix("_")


@pytest.mark.parametrize("text", ["", "3f0d9a", "sk-secret*", "f" * 64, "alice", "3f0d9a1b2d4e-7b"])
def test_what_no_fingerprint_matches_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="3f0c") as caught:
        parse_fingerprint_pattern(text)
    assert not text or text not in str(caught.value)

"""Why a sweep deletes a row, in a few words."""

from typing import Any

import pytest
from msgspec import structs

from janitor.report.build import build_finding
from janitor.tokens.classify import classify
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.lockout import judge_early
from janitor.tokens.meaning import explain_deletion
from janitor.tokens.policy import Policy
from tests.tables import Item, legacy, modern
from tests.unit.rows import NOW, row

POLICY = Policy(dialect=Dialect.HASHED, include_legacy=True, include_undated=True, has_workbench=False)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (modern("stale", NOW - 22 * DAY), "expired 22 days ago, grace 7 days"),
        (legacy("old", NOW - 22 * DAY), "legacy, dead since 2026-08-30"),
        (modern("undated", None, createdDate=NOW - 400 * DAY), "undated, made 400 days ago"),
        (modern("fresh", None, createdDate=NOW - DAY), None),
        (modern("expired", NOW - DAY), None),
        (modern("active", NOW + 400 * DAY), None),
        (legacy("living", NOW + DAY), None),
        (modern("broken", {"S": "soon"}), None),
    ],
)
def test_each_row_that_may_go_has_its_reason_and_no_other_has_one(item: Item, why: str | None) -> None:
    one = row(item)
    assert explain_deletion(one, classify(one, NOW, POLICY), NOW, POLICY, is_planned=False) == why


def test_a_row_that_goes_early_unlocks_its_owner() -> None:
    policy = structs.replace(POLICY, unlock_after=3_600)
    one = row(modern("early", NOW - 3 * 3_600, username="ana"))
    early = judge_early(one, NOW, policy)
    assert early is not None
    assert explain_deletion(one, early, NOW, policy, is_planned=True) == "expired 3 hours ago, unlocks its owner"


def test_a_finding_says_why_where_it_is_planned_or_protected() -> None:
    def why_of(item: Item, **parts: Any) -> str | None:
        one = row(item)
        verdict = classify(one, NOW, POLICY)
        return build_finding(one, verdict, now=NOW, policy=POLICY, fingerprint_key=None, **parts).why

    stale = modern("stale", NOW - 22 * DAY)
    reason = "expired 22 days ago, grace 7 days"
    assert why_of(stale) is None
    assert why_of(stale, outcome=DeletionOutcome.PLANNED) == reason
    assert why_of({**stale, "janitorHold": {"BOOL": True}}) == reason
    # Protected, but it would stay all the same.
    assert why_of(modern("active", NOW + DAY, janitorHold=True)) is None

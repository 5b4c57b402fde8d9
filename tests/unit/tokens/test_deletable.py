import pytest

from janitor.tokens.classify import classify, is_deletable
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.policy import Policy
from tests.unit.rows import NOW, dated

GRACE = 7 * DAY
# Seconds by which the expiry is past, and whether a sweep may take the row.
BORDERS = {"accepted": (-1, False), "expired": (0, False), "in its grace": (GRACE - 1, False), "over": (GRACE, True)}
KINDS = {"dated": {"S": "u"}, "legacy": {"S": ""}}


@pytest.mark.parametrize(("past", "may_go"), BORDERS.values(), ids=BORDERS)
@pytest.mark.parametrize("uuid", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_row_may_go_once_its_grace_is_over_and_not_before(
    past: int, uuid: dict[str, str], dialect: Dialect, *, may_go: bool
) -> None:
    policy = Policy(dialect=dialect, grace=GRACE, include_legacy=True)
    row = dated(str(NOW - past), tokenUUID=uuid)
    assert is_deletable(classify(row, NOW, policy), NOW, policy) is may_go


def test_a_legacy_row_goes_only_where_that_was_asked_for() -> None:
    policy = Policy(dialect=Dialect.HASHED, grace=GRACE)
    row = dated(str(NOW - 100 * GRACE), tokenUUID={"S": ""})
    assert not is_deletable(classify(row, NOW, policy), NOW, policy)

import pytest

from janitor.run.guards import LEAST_ROWS_FOR_A_SHARE, Limits, Situation, refusals
from janitor.run.plan import Population

LIMITS = Limits(max_deletes=1_000, max_delete_percent=50.0, max_clock_skew=60)
SHARE, ALL_DATED = "max-delete-percent", "all-dated-rows"


def refused(planned: int, scanned: int, dated: int, protected: int = 0) -> list[str]:
    """The guards that refuse to delete so many rows of a table."""
    situation = Situation(
        planned=planned,
        protected=protected,
        population=Population(scanned=scanned, dated=dated, complete=True),
        skew_seconds=0,
        as_of=False,
        lease_problem=None,
        archive_problem=None,
    )
    return [remark.code for remark in refusals(situation, LIMITS)]


@pytest.mark.parametrize(
    ("planned", "scanned", "dated", "guards"),
    [
        # From twenty rows on a share means something.
        (11, 20, 20, [SHARE]),
        (10, 20, 20, []),
        (10, 20, 10, [ALL_DATED]),
        (9, 20, 10, []),
        (20, 20, 20, [SHARE, ALL_DATED]),
        (19, 19, 19, []),
        (51, 100, 100, [SHARE]),
        (50, 100, 51, []),
    ],
)
def test_the_guards_of_shares_hold_from_twenty_rows_on(
    planned: int, scanned: int, dated: int, guards: list[str]
) -> None:
    assert LEAST_ROWS_FOR_A_SHARE == 20
    assert refused(planned, scanned, dated) == guards


@pytest.mark.parametrize(("protected", "guards"), [(3, [ALL_DATED]), (2, [])])
def test_a_protected_row_is_one_of_those_whose_date_is_over(protected: int, guards: list[str]) -> None:
    assert refused(7, 30, 10, protected=protected) == guards

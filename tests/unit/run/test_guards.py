import dataclasses

import pytest

from janitor.archive.plan import ScanFacts
from janitor.run.guards import LEAST_ROWS_FOR_A_SHARE, DeletionLimits, GuardedPlan, check_guards, list_refusals

LIMITS = DeletionLimits(max_deletes=1_000, max_delete_percent=50.0, max_clock_skew=60)
SHARE, ALL_DATED = "max-delete-percent", "all-dated-rows"


def refused(planned: int, scanned: int, dated: int, protected: int = 0) -> list[str]:
    """The guards that refuse to delete so many rows of a table."""
    situation = GuardedPlan(
        planned=planned,
        protected=protected,
        scan_facts=ScanFacts(scanned=scanned, dated=dated, complete=True),
        skew_seconds=0,
        is_as_of_given=False,
        lease_problem=None,
        archive_problem=None,
    )
    return [remark.code for remark in list_refusals(check_guards(situation, LIMITS))]


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


def test_a_pattern_that_would_fit_if_it_were_read_otherwise_keeps_every_row() -> None:
    def refused_for(misread: dict[str, int], planned: int = 3) -> list[str]:
        situation = GuardedPlan(
            planned=planned,
            protected=0,
            scan_facts=ScanFacts(scanned=9, dated=9, complete=True),
            skew_seconds=0,
            is_as_of_given=False,
            lease_problem=None,
            archive_problem=None,
            misread=misread,
        )
        return [f"{remark.code}: {remark.message}" for remark in list_refusals(check_guards(situation, LIMITS))]

    assert refused_for({}) == []
    assert refused_for({"ana,ben": 2}, planned=0) == []
    [one] = refused_for({"ana,ben": 1})
    assert one.startswith("protection: refused to delete: --protect-user 'ana,ben' (1 planned row) matches no owner")
    assert "its own --protect-user" in one
    assert "remove patterns" in one
    [many] = refused_for({f"Ana-{number}": number for number in range(1, 8)})
    assert "'Ana-7'" not in many
    assert "'Ana-1'" in many
    assert "2 more" in many
    [secret] = refused_for({"ab" * 64: 1})
    assert "ab" * 32 not in secret


def test_each_guard_has_its_figure_its_limit_and_a_verdict() -> None:
    plan = GuardedPlan(
        planned=36,
        protected=1,
        scan_facts=ScanFacts(scanned=317, dated=313, complete=True),
        skew_seconds=-90,
        is_as_of_given=False,
        lease_problem=None,
        archive_problem=None,
        unchecked=["lease"],
    )
    guards = {guard.name: guard for guard in check_guards(plan, LIMITS)}
    said = {name: (guard.figure, guard.limit, guard.passed) for name, guard in guards.items()}
    assert said == {
        "clock": ("90 seconds off", "at most 60 seconds", False),
        "as-of": ("the present", "the present", True),
        "unfinished-scan": ("317 rows read", "the whole table", True),
        "max-deletes": ("36 rows", "at most 1,000", True),
        "max-delete-percent": ("11.4 percent", "at most 50 percent", True),
        "all-dated-rows": ("37 of 313 dated rows", "not all of them", True),
        "protection": ("no misspelt pattern", "none", True),
        "lease": ("unknown", "one run at a time", None),
        "archive": ("can be written", "writable", True),
    }
    assert [name for name, guard in guards.items() if guard.message is not None] == ["clock"]
    # Nothing is planned: nothing is refused, whatever the clock says.
    nothing = check_guards(dataclasses.replace(plan, planned=0, protected=0), LIMITS)
    assert {guard.passed for guard in nothing} == {None}
    # Consent is asked for last, and only if nothing else refuses.
    unasked = dataclasses.replace(plan, consent_problem="no terminal")
    assert [each.code for each in list_refusals(check_guards(unasked, LIMITS))] == ["clock"]
    assert [
        each.code for each in list_refusals(check_guards(dataclasses.replace(unasked, skew_seconds=0), LIMITS))
    ] == ["not-confirmed"]

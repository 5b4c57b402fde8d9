import dataclasses

import pytest

from janitor.archive.plan import ScanFacts
from janitor.run.guards import (
    LEAST_ROWS_FOR_A_SHARE,
    DeletionLimits,
    GuardedPlan,
    check_guards,
    list_refusals,
    refuse_unconfirmed,
    refuse_unwritable,
)

LIMITS = DeletionLimits(max_deletes=1_000, max_delete_percent=50.0, max_clock_skew=60)
SHARE, ALL_DATED = "max-delete-percent", "all-dated-rows"


def refused(planned: int, scanned: int, dated: int, withheld: int = 0) -> list[str]:
    """The guards that refuse to delete so many rows of a table."""
    situation = GuardedPlan(
        planned=planned,
        scan_facts=ScanFacts(scanned=scanned, dated=dated, complete=True, withheld=withheld),
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


@pytest.mark.parametrize(("withheld", "guards"), [(3, [ALL_DATED]), (2, [])])
def test_a_row_that_is_withheld_is_one_of_those_whose_date_is_over(withheld: int, guards: list[str]) -> None:
    assert refused(7, 30, 10, withheld=withheld) == guards


def test_a_pattern_that_would_fit_if_it_were_read_otherwise_keeps_every_row() -> None:
    def refused_for(misread: dict[str, int], planned: int = 3) -> list[str]:
        situation = GuardedPlan(
            planned=planned,
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
        scan_facts=ScanFacts(scanned=317, dated=313, complete=True, withheld=1),
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
        "lease": ("no --state-url", "one run at a time", None),
        "archive": ("can be written", "writable", True),
    }
    assert [name for name, guard in guards.items() if guard.message is not None] == ["clock"]
    # Nothing is planned: nothing is refused, whatever the clock says.
    nothing = check_guards(dataclasses.replace(plan, planned=0), LIMITS)
    assert {guard.passed for guard in nothing} == {None}
    # Consent is asked for last, and only if nothing else refuses.
    unasked = dataclasses.replace(plan, consent_problem="no terminal")
    assert [each.code for each in list_refusals(check_guards(unasked, LIMITS))] == ["clock"]
    assert [
        each.code for each in list_refusals(check_guards(dataclasses.replace(unasked, skew_seconds=0), LIMITS))
    ] == ["not-confirmed"]
    # Of a plan that was cut off nobody knows how much of the table was read, or how many rows have a date.
    cut_off = dataclasses.replace(plan, scan_facts=None, skew_seconds=0)
    verdicts = {guard.name: (guard.figure, guard.passed) for guard in check_guards(cut_off, LIMITS)}
    assert [verdicts[name] for name in ("unfinished-scan", SHARE, ALL_DATED)] == [
        ("unknown", None),
        ("unknown", False),
        ("unknown", None),
    ]


def test_what_happens_after_the_guards_changes_their_verdicts() -> None:
    plan = GuardedPlan(
        planned=3,
        scan_facts=ScanFacts(scanned=30, dated=30, complete=True),
        skew_seconds=0,
        is_as_of_given=False,
        lease_problem=None,
        archive_problem=None,
    )
    guards = check_guards(plan, LIMITS)
    assert not list(list_refusals(guards))
    unwritable = refuse_unwritable(guards, "there is no bucket; check its name")
    assert [each.name for each in unwritable] == [each.name for each in guards]
    assert [(each.name, each.figure) for each in unwritable if not each.passed] == [("archive", "cannot be written")]
    assert [each.message for each in list_refusals(unwritable)] == [
        "refused to delete: there is no bucket; check its name, or give --no-archive"
    ]
    unconfirmed = refuse_unconfirmed(guards)
    assert unconfirmed[:-1] == guards
    assert [each.code for each in list_refusals(unconfirmed)] == ["not-confirmed"]

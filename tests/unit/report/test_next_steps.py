"""What a report says to do next fits what is in it."""

import pytest

from janitor.report.model import ListingPart, Report
from janitor.report.next_steps import list_steps
from janitor.tokens.classify import State
from janitor.tokens.duration import DAY
from tests.html_reports import NOW, found, report_of
from tests.reports import changed
from tests.tables import modern

STALE = modern("a", NOW - 20 * DAY, username="ana")
HELD = modern("b", NOW - 20 * DAY, username="bob", janitorHold=True)
EXPIRING = modern("c", NOW + DAY, username="cem")


def advice_of(report: Report) -> str:
    return "\n".join(step.advice for step in list_steps(report))


def test_only_rows_that_a_sweep_takes_are_to_be_planned() -> None:
    assert "1 row is past the grace" in advice_of(report_of(map(found, (STALE, HELD))))
    assert "past the grace" not in advice_of(report_of([found(HELD)]))


def test_protected_rows_count_among_those_past_the_grace_where_not_all_are_listed() -> None:
    whole = report_of(map(found, (STALE, HELD)))
    for listed in ([each for each in whole.findings if each.protected_by], []):
        report = changed(whole, findings=listed, findings_omitted=2 - len(listed))
        assert "2 rows are past the grace, protected ones included. Plan the deletes" in advice_of(report)
    elsewhere = changed(whole, findings_omitted=3)
    assert "1 row is past the grace. Plan the deletes" in advice_of(elsewhere)


@pytest.mark.parametrize(("states", "is_told"), [([], True), ([State.EXPIRING], True), ([State.EXPIRED], False)])
def test_a_listing_of_other_states_does_not_speak_of_what_expires_next(states: list[State], *, is_told: bool) -> None:
    listing = ListingPart(only_findings=False, states=states, users=[], names=[], groups=[], sort=None, chosen=1)
    report = changed(report_of([found(EXPIRING)]), listing=listing)
    assert ("that expire next" in advice_of(report)) == is_told

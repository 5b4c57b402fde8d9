import pytest
from msgspec import structs

from janitor.report.reason_remarks import build_reason_remarks, list_advice
from janitor.tokens.duration import DAY
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from tests.html_reports import found
from tests.tables import Item, legacy, modern
from tests.unit.rows import NOW

ODD = [found(modern(f"odd-{number}", NOW + 60 * DAY, name=number)) for number in range(5)]
EVERY_REASON = (PLAIN_TEXT_KEY, KEY_NOT_A_SHA256, GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST)


def test_a_warning_counts_its_rows_names_a_few_and_says_what_to_do() -> None:
    [remark] = build_reason_remarks({BREAKS_LISA_LIST: 1_234, "not-a-number": 7}, ODD, is_exact=True)
    assert remark.code == BREAKS_LISA_LIST
    few = ", ".join(finding.fingerprint for finding in ODD[:3])
    assert remark.message == (
        f"1,234 rows on which LISA's list of tokens fails for everybody: {few} and 1,231 more; correct the attribute "
        "that the finding names (a date with `janitor token extend`), or let `janitor token rotate FINGERPRINT` make a "
        "successor of an accepted token, then remove the old row with `janitor token remove`"
    )


def test_no_advice_has_an_owner_make_a_token_while_the_row_stands() -> None:
    advice = dict(list_advice(structs.replace(ODD[0], reasons=EVERY_REASON), "ab12-cd"))
    for reason in (PLAIN_TEXT_KEY, KEY_NOT_A_SHA256):
        assert advice[reason].index("token remove ab12-cd") < advice[reason].index("new token"), reason
    for reason in (GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST):
        assert advice[reason].index("token rotate ab12-cd") < advice[reason].index("token remove"), reason


@pytest.mark.parametrize(
    ("row", "goes_by_sweep"),
    [
        (legacy("dead", NOW - DAY), True),
        (legacy("alive", NOW + DAY), False),
        (legacy("undated", None), False),
        (legacy("broken", {"S": "soon"}), False),
        (legacy("held", NOW - DAY, janitorHold=True), False),
    ],
)
def test_a_sweep_is_advised_only_for_rows_that_it_takes(row: Item, *, goes_by_sweep: bool) -> None:
    finding = found(row)
    advice = dict(list_advice(finding, "ab12"))[PLAIN_TEXT_KEY]
    assert ("janitor sweep --include legacy --plan FILE" in advice) == goes_by_sweep
    assert "janitor token remove ab12" in advice
    [warning] = build_reason_remarks({PLAIN_TEXT_KEY: 1}, [finding], is_exact=True)
    assert ("sweep --include legacy" in warning.message) == goes_by_sweep
    # Of rows that the report does not list, nobody knows.
    [warning] = build_reason_remarks({PLAIN_TEXT_KEY: 2}, [finding], is_exact=True)
    assert "(past date and grace: or `janitor sweep --include legacy" in warning.message


def test_rows_that_the_report_does_not_list_are_only_counted_and_no_digest_cuts_the_advice() -> None:
    [remark] = build_reason_remarks({PLAIN_TEXT_KEY: 1}, ODD, is_exact=False)
    assert remark.message.startswith("at least 1 row with a key in plain text, where lisa-sdk leaves LISA's ")
    everything = [structs.replace(each, reasons=EVERY_REASON) for each in ODD]
    whole = build_reason_remarks(dict.fromkeys(EVERY_REASON, 10**9), everything, is_exact=False)
    assert max(len(each.message) for each in whole) + len("prod-LISAApiBaseTokenTable: ") < 500

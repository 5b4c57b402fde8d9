from msgspec import structs

from janitor.report.reason_remarks import ADVICE, build_reason_remarks
from janitor.tokens.duration import DAY
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from tests.html_reports import found
from tests.tables import modern
from tests.unit.rows import NOW

ODD = [found(modern(f"odd-{number}", NOW + 60 * DAY, name=number)) for number in range(5)]


def test_a_warning_counts_its_rows_names_a_few_and_says_what_to_do() -> None:
    [remark] = build_reason_remarks({BREAKS_LISA_LIST: 1_234, "not-a-number": 7}, ODD)
    assert remark.code == BREAKS_LISA_LIST
    few = ", ".join(finding.fingerprint for finding in ODD[:3])
    assert remark.message == (
        f"1,234 rows on which LISA's list of tokens fails for everybody: {few} and 1,231 more; correct the attribute "
        "that the finding names (a date with `janitor token extend`), or let `janitor token rotate FINGERPRINT` make a "
        "successor of an accepted token, then remove the old row with `janitor token remove`"
    )


def test_no_advice_has_an_owner_make_a_token_while_the_row_stands() -> None:
    for reason in (PLAIN_TEXT_KEY, KEY_NOT_A_SHA256):
        advice = ADVICE[reason]
        assert advice.index("token remove FINGERPRINT") < advice.index("new token"), reason
    for reason in (GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST):
        assert ADVICE[reason].index("token rotate FINGERPRINT") < ADVICE[reason].index("token remove"), reason


def test_rows_that_the_report_does_not_list_are_only_counted_and_no_digest_cuts_the_advice() -> None:
    [remark] = build_reason_remarks({PLAIN_TEXT_KEY: 1}, ODD)
    assert remark.message.startswith("1 row with a key in plain text, where lisa-sdk leaves LISA's management key, ")
    everything = [structs.replace(each, reasons=tuple(ADVICE)) for each in ODD]
    whole = build_reason_remarks(dict.fromkeys(ADVICE, 10**9), everything)
    assert max(len(each.message) for each in whole) + len("prod-LISAApiBaseTokenTable: ") < 500

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.notices.digest_content import DigestContent, build_digest_content, is_news
from janitor.notices.digest_parts import split_digest
from janitor.notices.digest_text import OPENING_LINES
from janitor.notices.notice import Event, Notice, notice_urgency
from janitor.notices.text_wrapping import WIDTH, display_width
from janitor.notices.today import Today, find_today
from janitor.report.changes import Change, ChangedToken
from janitor.report.model import Deletion, LockedOutOwner, LockingRow, Outcome
from janitor.tokens.classify import State
from janitor.tokens.lockout import Remedy
from tests.examples import examples
from tests.html_reports import report_of
from tests.unit.notices.notices import CHANGES as CHANGE_KINDS
from tests.unit.notices.notices import DAY, digest, named, notice, sorted_notices, texts

STATES = ("expiring", "expired", "stale", "permanent", "malformed", "legacy")
TITLES = {
    "To do today",
    "Rows",
    "Due, by owner, most urgent first",
    "Deleted by this run, by owner, with when they had expired",
    "Changed since the last run",
    "Locked out",
    "Warnings",
    "What to do next",
}
CHANGES = {"extended": Change(3, [ChangedToken("0" * 12, "ada", "ci", None, None)]), "gone": Change(0)}


def email(content: DigestContent) -> str:
    (part,) = split_digest(content)
    return str(json.loads(part.message.body)["email"])


def test_a_digest_opens_with_today_and_ends_with_every_token_by_owner() -> None:
    notices = [
        notice(1, seconds_to_expiry=5 * 3_600),
        notice(2, username="bob", name=None),
        notice(3, seconds_to_expiry=6 * DAY, name="nightly export to the warehouse", system=True),
        notice(4, username=None, seconds_to_expiry=-7_200),
        notice(5, username="bob", seconds_to_expiry=-40 * DAY, event=Event.DELETED),
    ]
    assert email(digest(*notices)) == (
        "The scan of prod-LISAApiBaseTokenTable in us-east-1 of account\n"
        "123456789012, started 2026-09-21T14:13:20Z, is complete.\n"
        "\n"
        "To do today\n"
        "-----------\n"
        "  - 1 token expires within 1 day; renew it now:\n"
        "      in 5 hours: 000000000001, ada@example.com, ci pipeline\n"
        "  - 1 token has expired: replace it wherever it is still used.\n"
        "\n"
        "Rows\n"
        "----\n"
        "  scanned        12,345\n"
        "  active         12,340\n"
        "  expiring            5\n"
        "\n"
        "What to do next\n"
        "---------------\n"
        "  - Tokens that are about to expire: have them renewed or replaced\n"
        "    before they expire. From that second on LISA rejects them.\n"
        "\n"
        "Due, by owner, most urgent first\n"
        "--------------------------------\n"
        "\n"
        "  ada@example.com\n"
        "    in 5 hours       2026-09-21 19:13 UTC  000000000001  ci pipeline\n"
        "    in 6 days        2026-09-27 14:13 UTC  000000000003\n"
        "        nightly export to the warehouse (system token)\n"
        "\n"
        "  bob\n"
        "    in 3 days        2026-09-24 14:13 UTC  000000000002  -\n"
        "\n"
        "  (no owner)\n"
        "    2 hours ago      2026-09-21 12:13 UTC  000000000004  ci pipeline\n"
        "\n"
        "Deleted by this run, by owner, with when they had expired\n"
        "---------------------------------------------------------\n"
        "\n"
        "  bob\n"
        "    40 days ago      2026-08-12 14:13 UTC  000000000005  ci pipeline\n"
    )


def test_what_failed_stands_before_everything_else() -> None:
    deletion = Deletion(enabled=True, planned=9, deleted=4, failed=2, changed=1, already_gone=1)
    failed = digest(notice(), outcome=Outcome.FAILED, errors=("access was denied",), deletion=deletion)
    said = email(failed)
    assert said.index("FAILED") < said.index("2 rows could not be deleted.") < said.index("- access was denied.")
    assert said.index("- access was denied.") < said.index("\nRows\n")
    outcomes = "1 had changed and stay, 1 were gone already, 2 failed, 1 were not touched"
    assert f"Deleted 4 of 9 rows that were planned; {outcomes}." in " ".join(said.split())
    assert said.index("- access was denied.") < said.index("ci pipeline")
    assert "Run janitor again" in said


def test_what_is_only_counted_and_what_is_over_are_said() -> None:
    said = email(digest(notice(), long_expired=1_300, recovered_from="a guard\nrefused"))
    assert "1,300 tokens had expired for longer than the grace, and are not listed" in said
    assert said.index("It has recovered. What was wrong before: a guard\\nrefused.") < said.index("\nRows\n")


def test_what_changed_who_is_locked_out_and_which_days_are_crowded_stand_before_the_tokens() -> None:
    content = digest(
        notice(),
        changes=CHANGES,
        locked_out=("eve", "mal"),
        lockout_states=("expired", "malformed"),
        ways_out=("rows: `sweep`", "others"),
        unusual_days=(("2026-10-01", 1_412),),
        warnings=("hm",),
    )
    said = email(content)
    places = [
        "extended", "and 2 more", "- eve (expired)\n", "- mal (malformed)\n",
        "  To let them in again, remove:\n  - rows: `sweep`.\n  - others.\n",
        "1,412 tokens expire on one day, 2026-10-01.", "hm.", "ci pipeline",
    ]  # fmt: skip
    assert sorted(places, key=said.index) == places
    assert "deleted by somebody else" not in said


def test_a_token_that_was_not_looked_up_is_not_called_gone() -> None:
    said = email(digest(changes={"gone": Change(1), "vanished": Change(2)}))
    assert "  deleted by somebody else               1\n  gone, or extended far ahead            2\n" in said


def test_a_dry_run_a_refusal_and_rows_that_stay_are_said() -> None:
    assert "Dry run, nothing was deleted: 1 row would be." in email(digest(deletion=Deletion(planned=1)))
    kept = Deletion(enabled=True, planned=3, waiting=1, protected=2)
    said = email(digest(deletion=kept, outcome=Outcome.REFUSED))
    assert "a guard\nREFUSED to delete" in said
    assert "Nothing was deleted, of 3 rows that were planned." in said
    assert "1 stale token waits until its owner has had notice long enough." in said
    assert "2 more rows would be deleted if not protected." in said


def test_places_stand_unbroken_on_lines_of_their_own() -> None:
    pointer, restore = f"s3://bucket/{'x' * 90}.json", f"janitor restore /var/{'y' * 90}.ndjson.gz --all"
    swept = Deletion(enabled=True, archive="/var/y", restore_command=restore)
    said = email(digest(full_report_location=pointer, deletion=swept, restore_commands=(restore,))).splitlines()
    assert f"  {pointer}" in said
    assert f"  {restore}" in said
    assert said.count("  To undo it:") == 1


def test_of_several_tables_each_says_how_its_turn_ended_and_how_to_undo_it() -> None:
    step = "dev-Tokens: at least 1 row has no date"
    locking = LockingRow(row_name="r", state=State.EXPIRED, remedy=Remedy.UNLOCK_AFTER)
    owners = [LockedOutOwner(username="bob", rows=[locking], table=f"{name}-Tokens") for name in ("prod", "dev")]
    states = build_digest_content(structs.replace(report_of([]), lockouts=owners), (), None).lockout_states
    tables = tuple(
        digest(table=name, command="sweep", restore_commands=(f"janitor restore {name}",))
        for name in ("prod-Tokens", "dev-Tokens")
    )
    commands = tuple(f"janitor restore {table.table}" for table in tables)
    content = digest(table="2 tables", tables=tables, restore_commands=commands, reason_steps=(step,))
    content = dataclasses.replace(content, locked_out=("bob", "bob"), lockout_states=states)
    said = email(content)
    assert said.count("  In us-east-1, account 123456789012, the sweep is complete.\n") == 2
    assert [said.count(f"  To undo it:\n  {command}\n") for command in commands] == [1, 1]
    assert "  - bob (expired, in prod-Tokens)\n  - bob (expired, in dev-Tokens)\n" in said
    # A table is called by its name.
    assert f"  - {step}.\n" in said


def test_long_lists_are_counted_where_they_are_not_named() -> None:
    said = email(digest(locked_out=tuple(f"owner-{number}" for number in range(200_000))))
    assert "LISA does not let 200,000 owners create a token" in said
    assert "- and 199,990 more\n" in said


@examples(40, nightly=400)
@given(sorted_notices(12), st.lists(texts, max_size=4), texts)
def test_no_text_of_a_table_breaks_the_layout(notices: list[Notice], hostile: list[str], table: str) -> None:
    change = Change(9, [named(text) for text in hostile])
    content = digest(
        *notices,
        table=table,
        changes={"vanished": change},
        locked_out=tuple(hostile),
        errors=tuple(hostile),
        warnings=tuple(hostile),
    )
    said = email(content).splitlines()
    assert all(display_width(line) <= WIDTH and line.isprintable() for line in said)
    below_headline = said[said.index("") :]
    assert {line for line in below_headline if line and line[0] not in " -"} <= TITLES


def test_owners_come_in_the_order_of_their_most_urgent_token() -> None:
    notices = [
        notice(number, username=username, seconds_to_expiry=hours * 3_600)
        for number, (username, hours) in enumerate([("late", 50), ("soon", 2), ("late", 60), ("next", 3), ("soon", 99)])
    ]
    said = email(digest(*sorted(notices, key=notice_urgency)))
    assert said.index("\n  soon\n") < said.index("\n  next\n") < said.index("\n  late\n")
    assert said.count("\n  soon\n") == said.count("\n  late\n") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"notices": (notice(),)},
        {"outcome": Outcome.SKIPPED},
        {"errors": ("a sink failed",)},
        {"changes": CHANGES},
        {"deletion": Deletion(deleted=1)},
        {"deletion": Deletion(changed=1)},
        {"deletion": Deletion(already_gone=1)},
        {"deletion": Deletion(failed=1)},
        {"long_expired": 1},
        {"recovered_from": "access was denied"},
        {"is_known_problem": True, "deletion": Deletion(failed=1, deleted=1)},
        {"is_known_problem": True, "errors": ("no",), "notices": [notice()]},
    ],
)
def test_what_is_new_is_news(changes: dict[str, Any]) -> None:
    assert is_news(digest(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"changes": {"gone": Change(0)}},
        {"deletion": Deletion(enabled=True, planned=4, protected=1, waiting=2)},
        {"locked_out": ("eve",)},
        {"unusual_days": (("2026-10-01", 9),)},
        {"warnings": ("hm",)},
        {"is_known_problem": True, "outcome": Outcome.REFUSED, "errors": ("no",)},
        {"is_known_problem": True, "outcome": Outcome.FAILED, "deletion": Deletion(failed=1)},
    ],
)
def test_what_only_goes_on_is_no_news(changes: dict[str, Any]) -> None:
    assert not is_news(digest(**changes))


def test_what_is_wrong_with_rows_is_a_next_step_with_their_names_and_stands_once() -> None:
    step = "at least 2 rows with a key in plain text: ab12; treat it as leaked"
    text = email(digest(warnings=("the clock is off", step), reason_steps=(step,)))
    assert text.index("Warnings") < text.index("the clock is off") < text.index("What to do next")
    assert text.count("with a key in plain text") == 1
    assert text.index("What to do next") < text.index("At least 2 rows with a key in plain text: ab12; treat it as")


def test_what_has_to_be_done_today_is_what_no_later_notice_warns_of_and_whom_it_newly_locks_out() -> None:
    notices = [
        notice(1, seconds_to_expiry=DAY),
        notice(2, seconds_to_expiry=DAY + 1, username="bob"),
        notice(3, seconds_to_expiry=-60, username="eve"),
        notice(4, seconds_to_expiry=-60, username="bob"),
        notice(5, seconds_to_expiry=-60, username="old", event=Event.DELETED),
    ]
    content = digest(
        *notices,
        locked_out=("eve", "old"),
        counts={"scanned": 9, "malformed": 2},
        urgent_within=DAY,
        errors=("no",) * 11,
    )
    assert find_today(content) == Today(
        expiring=1, within=DAY, urgent=(notices[0],), expired=2, locked_out=("eve",), malformed=2
    )
    said = email(content).partition("\nRows\n")[0]
    places = [
        "- no.", "- and 1 more", "- 1 token expires within 1 day", "in 24 hours: 000000000001, ada", "- 2 tokens have",
        "- 1 owner has been locked out", "- 2 rows have a broken expiry date", "`janitor scan` lists them,",
    ]  # fmt: skip
    assert sorted(places, key=said.index) == places
    assert "000000000002" not in said
    (part,) = split_digest(content)
    assert json.loads(json.loads(part.message.body)["default"])["today"] == {
        "expiring": 1, "within_seconds": DAY, "expired": 2, "newly_locked_out": 1,
    }  # fmt: skip
    # Where no notice is wanted later than a week ahead, the week is the last moment.
    assert find_today(dataclasses.replace(content, urgent_within=7 * DAY)).expiring == 2


def test_of_many_tokens_that_expire_today_ten_are_named_at_the_start_and_all_below() -> None:
    many = [notice(number, seconds_to_expiry=number * 60, name="字" * 40) for number in range(1, 31)]
    start, _, below = email(digest(*many)).partition("\nRows\n")
    assert start.count(", ada@example.com, 字") == 10
    assert "and 20 more, in the list below" in start
    assert [below.count(one.crossing.fingerprint) for one in many] == [1] * 30


def test_where_nothing_cannot_wait_the_digest_says_so() -> None:
    assert "To do today\n-----------\n  Nothing has to be done today.\n" in email(digest(notice()))


@examples(10, nightly=200)
@given(
    sorted_notices(12),
    st.lists(texts.map(lambda text: text * 3), max_size=15),
    st.integers(0, 12),
    st.booleans(),
)
def test_the_opening_fills_two_screens_at_most(
    notices: list[Notice],
    hostile: list[str],
    tables: int,
    has_report: bool,  # noqa: FBT001  # drawn
) -> None:
    lists = tuple(hostile)
    whole = digest(
        *notices,
        table="t" * 255,
        counts=dict.fromkeys(["scanned", "active", *STATES], 10**9),
        deletion=Deletion(
            enabled=True, planned=9, deleted=1, failed=2, changed=1, waiting=1, protected=1, archive="/a"
        ),
        outcome=Outcome.INTERRUPTED,
        changes={kind: Change(99, [named(text) for text in hostile[:20]]) for kind in CHANGE_KINDS},
        locked_out=lists,
        lockout_states=lists,
        ways_out=("rows that have expired: `janitor sweep`, " * 4,) * min(len(lists), 4),
        unusual_days=(("2026-10-01", 9),) * len(lists),
        errors=lists,
        warnings=lists,
        reason_steps=lists[:8],
        long_expired=7,
        recovered_from="x " * 300,
        restore_commands=("janitor restore /a",),
        full_report_location="s3://b/k" if has_report else None,
    )
    content = dataclasses.replace(whole, tables=(dataclasses.replace(whole, table="t"),) * tables)
    first = next(split_digest(content))
    opening = str(json.loads(first.message.body)["email"]).partition("\nDue, by")[0].partition("\nDeleted by")[0]
    assert len(opening.splitlines()) <= OPENING_LINES

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.digest_parts import LIMIT
from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import Event, Notice
from janitor.notices.owner_text import OwnerMessageRules, TokenPlace
from janitor.notices.token_message import build_token_message
from tests.unit.notices.notices import DAY, NOW, any_notice, notice, texts

TABLE, REGION, ACCOUNT = "prod-Tokens", "us-east-1", "123456789012"
PLACE = TokenPlace(TABLE, REGION, ACCOUNT)
RULES = OwnerMessageRules()
FIFO_TEXT = re.compile(r"[!-~]{1,128}").fullmatch


def test_a_message_says_all_there_is_to_know() -> None:
    message = build_token_message(notice(10, created=NOW - 80 * DAY), PLACE, RULES)
    text = json.loads(message.body)["text"]
    assert text.startswith('Your LISA token "ci pipeline" expires in 3 days, on 2026-09-24 14:13')
    assert json.loads(message.body) == {
        "schema": "janitor.notice/v1",
        "id": "00000000000a:1790259200:604800",
        "event": "token.expiring",
        "fingerprint": "00000000000a",
        "expiry": 1_790_259_200,
        "threshold_seconds": 604_800,
        "username": "ada@example.com",
        "name": "ci pipeline",
        "system": False,
        "state": "expiring",
        "expires_at": "2026-09-24T14:13:20+00:00",
        "seconds_to_expiry": 3 * DAY,
        "created_at": "2026-07-03T14:13:20Z",
        "table": TABLE,
        "region": REGION,
        "account_id": ACCOUNT,
        "text": text,
    }
    assert message.attributes == {
        "event": "token.expiring",
        "threshold": "7d",
        "username": "ada@example.com",
        "fingerprint": "00000000000a",
        "table": TABLE,
        "system": "false",
    }


def test_an_expired_system_token_of_nobody_has_no_username_to_filter_by() -> None:
    message = build_token_message(
        notice(seconds_to_expiry=-60, username=None, system=True), TokenPlace(TABLE, REGION, None), RULES
    )
    assert "username" not in message.attributes
    assert message.attributes["threshold"] == "expiry"
    assert message.attributes["system"] == "true"
    assert json.loads(message.body)["account_id"] is None


def test_a_deletion_is_a_message_of_its_own() -> None:
    expired = build_token_message(notice(seconds_to_expiry=-DAY), PLACE, RULES)
    deleted = build_token_message(notice(seconds_to_expiry=-DAY, event=Event.DELETED), PLACE, RULES)
    assert deleted.attributes["event"] == "token.deleted"
    assert deleted.deduplication_id != expired.deduplication_id


def test_a_username_with_an_invisible_end_does_not_pass_for_another_ones() -> None:
    message = build_token_message(notice(username="ada\x00"), PLACE, RULES)
    assert message.attributes["username"] == "ada\\x00"


def test_a_username_that_sns_takes_is_an_attribute_as_it_is() -> None:
    assert (
        build_token_message(notice(username="Zoë\u200d 日本"), PLACE, RULES).attributes["username"] == "Zoë\u200d 日本"
    )


@given(any_notice(), texts, st.booleans())
def test_any_message_is_one_that_sns_takes(one: Notice, table: str, is_structured: bool) -> None:  # noqa: FBT001  # drawn
    place, rules = TokenPlace(table, REGION, ACCOUNT), OwnerMessageRules(is_structured=is_structured)
    message = build_token_message(one, place, rules)
    assert message.size <= LIMIT
    for value in message.attributes.values():
        assert value.strip()
        assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", value)
    assert FIFO_TEXT(message.group_id)
    assert FIFO_TEXT(message.deduplication_id)
    body = json.loads(message.body)
    read = json.loads(body["default"]) if is_structured else body
    assert message.is_structured is is_structured
    assert body.keys() == {"default", "email"} if is_structured else "default" not in body
    assert not is_structured or body["email"] == read["text"]
    assert message == build_token_message(one, place, rules)


def test_both_texts_count_in_the_size_of_a_structured_message() -> None:
    plain, structured = (
        build_token_message(notice(), PLACE, OwnerMessageRules(is_structured=each)) for each in (False, True)
    )
    assert structured.size > plain.size + len(json.loads(structured.body)["email"])
    assert structured.sent_attributes == plain.sent_attributes
    assert "username" in plain.sent_attributes


def test_the_same_notice_of_two_tables_is_no_repeat() -> None:
    tables = [("a", "r", "1"), ("b", "r", "1"), ("a", "s", "1"), ("a", "r", "2"), ("x" * 255, "r", "1")]
    assert len({build_token_message(notice(), TokenPlace(*table), RULES).deduplication_id for table in tables}) == len(
        tables
    )


def test_long_tables_with_one_beginning_keep_groups_of_their_own() -> None:
    assert group_id("x" * 200 + "a") != group_id("x" * 200 + "b")
    assert group_id("prod-Tokens") == "prod-Tokens"
    assert group_id("") == "janitor"


def test_an_id_that_sns_would_refuse_is_hashed() -> None:
    assert deduplication_id("a", "b") == "a/b"
    assert FIFO_TEXT(deduplication_id("a b"))
    assert FIFO_TEXT(deduplication_id("x" * 200))
    assert FIFO_TEXT(deduplication_id(""))

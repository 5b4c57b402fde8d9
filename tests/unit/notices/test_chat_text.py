import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.chat_text import MAX_TEXT_LENGTH, neutralize_markup
from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_parts import LIMIT, split_digest
from janitor.notices.failure_message import build_failure_message
from janitor.notices.notice import Notice
from janitor.notices.service_digest import build_service_digest
from janitor.notices.text_wrapping import WIDTH
from janitor.report.model import Deletion, Outcome
from janitor.sinks.sns import Severity
from tests.examples import examples
from tests.unit.notices.notices import DAY, digest, notice, sorted_notices, texts

# What a chat app would obey, from Slack's, Teams' and Discord's references.
OBEYED = re.compile(
    r"[<>`*]|@(?:here|channel|everyone|all)\b|(?<!\S)@\w|\]\(|(?<!s3)://|www\.(?!\u200b)|&(?:lt|gt|amp|#\d+);"
)
COMMANDS = [
    "<!channel>", "<@U024BE7LH>", "<at>ada</at>", "@here", "x@everyone", "&lt;!here&gt;", "[click](https://evil.example)",
    "https://evil.example", "www.evil.example", "`code", "*bold*", "a@everyone.example", "!@channel", "<https://e|x>",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(COMMANDS), texts), min_size=1, max_size=3).map(" ".join)


def chats_of(content: DigestContent, limit: int = LIMIT) -> list[dict[str, Any] | None]:
    """What a chat app gets of each part."""
    parts = list(split_digest(content, limit))
    assert all(part.message.size <= limit for part in parts)
    bodies = [json.loads(part.message.body) for part in parts]
    return [json.loads(body["https"]) if "https" in body else None for body in bodies]


def shown(chat: dict[str, Any]) -> str:
    content = chat["content"]
    return "\n".join([content["title"], content["description"], *content["nextSteps"]])


@pytest.mark.parametrize("command", COMMANDS)
def test_no_chat_app_obeys_a_name(command: str) -> None:
    assert OBEYED.search(command)
    assert not OBEYED.search(neutralize_markup(command))


@pytest.mark.parametrize("text", ["ada@example.com", "s3://reports/2027/x.json", "team-a/b_c: 7", "Zoë 字"])
def test_what_no_chat_app_obeys_can_be_copied(text: str) -> None:
    assert neutralize_markup(text) == text


@examples(30, nightly=600)
@given(sorted_notices(8), hostile, st.integers(80_000, LIMIT))
def test_a_chat_app_gets_one_message_that_fits_and_obeys_nothing_of_it(
    notices: list[Notice], text: str, limit: int
) -> None:
    told = [*notices, notice(99, username=text, name=text, table=text)]
    content = digest(
        *told, table=text, errors=(text,) * 5, locked_out=(text,), recovered_from=text, full_report_location=text,
        has_chat_text=True,
    )  # fmt: skip
    first, *others = chats_of(content, limit)
    assert first is not None
    assert others == [None] * len(others)
    assert (first["version"], first["source"], first["content"]["textType"]) == ("1.0", "custom", "client-markdown")
    assert len(first["content"]["description"]) <= MAX_TEXT_LENGTH
    ours = re.sub(r"`(janitor \w+|--delete|[0-9a-f]{12})`", "", shown(first))
    assert not OBEYED.search(ours)


def test_the_most_urgent_tokens_are_named_and_the_others_counted() -> None:
    many = [notice(number) for number in range(2_000)]
    first, *others = chats_of(digest(*many, has_chat_text=True, outcome=Outcome.FAILED, errors=("no network",)))
    assert others
    assert first is not None
    named = first["content"]["description"].count("• `")
    assert named > 10
    assert f"and {2_000 - named:,} more tokens" in first["content"]["description"]
    assert "• no network" in first["content"]["description"]
    assert any("repeated safely" in step for step in first["content"]["nextSteps"])


def test_a_chat_app_opens_with_what_has_to_be_done_today() -> None:
    notices = [notice(1, seconds_to_expiry=60), notice(2, seconds_to_expiry=-60, username="eve")]
    content = digest(*notices, has_chat_text=True, errors=("no network",), locked_out=("eve", "mal"))
    [chat] = chats_of(content)
    assert chat is not None
    assert chat["content"]["description"].splitlines()[1:] == [
        "To do today:",
        "• no network",
        "• 1 token expires within 1 day; renew it now.",
        "• 1 token has expired: replace it wherever it is still used.",
        "• 1 owner has been locked out since then: LISA makes no new token until the owner's rows are gone.",
        "Tokens, most urgent first:",
        "• `000000000001` of ada@example.com (ci pipeline): expires in 60 seconds, 2026-09-21 14:14 UTC",
        "• `000000000002` of eve (ci pipeline): expired 60 seconds ago, 2026-09-21 14:12 UTC",
        "Rows: 12,345 scanned, 12,343 active, 2 expiring.",
        "LISA does not let 2 owners create a token until their rows are gone.",
    ]


def test_of_several_tables_the_most_urgent_tokens_come_first_too() -> None:
    notices = [
        notice(table * 100 + number, seconds_to_expiry=number * DAY + table, table=f"t{table}")
        for table in range(2)
        for number in (*range(1, 40), -1)
    ]
    [chat] = chats_of(digest(*notices, has_chat_text=True, tables=(digest(table="t0"), digest(table="t1"))))
    assert chat is not None
    named = re.findall("• `([0-9a-f]+)`", chat["content"]["description"])
    assert named[:6] == [f"{number:012x}" for number in (1, 101, 2, 102, 3, 103)]
    assert len(named) > 10
    assert f"and {80 - len(named)} more tokens" in chat["content"]["description"]


def test_a_chat_app_gets_whole_advice_because_it_shows_no_warnings() -> None:
    content = digest(
        has_chat_text=True,
        locked_out=("eve", "mal"),
        ways_out=("these", "those"),
        reason_steps=("at least 2 rows with a key in plain text: ab12; treat it as leaked",),
        warnings=("hm", "at least 2 rows with a key in plain text: ab12; treat it as leaked"),
    )
    [chat] = chats_of(content)
    assert chat is not None
    assert "LISA does not let 2 owners create a token until their rows are gone." in chat["content"]["description"]
    steps = chat["content"]["nextSteps"]
    assert "To let locked-out owners in again, remove:\n• these.\n• those." in steps
    assert "At least 2 rows with a key in plain text: ab12; treat it as leaked." in steps
    assert not [step for step in steps if "hm" in step]
    [bare] = chats_of(digest(has_chat_text=True))
    assert bare is not None
    assert bare["content"]["nextSteps"] == []


def test_only_who_asks_for_it_has_a_text_for_a_chat_app() -> None:
    assert chats_of(digest(notice())) == [None]
    for wanted in (True, False):
        sentence = f"denied <!here>{' no' * 60}"
        failure = build_failure_message("scan", "t" * 99, "r1", "AccessDenied", sentence, has_chat_text=wanted)
        body = json.loads(failure.body)
        assert {len(line) <= WIDTH for line in body["email"].splitlines()} == {True}
        assert sentence in " ".join(body["email"].split())
        assert ("https" in body) is wanted
        if wanted:
            chat = json.loads(body["https"])
            assert chat["content"]["description"].startswith("denied ")
            assert not OBEYED.search(shown(chat))
            assert chat["metadata"]["eventType"] == "janitor.failure"


@examples(40, nightly=400)
@given(sorted_notices(20), hostile, st.integers(100, 40_000))
def test_a_service_gets_one_message_as_long_as_it_takes_and_obeys_nothing_of_it(
    notices: list[Notice], text: str, most: int
) -> None:
    told = [*notices, notice(99, username=text, name=text)]
    content = digest(*told, errors=(text,), locked_out=(text,), full_report_location=text)
    for is_mail in (False, True):
        message = build_service_digest(content, most, is_mail=is_mail)
        assert len(message.body) <= most
        assert not message.is_structured
        if not is_mail:
            ours = re.sub(r"`(janitor \w+|--delete|[0-9a-f]{12})`", "", f"{message.subject}\n{message.body}")
            assert not OBEYED.search(ours)


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.INFO),
        ({"outcome": Outcome.SKIPPED}, Severity.INFO),
        ({"outcome": Outcome.FAILED, "errors": ("no network",)}, Severity.FAILURE),
        ({"outcome": Outcome.REFUSED, "errors": ("too many",)}, Severity.WARNING),
        ({"outcome": Outcome.INTERRUPTED}, Severity.WARNING),
        ({"errors": ("a sink failed",)}, Severity.WARNING),
        ({"deletion": Deletion(enabled=True, planned=2, deleted=1, failed=1)}, Severity.WARNING),
    ],
)
def test_a_service_hears_how_bad_the_news_is(changes: dict[str, Any], severity: Severity) -> None:
    assert build_service_digest(digest(notice(), **changes), 40_000, is_mail=False).severity is severity


def test_a_service_that_takes_enough_gets_the_whole_digest_and_another_the_most_urgent_tokens() -> None:
    content = digest(*[notice(number, username=f"user-{number}") for number in range(100)])
    whole, short = (build_service_digest(content, most, is_mail=True).body for most in (32_768, 1_000))
    assert all(f"user-{number}" in whole for number in range(100))
    assert "user-0" in short
    assert "more tokens" in short

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.digest_parts import LIMIT
from janitor.notices.notice import Event, Notice
from janitor.notices.owner_text import OwnerMessageRules, TokenPlace, build_owner_text
from janitor.notices.text_wrapping import WIDTH, display_width
from janitor.notices.token_message import build_token_message
from janitor.settings.notice_text import (
    FIELDS,
    MAX_FIELDS,
    MAX_TEXT_LENGTH,
    NoticeText,
    parse_contact,
    parse_notice_text,
)
from janitor.tokens.redact import shorten_text
from tests.examples import examples
from tests.unit.notices.notices import DAY, HOSTILE, NOW, any_notice, notice, texts

PLACE = TokenPlace("prod-LISAApiBaseTokenTable", "us-east-1", "123456789012")
HEADINGS = ["What that means", "What to do", "Which token it is"]


def text_of(one: Notice, **rules: Any) -> str:
    return build_owner_text(one, PLACE, OwnerMessageRules(**rules))


def test_an_owner_reads_which_token_until_when_what_breaks_and_what_to_do() -> None:
    assert text_of(notice(10, created=NOW - 80 * DAY), contact="Platform team, #lisa-help") == (
        'Your LISA token "ci pipeline" expires in 3 days, on 2026-09-24 14:13\n'
        "UTC.\n"
        "\n"
        "  Fingerprint  00000000000a\n"
        "  Name         ci pipeline\n"
        "  Owner        ada@example.com\n"
        "  Made         2026-07-03 14:13 UTC\n"
        "  Expires      2026-09-24 14:13 UTC, in 3 days\n"
        "  Table        prod-LISAApiBaseTokenTable in us-east-1, account\n"
        "               123456789012\n"
        "\n"
        "What that means\n"
        "---------------\n"
        "From 2026-09-24 14:13 UTC on, LISA rejects this token. Whatever still\n"
        "uses it then, a script or a tool, stops working.\n"
        "\n"
        "What to do\n"
        "----------\n"
        "Before then, ask the people who run LISA (Platform team, #lisa-help) to\n"
        "extend this token, or to give you a new one in its place.\n"
        "\n"
        "They do it with one of these:\n"
        "  janitor token extend 00000000000a --by 90d \\\n"
        "      --table prod-LISAApiBaseTokenTable --region us-east-1\n"
        "  janitor token rotate 00000000000a --expires-in 90d --overlap 24h \\\n"
        "      --table prod-LISAApiBaseTokenTable --region us-east-1\n"
        "\n"
        "LISA's own page makes you a new token only while you have none in its\n"
        "table, expired or not. So there this one has to be deleted first, and is\n"
        "rejected from then on.\n"
        "\n"
        "An extended token stays as it is; put a new one wherever the old one is\n"
        "used.\n"
        "\n"
        "Which token it is\n"
        "-----------------\n"
        "No message shows a token. If you have one at hand, this prints its\n"
        "fingerprint; compare it with the one above:\n"
        '  printf %s "$TOKEN" | sha256sum | cut -c1-12\n'
        "\n"
        "Questions: Platform team, #lisa-help\n"
    )


@pytest.mark.parametrize(
    ("one", "rules", "says", "not_said"),
    [
        (notice(seconds_to_expiry=-60), {}, "token remove 000000000001", "token extend"),
        (notice(seconds_to_expiry=-(10**12)), {}, "  Expired      long ago", "-, long ago"),
        (notice(seconds_to_expiry=-60), {}, "Put a new one wherever the old one is used.", "An extended token"),
        (notice(seconds_to_expiry=-60), {}, "LISA has rejected this token since it expired.", "From "),
        (notice(seconds_to_expiry=-60, event=Event.DELETED), {}, "If LISA does not let you, another", "janitor token"),
        (notice(), {"is_hashed": False}, "token rotate 000000000001", "LISA's own page"),
        (
            notice(seconds_to_expiry=-60),
            {"is_hashed": False},
            "ask the people who run LISA for a new one",
            "LISA's page",
        ),
        (notice(system=True), {}, "token extend 000000000001", "LISA's own page"),
        (notice(seconds_to_expiry=-60, system=True), {}, "for a new one", "LISA's page"),
        (notice(), {"has_fingerprint_key": True}, "--fingerprint-key-file FILE \\\n", "sha256sum"),
    ],
)
def test_what_to_do_is_what_this_lisa_lets_this_owner_do(
    one: Notice, rules: dict[str, bool], says: str, not_said: str
) -> None:
    text = text_of(one, **rules)
    assert says in text or says in text.replace("\n", " ")
    assert not_said not in text


def test_the_operators_own_words_stand_in_the_place_of_lisas_way_with_the_tokens_values() -> None:
    address = f"https://tokens.example.com/{'x' * 80}/{{fingerprint}}"
    own = parse_notice_text(
        f"\n  Renew {{name}} of {{username}}\n{address}\n{{{{{{contact}}}}}}\n{{created}} {{when}}\n\n"
    )
    text = text_of(notice(10), text=own, contact="Ann")
    lines = text.splitlines()
    start = lines.index("What to do")
    assert lines[start + 2 : start + 6] == [
        "  Renew ci pipeline of ada@example.com",
        f"https://tokens.example.com/{'x' * 80}/00000000000a",
        "{Ann}",
        "not known in 3 days",
    ]
    assert "janitor token" not in text
    assert text.endswith("\nQuestions: Ann\n")
    # What stands in a field's place is no text with fields.
    assert "{table} of" in text_of(notice(name="{table}"), text=own)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("renew {fingerprnt}", "'{fingerprnt}' is no field; did you mean {fingerprint}?"),
        ("{name.__class__}", "'{name.__class__}' is no field; did you mean {name}?"),
        ("{name!r}", "'{name!r}' is no field; did you mean {name}?"),
        ("{name:>99999999}", "is no field; did you mean {name}?"),
        ("{username[0]}", "did you mean {username}?"),
        ("{}", "there are username, name, fingerprint, created, expires"),
        ("{0}", "there are username"),
        ("{token}", "is no field"),
        ("100 }", "a brace stands alone"),
        ("a\x1b[2J", "not printable"),
        (" \n", "it is empty"),
        ("x" * 4_001, "4,001 characters"),
        ("{name} " * 17, "17 fields; write at most 16"),
        (f"for example {'3f' * 20}", "40 or more hex digits"),
    ],
)
def test_a_text_that_is_wrong_is_refused_and_the_nearest_field_named(text: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the words are what is tested
        parse_notice_text(text)
    assert words in str(refused.value)
    assert "3f3f" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 201, "3f" * 20])
def test_whom_to_ask_is_one_line_without_a_token(text: str) -> None:
    assert parse_contact(" Ann, #lisa ") == "Ann, #lisa"
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        parse_contact(text)


TABS = "\t" * 1_800


@pytest.mark.parametrize("text", [*HOSTILE, "\u200b" * 300, "\U000e0001 " * 128])
@pytest.mark.parametrize("filler", ["\t", "\n", "字", "\U0001f600", f"\n{TABS}{'x ' * 1_000}"])
def test_no_text_of_an_operator_makes_a_message_that_sns_never_takes(text: str, filler: str) -> None:
    own = parse_notice_text(f"x{filler * 4_000}"[: MAX_TEXT_LENGTH - 16 * 6 - 1] + "x" + "{name}" * 16)
    contact = parse_contact("字" * 200)
    one = notice(username=shorten_text(text), name=shorten_text(text))
    place = TokenPlace("t" * 255, "us-gov-east-1", "123456789012")
    message = build_token_message(one, place, OwnerMessageRules(text=own, contact=contact, is_structured=True))
    assert message.size <= LIMIT


own_texts = st.none() | st.lists(
    st.sampled_from([*(f"{{{field}}}" for field in FIELDS), "words ", "\n", "\t", "{{", "}}"]),
    min_size=1,
    max_size=MAX_FIELDS,
).map(lambda pieces: parse_notice_text("x" + "".join(pieces)))


@examples(60, nightly=600)
@given(any_notice(), texts, own_texts, st.booleans(), st.booleans())
def test_no_text_of_a_table_breaks_an_owners_message(
    one: Notice,
    table: str,
    own: NoticeText | None,
    is_hashed: bool,  # noqa: FBT001  # drawn
    has_fingerprint_key: bool,  # noqa: FBT001  # drawn
) -> None:
    rules = OwnerMessageRules(is_hashed=is_hashed, has_fingerprint_key=has_fingerprint_key, text=own)
    lines = build_owner_text(one, TokenPlace(table, "us-east-1", None), rules).splitlines()
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line in HEADINGS] == HEADINGS
    if own is None:
        # A command is one line for a shell, and a table's name may be long.
        assert all(display_width(line) <= WIDTH or line.startswith("      --table ") for line in lines)
        assert f"  Fingerprint  {one.crossing.fingerprint}" in lines

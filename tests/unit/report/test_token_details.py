from typing import Any

import msgspec
import pytest

from janitor.report.encode import encode_json_line
from janitor.report.model import TablePart
from janitor.report.token_details import LookedUpRow, TokenDetails, build_token_details
from janitor.report.token_text import render_token
from janitor.tokens.dialect import Dialect
from janitor.tokens.explain import explain_lockout
from janitor.tokens.row import decode_row
from tests.tables import SAMPLE_NOW, modern, sample_rows
from tests.unit.rows import POLICIES

TABLE = TablePart(name="tokens", region="us-east-1", account_id=None, endpoint=None)
LEAST_KEY = 8  # characters; a shorter one may stand in any text by chance


def shown(*items: dict[str, Any], dialect: Dialect = Dialect.HASHED) -> TokenDetails:
    found = []
    for item in items:
        content = msgspec.json.encode(item)
        row = decode_row(content)
        found.append(LookedUpRow(row, content, explain_lockout(row, [row], SAMPLE_NOW, dialect)))
    return build_token_details(
        found, table=TABLE, policy=POLICIES[dialect], now=SAMPLE_NOW, as_of=SAMPLE_NOW, fingerprint_key=None
    )


@pytest.mark.parametrize("dialect", list(Dialect))
def test_nothing_of_a_key_is_in_what_is_shown_and_every_line_is_harmless(dialect: Dialect) -> None:
    for label, item in sample_rows().items():
        one = shown(item, dialect=dialect)
        key = item["token"]["S"]
        text = render_token(one, width=100, colour=False)
        assert all(line.isprintable() for line in text.splitlines()), label
        if len(key) >= LEAST_KEY:
            assert key not in f"{encode_json_line(one).decode()}{text}{one!r}", label


def test_a_person_sees_every_part() -> None:
    item = modern("b", SAMPLE_NOW - 86_400, username="bob", name="laptop", janitorHold={"S": "audit"})
    text = render_token(shown(item), width=160, colour=False)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "3e23e8160039 expired: LISA has rejected it everywhere for 24 hours; its grace is not over",
        "in tokens, us-east-1 (hashed), as of 2026-09-21 14:13:20 UTC",
        "Owner bob",
        "Protected by hold",
        "✓ expired now >= expiry 2026-09-21 14:13:20 >= 2026-09-20 14:13:20",
        "(✓) expiring expiry <= now + 30 days 2026-09-20 14:13:20 <= 2026-10-21 14:13:20",
        "- active none of the rules above another rule matches",
        "✗ LISA's API now >= tokenExpiration: 2026-09-21 14:13:20 >= 2026-09-20 14:13:20",
        "now: never deletes it while it is protected (hold); without that, from 2026-09-27 14:13:20 on",
        "locked out: LISA creates no token for a user who has a row, and its API accepts none of this owner's",
        'groups L ["lisa-users"]',
        "janitorHold S audit",
    ):
        assert line in lines, line


def test_a_token_with_two_rows_shows_both() -> None:
    both = shown(modern("b", SAMPLE_NOW), {"token": {"S": "b"}})
    assert [row.token.state for row in both.rows] == ["expired", "legacy"]
    assert len({row.token.fingerprint for row in both.rows}) == 1
    text = render_token(both, width=100, colour=True)
    assert [text.count(f"{row.token.row_name} {row.token.state}: ") for row in both.rows] == [1, 1]


def test_what_to_do_about_a_row_is_a_command_for_this_row_of_this_table() -> None:
    one = shown({"token": {"S": "b"}})
    text = render_token(one, width=1_000, colour=False)
    assert f"`janitor token remove {one.rows[0].token.fingerprint} --table tokens --region us-east-1`" in text
    # No sweep takes it, and the page says so in one place.
    assert "janitor sweep" not in text
    assert "never deletes a row without an expiration" in text

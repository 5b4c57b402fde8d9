"""The demo's rows of LISA 6.1: as LISA writes them, and with the troubles that a table has after two years."""

import datetime as dt
import re
import uuid
from collections import Counter

import msgspec
import pytest

from janitor.demo.lisa_table import make_rows
from janitor.report.build import build_forecast
from janitor.tokens.classify import State, Verdict, classify
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import DAY
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.row import Row, Value
from tests.tables import SAMPLE_NOW, Item

NOW = SAMPLE_NOW
HALF_AN_HOUR = 1_800
POLICY = Policy(dialect=Dialect.HASHED)
BOTH = (Gate.API, Gate.WORKBENCH)
EPOCH = dt.date(1970, 1, 1)
NOBODY = Value()
WORKSHOP = [f"workshop-{seat:02}" for seat in range(1, 15)]
MODERN = {
    "token": "S",
    "tokenUUID": "S",
    "tokenExpiration": "N",
    "createdDate": "N",
    "createdBy": "S",
    "username": "S",
    "groups": "L",
    "name": "S",
    "isSystemToken": "BOOL",
}


def verdicts(now: int = NOW) -> list[tuple[Row, Verdict]]:
    """Each row made at `now`, and what it is then, under the default policy."""
    made = [msgspec.convert(item, Row) for item in make_rows(now, "hashed")]
    return [(row, classify(row, now, POLICY)) for row in made]


def of_state(state: State, now: int = NOW) -> list[tuple[Row, Verdict]]:
    return [(row, verdict) for row, verdict in verdicts(now) if verdict.state is state]


def modern_items() -> list[Item]:
    """The rows that LISA 6.1 itself could have written."""
    return [item for item in make_rows(NOW, "hashed") if kinds(item) == MODERN]


def kinds(item: Item) -> dict[str, str]:
    return {name: next(iter(value)) for name, value in item.items()}


def test_hashed_rows_have_the_attributes_and_types_of_lisa() -> None:
    others = len(make_rows(NOW, "hashed")) - len(modern_items())
    assert others == 5  # ISO text, no date, on hold, two legacy ones


def test_hashed_keys_are_sha256_and_a_legacy_key_is_as_long_as_lisa_makes_tokens() -> None:
    items = make_rows(NOW, "hashed")
    lengths = Counter(len(item["token"]["S"]) for item in items if "tokenUUID" in item)
    are_hexadecimal = all(re.fullmatch("[0-9a-f]+", item["token"]["S"]) for item in items)
    assert lengths == {64: len(items) - 2}
    assert [len(item["token"]["S"]) for item in items if "tokenUUID" not in item] == [128, 128]
    assert are_hexadecimal


def test_every_token_has_a_random_uuid_of_its_own() -> None:
    uuids = [uuid.UUID(item["tokenUUID"]["S"]) for item in modern_items()]
    assert {each.version for each in uuids} == {4}
    assert len(set(uuids)) == len(uuids)


def test_groups_are_texts() -> None:
    groups = [item["groups"]["L"] for item in modern_items()]
    assert {next(iter(group)) for each in groups for group in each} == {"S"}
    assert max(len(each) for each in groups) > min(len(each) for each in groups) > 0


def test_no_token_was_made_in_the_future_and_most_live_ninety_days() -> None:
    created = [int(item["createdDate"]["N"]) for item in modern_items()]
    lives = Counter(
        (int(item["tokenExpiration"]["N"]) - int(item["createdDate"]["N"])) / DAY for item in modern_items()
    )
    assert max(created) < NOW
    assert lives.most_common(1)[0][0] == 90
    assert lives[365] > 5


def test_an_owner_has_at_most_one_token_that_is_no_system_token() -> None:
    owners = Counter(item["username"]["S"] for item in modern_items() if not item["isSystemToken"]["BOOL"])
    assert max(owners.values()) == 1
    assert len(owners) > 250


def test_system_tokens_are_made_by_administrators() -> None:
    made_by_others = [item["createdBy"] != item["username"] for item in modern_items() if item["isSystemToken"]["BOOL"]]
    assert len(made_by_others) > 30
    assert all(made_by_others)


@pytest.mark.parametrize("part", range(48))
def test_one_day_holds_an_unusual_share_the_workshops(part: int) -> None:
    now = NOW + part * HALF_AN_HOUR
    expiring = [(row, verdict.expiry or 0) for row, verdict in of_state(State.EXPIRING, now)]
    seats = Counter(expiry // DAY for row, expiry in expiring if (row.username or NOBODY).S in WORKSHOP)
    days = build_forecast(Counter(expiry // DAY for _, expiry in expiring), now, POLICY.horizon)
    assert list(seats.values()) == [14]
    assert [day.day for day in days if day.unusual] == [EPOCH + dt.timedelta(days=day) for day in seats]


def test_stale_tokens_are_up_to_two_years_old() -> None:
    ages = [(NOW - (verdict.expiry or 0)) / DAY for _, verdict in of_state(State.STALE)]
    assert 600 < max(ages) < 731


def test_a_stale_token_is_on_hold() -> None:
    held = [row for row, _ in of_state(State.STALE) if find_protection(row, POLICY) == "hold"]
    assert len(held) == 1


def test_malformed_dates_are_milliseconds_that_lisa_accepts_and_a_text_that_it_refuses() -> None:
    found = [(verdict.reasons, verdict.accepted_by) for _, verdict in of_state(State.MALFORMED)]
    assert found == [(("looks-like-milliseconds",), BOTH), (("not-a-number", "breaks-lisa-list"), ())]


def test_a_legacy_row_opens_workbench_and_one_opens_nothing() -> None:
    assert [verdict.accepted_by for _, verdict in of_state(State.LEGACY)] == [(Gate.WORKBENCH,), ()]


def test_a_row_without_a_date_opens_workbench_for_ever() -> None:
    assert [verdict.accepted_by for _, verdict in of_state(State.PERMANENT)] == [(Gate.WORKBENCH,)]


def test_some_owners_are_locked_out_and_those_of_rotated_tokens_are_not() -> None:
    let_in, expired = set(), set()
    for row, verdict in verdicts():
        owner = row.username.S if row.username else None
        if Gate.API in verdict.accepted_by:
            let_in.add(owner)
        elif verdict.state in (State.EXPIRED, State.STALE):
            expired.add(owner)
    assert 10 < len(expired - let_in) < 25
    assert len(expired & let_in) == 5

"""The demo's rows in both dialects: every state at any hour, the same every time; and how they are written."""

import re
from collections import Counter
from typing import Any, cast

import msgspec
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.demo.emulator import EmulatorError
from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table, make_rows
from janitor.dynamodb.locate import NAME_PATTERNS
from janitor.tokens.classify import State, Verdict, classify
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import DAY
from janitor.tokens.policy import Policy
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import Row
from tests.tables import SAMPLE_NOW, Item

NOW = SAMPLE_NOW
HOUR = 3_600
DIALECTS = ["hashed", "classic"]
BOTH = (Gate.API, Gate.WORKBENCH)


def policy_of(dialect: str) -> Policy:
    return Policy(dialect=Dialect(dialect))


def as_row(item: Item) -> Row:
    return msgspec.convert(item, Row)


def verdicts(dialect: str, now: int = NOW, seen: int = 0) -> list[tuple[Row, Verdict]]:
    """Each row made at `now`, and what it is `seen` seconds later, under the default policy."""
    made = [as_row(item) for item in make_rows(now, dialect)]
    return [(row, classify(row, now + seen, policy_of(dialect))) for row in made]


def of_state(dialect: str, state: State) -> list[tuple[Row, Verdict]]:
    return [(row, verdict) for row, verdict in verdicts(dialect) if verdict.state is state]


def counts(dialect: str, now: int = NOW, seen: int = 0) -> Counter[State]:
    return Counter(verdict.state for _, verdict in verdicts(dialect, now, seen))


def keys(dialect: str, seed: int = 6) -> list[str]:
    """Return what no failure message is to show: asserts compare their numbers, or a name for what holds of them."""
    return [item["token"]["S"] for item in make_rows(NOW, dialect, seed)]


def test_a_hashed_table_has_every_state() -> None:
    assert counts("hashed") == {
        State.ACTIVE: 223,
        State.EXPIRING: 42,
        State.EXPIRED: 10,
        State.STALE: 37,
        State.PERMANENT: 1,
        State.MALFORMED: 2,
        State.LEGACY: 2,
    }


def test_a_classic_table_has_every_state_of_a_classic_table() -> None:
    assert counts("classic") == {
        State.ACTIVE: 34,
        State.EXPIRING: 14,
        State.EXPIRED: 6,
        State.STALE: 27,
        State.PERMANENT: 36,
        State.MALFORMED: 3,
    }


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_hour_of_the_demo_changes_no_count(dialect: str) -> None:
    hourly = [counts(dialect, NOW + hour * HOUR) for hour in range(25)]
    assert all(each == hourly[0] for each in hourly)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_half_an_hour_with_a_kept_demo_changes_no_count(dialect: str) -> None:
    assert counts(dialect, seen=HOUR // 2) == counts(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_demo_has_the_same_rows(dialect: str) -> None:
    are_the_same = make_rows(NOW, dialect) == make_rows(NOW, dialect)
    assert are_the_same


@pytest.mark.parametrize("dialect", DIALECTS)
def test_time_changes_dates_only(dialect: str) -> None:
    dates = {"tokenExpiration", "createdDate"}
    earlier, later = (
        [{name: value for name, value in item.items() if name not in dates} for item in make_rows(now, dialect)]
        for now in (NOW, NOW + 1_000 * DAY)
    )
    are_the_same = earlier == later
    assert are_the_same


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_seed_makes_other_tokens_in_as_many_states(dialect: str) -> None:
    are_others = set(keys(dialect, seed=6)).isdisjoint(keys(dialect, seed=7))
    assert are_others
    other = Counter(classify(as_row(item), NOW, policy_of(dialect)).state for item in make_rows(NOW, dialect, seed=7))
    assert other == counts(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_two_rows_have_one_key(dialect: str) -> None:
    [(_, most)] = Counter(keys(dialect)).most_common(1)
    assert most == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_text_of_a_row_gives_its_token_away(dialect: str) -> None:
    for item in make_rows(NOW, dialect):
        row = as_row(item)
        is_shown_whole = redacted_texts(row) == tuple(
            item.get(name, {}).get("S") for name in ("name", "username", "createdBy", "tokenUUID")
        )
        assert is_shown_whole


def test_classic_keys_are_plain_tokens() -> None:
    are_plain = all(re.fullmatch("sk-[A-Za-z0-9]{48}", key) for key in keys("classic"))
    assert are_plain


def test_classic_rows_have_few_attributes_and_most_not_even_a_name() -> None:
    attributes = Counter(name for item in make_rows(NOW, "classic") for name in item)
    assert attributes.keys() == {"token", "tokenExpiration", "username", "name"}
    assert attributes["token"] == 120
    assert attributes["tokenExpiration"] == 84
    assert 0 < attributes["name"] < attributes["username"] < 60


def test_classic_dates_are_malformed_in_three_ways() -> None:
    found = [(verdict.reasons, verdict.accepted_by) for _, verdict in of_state("classic", State.MALFORMED)]
    assert found == [(("looks-like-milliseconds",), BOTH), (("not-a-number",), BOTH), (("not-a-number",), ())]


def test_the_tables_are_named_as_a_deployment_named_demo_names_them() -> None:
    assert list(TABLE_NAMES.values()) == [pattern.format(deployment="demo") for pattern in NAME_PATTERNS[:2]]


class BusyClient:
    """A client whose table is there at once, and hands back the last row of every so many writes."""

    def __init__(self, busy_writes: int) -> None:
        self.busy_writes = busy_writes
        self.sizes: list[int] = []
        self.written: list[str] = []

    def create_table(self, **_: object) -> None:
        """Nothing to do."""

    def get_waiter(self, _: str) -> "BusyClient":
        return self

    def wait(self, **_: object) -> None:
        """Nothing to wait for."""

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        [(table, requests)] = RequestItems.items()
        self.sizes.append(len(requests))
        taken = len(requests)
        if self.busy_writes:
            self.busy_writes -= 1
            taken -= 1
        self.written += [request["PutRequest"]["Item"]["token"]["S"] for request in requests[:taken]]
        return {"UnprocessedItems": {table: requests[taken:]} if requests[taken:] else {}}


def made_by(client: BusyClient) -> int:
    return create_lisa_table(cast("DynamoDBClient", client), "demo", "classic", NOW)


def test_rows_that_a_busy_table_hands_back_are_written_again() -> None:
    client = BusyClient(busy_writes=3)
    assert made_by(client) == 120
    assert client.sizes == [25, 1, 1, 1, 25, 25, 25, 20]
    has_all = sorted(client.written) == sorted(keys("classic"))
    assert has_all


def test_a_table_that_is_always_busy_is_given_up_without_a_word_of_its_rows() -> None:
    client = BusyClient(busy_writes=1_000)
    with pytest.raises(EmulatorError) as raised:
        made_by(client)
    shows_a_key = any(key in str(raised.value) for key in keys("classic"))
    assert not shows_a_key
    assert len(client.sizes) == 10

"""`janitor token show`: a token found by what a person calls it, and what is said of it."""

import hashlib
import json
from typing import Any

import pytest

from janitor.cli.token.show import command
from janitor.errors import ConfigurationError
from janitor.tokens.dialect import Dialect, find_accepting_gates
from tests.command import Finished, janitor, on_screen
from tests.fixtures import NewTable
from tests.integration.scanning import DAY
from tests.servers import Server
from tests.tables import SAMPLE_NOW, legacy, modern, sample_rows, token
from tests.unit.rows import row

# What finds rows is tried on both elsewhere; here it is what is said of them.
ON_ONE_SERVER = pytest.mark.parametrize("server", ["ministack"], indirect=True)


def show(server: Server, table: str, *arguments: str, at: int = SAMPLE_NOW, **options: Any) -> Finished:
    where = ("--table", table, "--endpoint-url", server.url, "--as-of", str(at))
    return janitor("token", "show", *arguments, *where, **options)


def rows_of(finished: Finished) -> list[dict[str, Any]]:
    assert finished.code == 0, finished.err
    said: dict[str, Any] = json.loads(finished.out)
    assert said["schema"] == "janitor.token/v1"
    rows: list[dict[str, Any]] = said["rows"]
    return rows


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def first_match(shown: dict[str, Any]) -> str:
    state: str = next(rule["state"] for rule in shown["rules"] if rule["matches"])
    return state


def test_rows_of_a_classic_table_are_shown_by_token_and_by_fingerprint(server: Server, new_table: NewTable) -> None:
    samples = sample_rows()
    table = new_table(samples.values(), hashed=False)
    for label, state in (("string-future", "malformed"), ("permanent", "permanent")):
        item = samples[label]
        key = item["token"]["S"]
        by_token = show(server, table, "--token-stdin", input=f"{key}\n")
        (shown,) = rows_of(by_token)
        assert (shown["token"]["state"], first_match(shown)) == (state, state), label
        gates = [gate["gate"] for gate in shown["gates"] if gate["accepts"]]
        assert gates == list(find_accepting_gates(row(item), SAMPLE_NOW, Dialect.CLASSIC)), label
        assert key not in by_token.out + by_token.err
    fingerprint = sha256(samples["extra-attributes"]["token"]["S"])[:12]
    (shown,) = rows_of(show(server, table, fingerprint.upper()[:7]))
    assert {each["name"]: (each["type"], each["value"]) for each in shown["attributes"]} == {
        "tokenExpiration": ("N", "1790259200"),
        "note": ("S", "kept"),
        "blob": ("B", None),
        "nested": ("M", '{"a": [null]}'),
    }


@ON_ONE_SERVER
def test_a_row_of_a_hashed_table_is_shown_now_and_at_another_time(server: Server, new_table: NewTable) -> None:
    expiry = SAMPLE_NOW - DAY
    table = new_table([modern("bearer", expiry, username="ana"), modern("other", expiry + 9 * DAY, username="bob")])
    uuid = modern("bearer")["tokenUUID"]["S"]
    (shown,) = rows_of(show(server, table, uuid))
    assert (shown["token"]["state"], shown["owner"]["locked_out"]) == ("expired", True)
    assert shown["sweep"]["deletable_from"] == "2026-09-27T14:13:20Z"
    (earlier,) = rows_of(show(server, table, "--token-stdin", at=expiry - 1, input="bearer"))
    assert (earlier["token"]["state"], earlier["owner"]["locked_out"]) == ("expiring", False)
    assert [(gate["accepts"], gate["until"]) for gate in earlier["gates"]] == [(True, "2026-09-20T14:13:20Z")] * 2
    later = show(server, table, sha256("bearer")[:6], at=expiry + 7 * DAY, tty=True)
    assert "deletes it: its grace ended at 2026-09-27 14:13:20" in on_screen(later.out)
    assert sha256("bearer") not in later.out + later.err


@ON_ONE_SERVER
def test_the_rows_of_one_token_are_shown_together(server: Server, new_table: NewTable) -> None:
    table = new_table([modern("twice", SAMPLE_NOW + DAY), legacy("twice")])
    for finished in (
        show(server, table, "--token-stdin", input="twice\n"),
        show(server, table, sha256("twice")[:12]),
    ):
        assert sorted(shown["token"]["state"] for shown in rows_of(finished)) == ["expiring", "legacy"]
    # Whoever has read the stored hash gets in at MCP Workbench, so that it is a token too.
    (shown,) = rows_of(show(server, table, "--token-stdin", input=sha256("twice")))
    assert shown["token"]["state"] == "expiring"


@ON_ONE_SERVER
def test_what_names_no_token_or_several_is_said_with_the_candidates(server: Server, new_table: NewTable) -> None:
    keys = {"abcdef" + sha256(str(number))[6:]: number for number in range(2)}
    rows = [modern(str(number), SAMPLE_NOW + DAY, username=f"u{number}") | token(key) for key, number in keys.items()]
    table = new_table(rows)
    several = show(server, table, "abcdef")
    assert (several.code, several.out) == (2, "")
    assert f"2 rows of {table} have the fingerprint abcdef; give the name of one" in several.err
    for key, number in keys.items():
        assert f"  {key[:12]}-{sha256(f'row {key}')[:6]}  expiring   u{number} " in several.err
    near = show(server, table, f"{next(iter(keys))[:10]}00")
    assert (near.code, near.err.count("  abcdef")) == (2, 2)
    assert "the rows above have similar names" in near.err
    nothing = show(server, table, "--token-stdin", input="secret-of-nobody")
    assert nothing.code == 2
    assert f"no row is of this token in {table}; `janitor token list` lists all of them" in nothing.err
    said = "".join(finished.out + finished.err for finished in (several, near, nothing))
    assert [key for key in (*keys, "secret-of-nobody") if key in said] == []


BAD: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "no token is named"),
    "both": (["abcdef", "--token-stdin"], "a fingerprint and --token-stdin both name a token"),
    "a token": (
        ["secret-of-ana"],
        "neither 6 to 12 hex digits nor a row name nor a tokenUUID; `janitor token fingerprint` prints",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_a_wrong_name_is_said_in_a_line_that_does_not_repeat_it(arguments: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        command.main([*arguments, "--table", "nowhere"], standalone_mode=False)
    assert said in str(raised.value)
    assert "secret-of-ana" not in str(raised.value)

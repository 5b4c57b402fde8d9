"""LISA's own rules, as its code reads rows through boto3, judge `find_accepting_gates`."""

import base64
import copy
import datetime as dt
import re
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from hypothesis import assume, example, given

from janitor.tokens.dialect import Dialect, find_accepting_gates
from tests.unit.rows import KEY, NOW, items, row

_DIGITS_OF_BOTO3 = 38


def as_lisa_sees_it(item: dict[str, Any]) -> dict[str, Any]:
    """What `Table.get_item` gives: boto3 decodes binaries before its deserializer does the rest."""

    def with_bytes(value: dict[str, Any]) -> Any:
        if "B" in value:
            return {"B": base64.b64decode(value["B"])}
        return {"BS": [base64.b64decode(part) for part in value["BS"]]} if "BS" in value else value

    read = ("token", "tokenUUID", "tokenExpiration")
    wanted = {name: with_bytes(value) for name, value in copy.deepcopy(item).items() if name in read}
    return {name: TypeDeserializer().deserialize(value) for name, value in wanted.items()}


def classic_accepts(item: dict[str, Any]) -> bool:
    """lambda/authorizer/lambda_functions.py at v5.4.0; an exception refuses the caller."""
    try:
        info = as_lisa_sees_it(item)
        for_ever = dt.datetime.max.timestamp()  # noqa: DTZ901  # LISA's own words
        return int(info.get("tokenExpiration", for_ever)) > NOW
    except Exception:  # noqa: BLE001  # whatever it is, nobody is let in
        return False


def hashed_accepts(item: dict[str, Any]) -> bool:
    """The same file at v6.6.0, which looks up `hashlib.sha256(token.encode()).hexdigest()`."""
    if re.fullmatch("[0-9a-f]{64}", item["token"]["S"]) is None:
        return False
    try:
        info = as_lisa_sees_it(item)
        if not info.get("tokenUUID"):
            return False
        expiration = info.get("tokenExpiration")
        if not expiration:
            return False
        return not int(expiration) <= NOW
    except Exception:  # noqa: BLE001  # likewise
        return False


@example({"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"BOOL": True}})
@example({"token": {"S": KEY}, "tokenUUID": {"B": ""}, "tokenExpiration": {"N": "1793456000"}})
@example({"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": "9" * 126}})
@example({"token": {"S": KEY.upper()}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": "1793456000"}})
@example({"token": {"S": "k"}, "tokenExpiration": {"S": " 1_793_456_000 "}})
@given(items)
def test_accepted_by_is_what_lisas_own_code_decides(item: dict[str, Any]) -> None:
    # A number that boto3 cannot hold refuses the row wherever it stands. janitor minds it in the date alone, and says
    # of such a uuid that the row is accepted, which is the safe side.
    assume(len(item.get("tokenUUID", {}).get("N", "")) <= _DIGITS_OF_BOTO3)
    workbench = ("workbench",) if classic_accepts(item) else ()
    assert find_accepting_gates(row(item), NOW, Dialect.CLASSIC) == (("api",) if workbench else ()) + workbench
    assert (
        find_accepting_gates(row(item), NOW, Dialect.HASHED) == (("api",) if hashed_accepts(item) else ()) + workbench
    )

"""What the replay server answers to deletes: every row is there, meets its condition, and goes."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tests.bench.rows import row_of_key

WRITE_UNITS = 2.0
"""What a row below 1 KB costs to delete: a unit, and one in the index."""

_EXPIRY = {"N": "1700000000"}


def batch_execute_statement(request: dict[str, Any]) -> bytes:
    """Answer a batch of `DELETE … RETURNING ALL OLD *`: each hands its row back."""
    rows = [_row(*statement["Parameters"][:2]) for statement in request["Statements"]]
    answers = b",".join(b'{"TableName":"bench","Item":%b}' % row for row in rows)
    capacity = _capacity("bench", len(rows)) if _is_asked_for_capacity(request) else None
    return b'{"Responses":[%b]%b}' % (answers, b',"ConsumedCapacity":[%b]' % capacity if capacity else b"")


def delete_item(request: dict[str, Any]) -> bytes:
    """Answer a DeleteItem, with a row if it is asked for; its date is not the one that was."""
    has_old = request.get("ReturnValues") == "ALL_OLD"
    old = b'"Attributes":%b' % _row(request["Key"]["token"], _EXPIRY) if has_old else b""
    capacity = b'"ConsumedCapacity":%b' % _capacity(request["TableName"], 1) if _is_asked_for_capacity(request) else b""
    return b"{%b}" % b",".join(filter(None, (old, capacity)))


def batch_write_item(request: dict[str, Any]) -> bytes:
    """Answer a BatchWriteItem: nothing is left unprocessed."""
    requests: Iterable[tuple[str, list[Any]]] = request["RequestItems"].items()
    capacity = b",".join(_capacity(table, len(writes)) for table, writes in requests)
    asked = b',"ConsumedCapacity":[%b]' % capacity if _is_asked_for_capacity(request) else b""
    return b'{"UnprocessedItems":{}%b}' % asked


def _row(key: dict[str, str], expiration: dict[str, str]) -> bytes:
    return msgspec.json.encode(row_of_key(key["S"], int(expiration["N"])))


def _capacity(table: str, rows: int) -> bytes:
    return msgspec.json.encode({"TableName": table, "CapacityUnits": WRITE_UNITS * rows})


def _is_asked_for_capacity(request: dict[str, Any]) -> bool:
    return bool(request.get("ReturnConsumedCapacity", "NONE") != "NONE")

"""A row to delete, and what must still be true of it when the server gets there: as PartiQL, and as a DeleteItem."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from janitor.dynamodb.locate import KEY
from janitor.tokens.policy import Policy

_ENCODE = msgspec.json.Encoder().encode

# What a condition names, by the attribute's name.
_EXPIRATION = "tokenExpiration"
_UUID = "tokenUUID"
_HOLD = "janitorHold"
_OWNER = "username"
_SYSTEM = "isSystemToken"
# DynamoDB counts what is written in these.
_BYTES_OF_A_WRITE_UNIT = 1024


class _Seen(msgspec.Struct, gc=False):
    """The attributes of a row that a delete depends on, in the server's own bytes."""

    key: msgspec.Raw = msgspec.field(name=KEY)
    expiration: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=_EXPIRATION, default=msgspec.UNSET)
    username: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    is_system: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=_SYSTEM, default=msgspec.UNSET)
    token_uuid: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=_UUID, default=msgspec.UNSET)
    hold: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=_HOLD, default=msgspec.UNSET)


Condition = tuple[str, msgspec.Raw | msgspec.UnsetType]
_SETS = frozenset({"SS", "NS", "BS"})
_SEEN = msgspec.json.Decoder(_Seen)


@dataclass(frozen=True, slots=True)
class Target:
    """A row to delete. Its `repr` shows nothing of it.

    Attributes:
        key: the key's attribute value, as DynamoDB JSON.
        conditions: attributes and the values they must still have, type and all; UNSET for one that must be missing.
        item: the row as it was seen, as DynamoDB JSON.
    """

    key: msgspec.Raw
    conditions: tuple[Condition, ...]
    item: bytes

    @classmethod
    def of(cls, item: bytes, policy: Policy, *, is_legacy: bool) -> "Target":
        """The target for a row.

        Its `tokenExpiration` has to be the one that was seen, so that an owner who extends it keeps it; so has its
        `janitorHold`, so that a hold put on it after it was planned holds, and where the policy protects owners or
        system tokens what tells those; and a legacy row's `tokenUUID`, so that one that LISA has migrated in between
        stays.

        Args:
            item: the row as DynamoDB JSON; it has a key and a `tokenExpiration`.
            policy: the rules by which it goes.
            is_legacy: whether it goes because it is legacy.

        Raises:
            msgspec.ValidationError: the row lacks one of the two.
        """
        seen = _SEEN.decode(item)
        if seen.expiration is msgspec.UNSET:
            # What has no date never expires, so no sweep may come this far with it.
            raise msgspec.ValidationError("a row without tokenExpiration cannot have expired")
        conditions: list[Condition] = [(_EXPIRATION, seen.expiration), (_HOLD, seen.hold)]
        if is_legacy:
            conditions.append((_UUID, seen.token_uuid))
        return cls(seen.key, (*conditions, *_protecting(seen, policy)), item)

    @classmethod
    def as_seen(cls, item: bytes, policy: Policy) -> "Target":
        """The target for a row that somebody named, expired or not, and dated or not.

        Its `tokenExpiration`, `janitorHold` and `tokenUUID` have to be as they were seen, missing ones too, and where
        the policy protects owners or system tokens what tells those.

        Raises:
            msgspec.ValidationError: the row lacks its key.
        """
        seen = _SEEN.decode(item)
        conditions = ((_EXPIRATION, seen.expiration), (_HOLD, seen.hold), (_UUID, seen.token_uuid))
        return cls(seen.key, (*conditions, *_protecting(seen, policy)), item)

    @property
    def write_units(self) -> int:
        """What a write of it costs in the table alone, or one whose condition fails, at most: JSON is never shorter."""
        return -(-len(self.item) // _BYTES_OF_A_WRITE_UNIT)

    def is_met_by(self, item: Mapping[str, Any]) -> bool:
        """Whether a row, as botocore gives it, still meets every condition."""
        return all(
            item.get(name) == (None if value is msgspec.UNSET else msgspec.json.decode(value))
            for name, value in self.conditions
        )

    def other_than_seen(self, gone: Mapping[str, Any] | msgspec.Raw) -> bytes | None:
        """The deleted row as DynamoDB JSON, where it is not the one that was seen; None where it is.

        Args:
            gone: the row as the server handed it back: its JSON, or what botocore made of that.
        """
        if isinstance(gone, msgspec.Raw) and bytes(gone) == self.item:
            return None
        # What botocore makes of a binary is bytes, which the encoder writes in Base64, as DynamoDB does.
        content = bytes(gone) if isinstance(gone, msgspec.Raw) else msgspec.json.encode(gone)
        return None if is_same_row(msgspec.json.decode(content), self.item) else content

    def statement(self, table: str) -> dict[str, Any]:
        """The PartiQL statement that deletes the row and hands it back; ready to encode."""
        missing = tuple((name, value is msgspec.UNSET) for name, value in self.conditions)
        return {
            "Statement": _statement(table, missing),
            "Parameters": [self.key, *(value for _, value in self.conditions if value is not msgspec.UNSET)],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def delete_item(self, table: str) -> bytes:
        """The body of the DeleteItem request that does the same."""
        request = {"ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL", **self._on_condition(table, {})}
        return _ENCODE(request)

    def update_item(self, table: str, second: int) -> bytes:
        """The body of the UpdateItem request that sets the row's expiration to a UNIX second, on the same conditions.

        Whatever the type of the expiration was, it is a number then, as in LISA's own recipes.
        """
        new = {":new": {"N": str(second)}}
        request = {"UpdateExpression": "SET #new = :new", **self._on_condition(table, new, **{"#new": _EXPIRATION})}
        return _ENCODE(request)

    def with_expiration(self, second: int) -> dict[str, Any]:
        """The row as that update leaves it, as DynamoDB JSON."""
        return {**msgspec.json.decode(self.item), _EXPIRATION: {"N": str(second)}}

    def _on_condition(self, table: str, values: Mapping[str, Any], **names: str) -> dict[str, Any]:
        """What a write says besides what it does: which row, on which conditions, and what its placeholders mean."""
        # Without it a row that is gone meets every condition that only asks for something to be missing.
        clauses, all_names, all_values = ["attribute_exists(#key)"], {"#key": KEY, **names}, dict(values)
        for number, (name, value) in enumerate(self.conditions):
            all_names[f"#{number}"] = name
            if value is msgspec.UNSET:
                clauses.append(f"attribute_not_exists(#{number})")
            else:
                clauses.append(f"#{number} = :{number}")
                all_values[f":{number}"] = value
        request = {
            "TableName": table,
            "Key": {KEY: self.key},
            "ConditionExpression": " AND ".join(clauses),
            "ExpressionAttributeNames": all_names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        # DynamoDB refuses a request with no values in it.
        return request | {"ExpressionAttributeValues": all_values} if all_values else request

    def __repr__(self) -> str:
        return "Target(…)"


def _protecting(seen: _Seen, policy: Policy) -> list[Condition]:
    """What would make the policy protect the row, if it changed in between."""
    conditions: list[Condition] = []
    if policy.protect_users:
        conditions.append((_OWNER, seen.username))
    if policy.protect_system:
        conditions.append((_SYSTEM, seen.is_system))
    return conditions


def is_same_row(row: Mapping[str, Any], item: bytes) -> bool:
    """Whether a row, as botocore or JSON has it, is the one in this DynamoDB JSON."""
    # A round trip writes binaries as DynamoDB does.
    return bool(_comparable(msgspec.json.decode(msgspec.json.encode(row))) == _comparable(msgspec.json.decode(item)))


def _comparable(value: Any) -> Any:
    """The same value, equal to every other way to write it: sets have no order."""
    if isinstance(value, dict):
        return {
            name: sorted(inner) if name in _SETS and isinstance(inner, list) else _comparable(inner)
            for name, inner in value.items()
        }
    return [_comparable(inner) for inner in value] if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _statement(table: str, missing: tuple[tuple[str, bool], ...]) -> str:
    clauses = [f'"{name}" IS MISSING' if is_missing else f'"{name}"=?' for name, is_missing in missing]
    # `token` is a reserved word, and a table's name may hold dots and dashes: both stand in quotes. DynamoDB
    # allows letters, digits, `_`, `.` and `-` in a table's name: nothing that could end the quotes.
    return f'DELETE FROM "{table}" WHERE "{KEY}"=? AND {" AND ".join(clauses)} RETURNING ALL OLD *'  # noqa: S608

"""A row to delete or update, and the conditions that it must still meet: as PartiQL, DeleteItem and UpdateItem."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from janitor.tokens.attribute_names import EXPIRATION, HOLD, IS_SYSTEM, KEY, USERNAME, UUID
from janitor.tokens.policy import Policy

_ENCODE = msgspec.json.Encoder().encode

_BYTES_OF_A_WRITE_UNIT = 1024


class _SeenRow(msgspec.Struct, gc=False):
    """The attributes of a row that its delete depends on, in the server's own bytes."""

    key: msgspec.Raw = msgspec.field(name=KEY)
    expiration: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=EXPIRATION, default=msgspec.UNSET)
    username: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    is_system: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=IS_SYSTEM, default=msgspec.UNSET)
    token_uuid: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=UUID, default=msgspec.UNSET)
    hold: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=HOLD, default=msgspec.UNSET)


Condition = tuple[str, msgspec.Raw | msgspec.UnsetType]
_SETS = frozenset({"SS", "NS", "BS"})
_SEEN_ROW = msgspec.json.Decoder(_SeenRow)


class Target(msgspec.Struct, frozen=True, gc=False):
    """A row to delete or update. Its `repr` shows nothing of it.

    Attributes:
        key: the key's attribute value, as DynamoDB JSON.
        conditions: attributes with the typed values that they must still have; UNSET for one that must be missing.
        item: the row as it was seen, as DynamoDB JSON.
    """

    key: msgspec.Raw
    conditions: tuple[Condition, ...]
    item: bytes

    @classmethod
    def for_sweep(cls, item: bytes, policy: Policy, *, is_legacy: bool) -> "Target":
        """Make the target of a row that a sweep may delete.

        These attributes must be as they were seen: `tokenExpiration`, so that a token that its owner extended stays;
        `janitorHold`, so that a hold set after planning counts; the attributes by which the policy protects owners or
        system tokens; and a legacy row's `tokenUUID`, so that a row that LISA migrated in the meantime stays.

        Args:
            item: the row as DynamoDB JSON. It has a key, and a `tokenExpiration` unless the policy includes rows
                without one, which must still be without.
            policy: the rules by which it may be deleted.
            is_legacy: whether it may be deleted because it is legacy.

        Raises:
            msgspec.ValidationError: the row lacks its key or `tokenExpiration`.
        """
        seen = _SEEN_ROW.decode(item)
        if seen.expiration is msgspec.UNSET and not policy.include_undated:
            # A row without a date never expires, so no other sweep should get this far with it.
            raise msgspec.ValidationError("a row without tokenExpiration cannot have expired")
        conditions: list[Condition] = [(EXPIRATION, seen.expiration), (HOLD, seen.hold)]
        if is_legacy:
            conditions.append((UUID, seen.token_uuid))
        return cls(seen.key, (*conditions, *_protection_conditions(seen, policy)), item)

    @classmethod
    def for_named_row(cls, item: bytes, policy: Policy) -> "Target":
        """Make the target of a row that a user named, with any date or none.

        Its `tokenExpiration`, `janitorHold` and `tokenUUID` must be as they were seen, or still be missing; so must the
        attributes by which the policy protects owners or system tokens.

        Raises:
            msgspec.ValidationError: the row lacks its key.
        """
        seen = _SEEN_ROW.decode(item)
        conditions = ((EXPIRATION, seen.expiration), (HOLD, seen.hold), (UUID, seen.token_uuid))
        return cls(seen.key, (*conditions, *_protection_conditions(seen, policy)), item)

    @property
    def write_units(self) -> int:
        """The most that a write of the row costs in the table alone, also if its condition fails.

        The size of the JSON is never less than the size that DynamoDB counts.
        """
        return -(-len(self.item) // _BYTES_OF_A_WRITE_UNIT)

    def are_conditions_met_by(self, item: Mapping[str, Any]) -> bool:
        """Whether a row, as botocore returns it, still meets every condition."""
        return all(
            item.get(name) == (None if value is msgspec.UNSET else msgspec.json.decode(value))
            for name, value in self.conditions
        )

    def find_difference(self, deleted: Mapping[str, Any] | msgspec.Raw) -> bytes | None:
        """Return the deleted row as DynamoDB JSON if it differs from the row that was seen; else None.

        Args:
            deleted: the row as the server returned it: its JSON, or botocore's Python value.
        """
        if isinstance(deleted, msgspec.Raw) and bytes(deleted) == self.item:
            return None
        # botocore turns a binary into bytes, which the encoder writes in Base64, as DynamoDB does.
        content = bytes(deleted) if isinstance(deleted, msgspec.Raw) else msgspec.json.encode(deleted)
        return None if is_same_row(msgspec.json.decode(content), self.item) else content

    def build_delete_statement(self, table: str) -> dict[str, Any]:
        """Build the PartiQL statement that deletes the row and returns it; ready to encode."""
        missing = tuple((name, value is msgspec.UNSET) for name, value in self.conditions)
        return {
            "Statement": _statement(table, missing),
            "Parameters": [self.key, *(value for _, value in self.conditions if value is not msgspec.UNSET)],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def build_delete_item(self, table: str) -> bytes:
        """Build the body of the DeleteItem request that does the same."""
        request = {"ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL", **self._build_condition(table, {})}
        return _ENCODE(request)

    def build_update_item(self, table: str, second: int) -> bytes:
        """Build the body of the UpdateItem request that sets the row's expiration to a UNIX second.

        Its conditions are the same. The expiration becomes a number whatever it was, as in LISA's own recipes.
        """
        new = {":new": {"N": str(second)}}
        request = {"UpdateExpression": "SET #new = :new", **self._build_condition(table, new, **{"#new": EXPIRATION})}
        return _ENCODE(request)

    def with_expiration(self, second: int) -> dict[str, Any]:
        """Return the row as that update leaves it, as DynamoDB JSON."""
        return {**msgspec.json.decode(self.item), EXPIRATION: {"N": str(second)}}

    def _build_condition(self, table: str, values: Mapping[str, Any], **names: str) -> dict[str, Any]:
        """Build the part of a write that names the row, its conditions, and all placeholders."""
        # Without this clause a missing row would meet conditions that only require attributes to be missing.
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
        # DynamoDB refuses a request with an empty map of values.
        return request | {"ExpressionAttributeValues": all_values} if all_values else request

    def __repr__(self) -> str:
        return "Target(…)"


def _protection_conditions(seen: _SeenRow, policy: Policy) -> list[Condition]:
    """List the conditions on attributes whose change could make the policy protect the row, or leave it out."""
    conditions: list[Condition] = []
    if policy.protect_users or policy.narrowing.names_owners:
        conditions.append((USERNAME, seen.username))
    if policy.protect_system:
        conditions.append((IS_SYSTEM, seen.is_system))
    return conditions


def is_same_row(row: Mapping[str, Any], item: bytes) -> bool:
    """Whether a row, from botocore or JSON, is equal to the one in this DynamoDB JSON."""
    # The round trip turns binaries into Base64, as in DynamoDB JSON.
    return bool(_normalize(msgspec.json.decode(msgspec.json.encode(row))) == _normalize(msgspec.json.decode(item)))


def _normalize(value: Any) -> Any:
    """Sort every set in the value, because sets have no order."""
    if isinstance(value, dict):
        return {
            name: sorted(inner) if name in _SETS and isinstance(inner, list) else _normalize(inner)
            for name, inner in value.items()
        }
    return [_normalize(inner) for inner in value] if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _statement(table: str, missing: tuple[tuple[str, bool], ...]) -> str:
    clauses = [f'"{name}" IS MISSING' if is_missing else f'"{name}"=?' for name, is_missing in missing]
    # `token` is a reserved word, and a table's name may hold dots and dashes, so both are quoted. DynamoDB allows only
    # letters, digits, `_`, `.` and `-` in a table's name: nothing that could end the quotes.
    return f'DELETE FROM "{table}" WHERE "{KEY}"=? AND {" AND ".join(clauses)} RETURNING ALL OLD *'  # noqa: S608

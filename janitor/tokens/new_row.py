"""The row of a new token, as DynamoDB JSON with LISA's types.

- classic: `token` (S) and, unless it is permanent, `tokenExpiration` (N), as in the recipes of LISA's documentation.
- hashed: what LISA's own create handler writes (lambda/api_tokens/handler.py at v6.6.0). boto3 makes N of an int, S of
  a str, BOOL of a bool, and L of a list.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from janitor.tokens.row import decode_row, is_truthy, read_groups, text_of

_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The attributes that a row of LISA 6.1 and later has besides its key and expiration.

    Attributes:
        token_uuid: the name by which LISA lists and deletes the row.
        created_date: when the token was created, in UNIX seconds.
        created_by: who created it.
        username: its owner.
        groups: the owner's groups, which say what the token may do.
        name: the token's name, chosen by its owner.
        is_system: whether it belongs to a system instead of a person.
    """

    token_uuid: str
    created_date: int
    created_by: str
    username: str
    groups: tuple[str, ...]
    name: str
    is_system: bool


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What a new row keeps of the row that it replaces.

    Attributes:
        name: the token's name; None if it has none.
        groups: the owner's groups; None if they are no list of texts, which LISA's authorizer cannot read either.
        is_system: whether it belongs to a system.
    """

    name: str | None
    groups: tuple[str, ...] | None
    is_system: bool


def read_predecessor(item: bytes) -> Predecessor:
    """Read what the row of a new token keeps of this one, given as DynamoDB JSON.

    A set of texts counts as a list: it is written as one.
    """
    row = decode_row(item)
    return Predecessor(text_of(row.name) or None, read_groups(row.groups), is_truthy(row.is_system))


def make_row(key: str, expires: int | None, grant: Grant | None) -> bytes:
    """Make the row of a new token.

    Args:
        key: the row's key, from `key_of`.
        expires: in UNIX seconds; None for a permanent token.
        grant: the other attributes; None for a classic table, whose rows have no others.
    """
    item: dict[str, Any] = {"token": {"S": key}}
    if expires is not None:
        item["tokenExpiration"] = {"N": str(expires)}
    if grant is not None:
        item |= {
            "tokenUUID": {"S": grant.token_uuid},
            "createdDate": {"N": str(grant.created_date)},
            "createdBy": {"S": grant.created_by},
            "username": {"S": grant.username},
            "groups": {"L": [{"S": group} for group in grant.groups]},
            "name": {"S": grant.name},
            "isSystemToken": {"BOOL": grant.is_system},
        }
    return _ENCODE(item)

"""The row of a new token, as DynamoDB JSON with LISA's types.

- classic: `token` (S) and, unless it is permanent, `tokenExpiration` (N), as in the recipes of LISA's documents.
- hashed: what LISA's own create handler writes (lambda/api_tokens/handler.py at v6.6.0). boto3 makes N of an int, S of
  a str, BOOL of a bool, and L of a list.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a row of LISA 6.1 says of its token besides key and expiration.

    Attributes:
        token_uuid: how LISA names the row.
        created_date: when it was made, in UNIX seconds.
        created_by: by whom.
        username: whose it is.
        groups: what its bearer may do.
        name: what its owner calls it.
        is_system: whether it is no person's.
    """

    token_uuid: str
    created_date: int
    created_by: str
    username: str
    groups: tuple[str, ...]
    name: str
    is_system: bool


def new_row(key: str, expires: int | None, grant: Grant | None) -> bytes:
    """The row.

    Args:
        key: as `key_of` makes it of the token.
        expires: in UNIX seconds; None for a permanent token.
        grant: None for a classic table, whose rows say nothing else.
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

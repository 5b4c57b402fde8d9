"""Which version of LISA reads the table, and which of its gates would let a row in.

The rules are LISA's own, at the tags named in docs/explanation/states-and-gates.md:

- classic, v5.4.0 (lambda/authorizer/lambda_functions.py): `now < int(tokenExpiration)`; without one, valid for ever.
- hashed, v6.6.0 (the same file): a row whose key is the token's sha256 as `hexdigest` writes it, a truthy `tokenUUID`,
  a truthy `tokenExpiration`, and `now < int(tokenExpiration)`.
- MCP Workbench, v6.6.0 (lib/serve/mcp-workbench/…/auth.py): looks up the raw header as the key, then follows the
  classic rule. So anyone who has read the stored hash of a modern row gets in with that hash.
"""

from collections.abc import Collection
from enum import StrEnum

from janitor.tokens.expiration import read_as_lisa
from janitor.tokens.row import Row, is_truthy


class Dialect(StrEnum):
    """`classic`: LISA before 6.1, the key is the token. `hashed`: 6.1 and later, the key is the token's sha256."""

    CLASSIC = "classic"
    HASHED = "hashed"


class Gate(StrEnum):
    """`api`: the API Gateway authorizer and Serve. `workbench`: MCP Workbench."""

    API = "api"
    WORKBENCH = "workbench"


SHA256_DIGITS = 64

API_ONLY = (Gate.API,)
WORKBENCH_ONLY = (Gate.WORKBENCH,)
BOTH_GATES = (Gate.API, Gate.WORKBENCH)


def find_accepting_gates(row: Row, now: int, dialect: Dialect) -> tuple[Gate, ...]:
    """Return the gates that would let this row in at the UNIX second `now`; empty means dead everywhere."""
    if not _passes_classic_rule(row, now):
        return ()
    # The hashed rule is the classic one with more conditions, so the api never accepts what Workbench refuses.
    if dialect is Dialect.HASHED and (is_legacy(row) or not is_truthy(row.expiration)):
        return WORKBENCH_ONLY
    return BOTH_GATES


def is_legacy(row: Row) -> bool:
    """Whether the hashed api gate refuses the row for good, whatever its date: no tokenUUID, or it is never found."""
    return lacks_uuid(row) or not is_sha256(row.key.S or "")


def lacks_uuid(row: Row) -> bool:
    """Whether LISA itself calls the row legacy: `if not token_info.get("tokenUUID")`."""
    return not is_truthy(row.token_uuid)


def is_sha256(key: str) -> bool:
    """Whether the hashed api gate can look this key up: 64 lower-case hex digits, as `hexdigest` writes a sha256."""
    try:
        return len(key) == SHA256_DIGITS and bytes.fromhex(key).hex() == key
    except ValueError:
        return False


def are_sha256(keys: Collection[str]) -> bool:
    """Whether `is_sha256` is true of every one of these keys. It takes a third of the time."""
    text = "".join(keys)
    try:
        return set(map(len, keys)) <= {SHA256_DIGITS} and bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def _passes_classic_rule(row: Row, now: int) -> bool:
    if row.expiration is None:
        return True
    second = read_as_lisa(row.expiration)
    return second is not None and now < second

"""Which LISA reads the table, and which of its gates would let a row in.

The rules are LISA's own, at the tags named in the README:

- classic, v5.4.0 (lambda/authorizer/lambda_functions.py): `now < int(tokenExpiration)`; a missing one is for ever.
- hashed, v6.6.0 (the same file): a true `tokenUUID`, a true `tokenExpiration`, and `now < int(tokenExpiration)`.
- MCP Workbench, v6.6.0 (lib/serve/mcp-workbench/…/auth.py): the raw header is the key, then the classic rule. So even
  the stored hash of a modern row opens it to whoever has read that hash.
"""

from enum import StrEnum

from janitor.tokens.expiration import as_lisa_reads
from janitor.tokens.row import Row, is_true


class Dialect(StrEnum):
    """`classic`: LISA before 6.1, the key is the token. `hashed`: 6.1 and later, the key is the token's sha256."""

    CLASSIC = "classic"
    HASHED = "hashed"


class Gate(StrEnum):
    """`api`: the API Gateway authorizer and Serve. `workbench`: MCP Workbench."""

    API = "api"
    WORKBENCH = "workbench"


WORKBENCH_ONLY = (Gate.WORKBENCH,)
BOTH_GATES = (Gate.API, Gate.WORKBENCH)


def accepted_by(row: Row, now: int, dialect: Dialect) -> tuple[Gate, ...]:
    """The gates that would let this row in at the UNIX second `now`; empty means dead everywhere."""
    if not _passes_classic_rule(row, now):
        return ()
    # The hashed rule is the classic one with more asked of the row, so the api never accepts what Workbench refuses.
    if dialect is Dialect.HASHED and (lacks_uuid(row) or not is_true(row.expiration)):
        return WORKBENCH_ONLY
    return BOTH_GATES


def lacks_uuid(row: Row) -> bool:
    """Whether the hashed api gate takes the row for a legacy one: `if not token_info.get("tokenUUID")`."""
    return not is_true(row.token_uuid)


def _passes_classic_rule(row: Row, now: int) -> bool:
    if row.expiration is None:
        return True
    second = as_lisa_reads(row.expiration)
    return second is not None and now < second

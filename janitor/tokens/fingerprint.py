"""How a row is named everywhere: a short digest of the bearer token, never the row's key.

An owner finds the fingerprint of a token with `printf %s "$TOKEN" | sha256sum | cut -c1-12`. It names a token, and
a token may have two rows: in a hashed table its legacy row, whose key is the token, beside the present one, whose key
is the token's sha256. The row name tells them apart: the fingerprint, a hyphen, and six digits of the row's own.
"""

import hashlib
import hmac
import re

from janitor.tokens.dialect import Dialect, lacks_uuid
from janitor.tokens.row import Row

LENGTH = 12
ROW_DIGITS = 6

_SHA256_HEX = re.compile(r"[0-9a-f]{64}").fullmatch


def fingerprint(row: Row, dialect: Dialect, secret: bytes | None = None) -> str:
    """The first 12 hex digits of the sha256 of the bearer token; with `secret`, of an HMAC-SHA256 of that sha256.

    The key of a hashed row is that sha256 already. A key that is not one, and any legacy row's key, is plain text and
    is hashed first.
    """
    key = row.key.S or ""
    digest = key if is_key_hashed(row, dialect) else hashlib.sha256(key.encode()).hexdigest()
    if secret is not None:
        digest = hmac.new(secret, digest.encode(), hashlib.sha256).hexdigest()
    return digest[:LENGTH]


def row_name(row: Row, fingerprint: str, secret: bytes | None = None) -> str:
    """What names this row alone: `3f0c9a1b2d4e-7b21c0`. No part of it is one of the key.

    Args:
        row: the row.
        fingerprint: its fingerprint, with which the name begins.
        secret: the key of the fingerprints; None for plain ones.
    """
    # Of another text than a fingerprint is, or the two would be alike, and so would the rows of two fingerprints that
    # somebody made alike.
    text = b"row " + (row.key.S or "").encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(text) if secret is None else hmac.new(secret, text, hashlib.sha256)
    return f"{fingerprint}-{digest.hexdigest()[:ROW_DIGITS]}"


def is_key_hashed(row: Row, dialect: Dialect) -> bool:
    """Whether the row's key is the sha256 of its token, and not the token itself."""
    return dialect is Dialect.HASHED and not lacks_uuid(row) and _SHA256_HEX(row.key.S or "") is not None

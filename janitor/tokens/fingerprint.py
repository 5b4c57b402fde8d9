"""The fingerprint, which names a token everywhere: a short digest of the bearer token, never the row's key.

An owner computes it with `printf %s "$TOKEN" | sha256sum | cut -c1-12`. A token may have two rows: in a hashed table
its legacy row, whose key is the token, and its current row, whose key is the token's sha256. The row name tells them
apart: the fingerprint, a hyphen, and six digits that only this row has.
"""

import hashlib
import hmac

from janitor.tokens.dialect import Dialect, is_legacy
from janitor.tokens.row import Row, Text

FINGERPRINT_LENGTH = 12
ROW_DIGITS = 6


def compute_fingerprint(row: Row, dialect: Dialect, fingerprint_key: bytes | None = None) -> str:
    """Return the first 12 hex digits of the bearer token's sha256; with a key, of an HMAC-SHA256 of that sha256."""
    digest = compute_token_digest(row, dialect)
    if fingerprint_key is not None:
        digest = hmac.new(fingerprint_key, digest.encode(), hashlib.sha256).hexdigest()
    return digest[:FINGERPRINT_LENGTH]


def compute_token_digest(row: Row, dialect: Dialect) -> str:
    """Return the sha256 of the row's bearer token, in hex.

    The key of a hashed row is that sha256 already. A key of any other form, and the key of any legacy row, is the plain
    token and is hashed first.
    """
    key = row.key.S or ""
    return key if is_key_hashed(row, dialect) else hashlib.sha256(key.encode()).hexdigest()


def make_row_name(row: Row, fingerprint: str, fingerprint_key: bytes | None = None) -> str:
    """Return the name of this row alone: `3f0c9a1b2d4e-7b21c0`. No part of it is a part of the key.

    Args:
        row: the row.
        fingerprint: its fingerprint, with which the name begins.
        fingerprint_key: the key of the fingerprints; None for plain ones.
    """
    # The prefix keeps these digits independent of the fingerprint: they still differ for two tokens that somebody
    # chose so that their fingerprints are equal.
    text = b"row " + (row.key.S or "").encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(text) if fingerprint_key is None else hmac.new(fingerprint_key, text, hashlib.sha256)
    return f"{fingerprint}-{digest.hexdigest()[:ROW_DIGITS]}"


def is_key_hashed(row: Row, dialect: Dialect) -> bool:
    """Whether the row's key is the sha256 of its token, and not the token itself."""
    return dialect is Dialect.HASHED and not is_legacy(row)


def key_of(token: str, dialect: Dialect) -> str:
    """Return the key under which LISA of this dialect looks the token up: the token itself, or its sha256 in hex."""
    return token if dialect is Dialect.CLASSIC else hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def compute_token_fingerprint(token: str, fingerprint_key: bytes | None = None) -> str:
    """Return the fingerprint of a bearer token, which is the same in both dialects.

    Args:
        token: the bearer token.
        fingerprint_key: the key of the fingerprints; None for plain ones.
    """
    return compute_fingerprint(Row(key=Text(token)), Dialect.CLASSIC, fingerprint_key)

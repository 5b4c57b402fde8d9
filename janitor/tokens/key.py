"""From a bearer token to the key of its row, and to its fingerprint."""

import hashlib

from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import fingerprint
from janitor.tokens.row import Row, Text


def key_of(token: str, dialect: Dialect) -> str:
    """The key under which LISA of this dialect looks the token up: itself, or its sha256 in hex digits."""
    return token if dialect is Dialect.CLASSIC else hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint_of(token: str, secret: bytes | None = None) -> str:
    """How the token's row is named, which is the same in both dialects.

    Args:
        token: the bearer token.
        secret: the key of the fingerprints; None for plain ones.
    """
    return fingerprint(Row(key=Text(token)), Dialect.CLASSIC, secret)

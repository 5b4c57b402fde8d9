"""How a row is named everywhere: a short digest of the bearer token, never the row's key.

An owner finds the own one with `printf %s "$TOKEN" | sha256sum | cut -c1-12`.
"""

import hashlib
import hmac
import re

from janitor.tokens.dialect import Dialect, lacks_uuid
from janitor.tokens.row import Row

LENGTH = 12

_SHA256_HEX = re.compile(r"[0-9a-f]{64}").fullmatch


def fingerprint(row: Row, dialect: Dialect, secret: bytes | None = None) -> str:
    """The first 12 hex digits of the sha256 of the bearer token; with `secret`, of an HMAC-SHA256 of that sha256.

    The key of a hashed row is that sha256 already. A key that is not one, and any legacy row's key, is plain text and
    is hashed first.
    """
    key = row.key.S or ""
    is_hash = dialect is Dialect.HASHED and not lacks_uuid(row) and _SHA256_HEX(key)
    digest = key if is_hash else hashlib.sha256(key.encode()).hexdigest()
    if secret is not None:
        digest = hmac.new(secret, digest.encode(), hashlib.sha256).hexdigest()
    return digest[:LENGTH]

"""The key of fingerprints, out of its file."""

import codecs
import hmac
from hashlib import sha256
from pathlib import Path

from janitor.errors import ConfigurationError


def secret_in(path: Path | None) -> bytes | None:
    """The key of the fingerprints in this file, without the line end after it; None for no file.

    Raises:
        ConfigurationError: the file cannot be read, is empty, or begins with a byte order mark.
    """
    if path is None:
        return None
    try:
        secret = path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise ConfigurationError(
            f"--fingerprint-key-file {path}: {error.strerror}", "give a file that can be read"
        ) from None
    if secret.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigurationError(
            f"--fingerprint-key-file {path} begins with a byte order mark, which would be a part of the secret",
            "save it as UTF-8 without one",
        )
    if not secret:
        raise ConfigurationError(f"--fingerprint-key-file {path} is empty", "put a secret of some length in it")
    return secret


def key_name(secret: bytes | None) -> str:
    """A name for the key, by which stores tell what was written under another one; it says nothing of the key."""
    return "-" if secret is None else hmac.new(secret, b"the name of this key", sha256).hexdigest()[:12]

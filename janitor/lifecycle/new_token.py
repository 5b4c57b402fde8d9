"""A new token: generate or read it, compute its expiry, print it."""

import os
import secrets
import stat
import sys

from janitor.errors import ConfigurationError
from janitor.lifecycle.token_input import read_token
from janitor.settings.setting import flag
from janitor.settings.token_add import LifetimeSettings, TokenSourceSettings
from janitor.tokens.dialect import Dialect
from janitor.tokens.expiration import MAX_SECONDS
from janitor.tokens.new_expiry import TEN_YEARS, format_time_and_distance
from janitor.tokens.token_strength import why_unusable, why_weak


def choose_lifetime(life: LifetimeSettings) -> str:
    """Return which of `expires_in`, `expires_at` and `permanent` is given.

    Raises:
        ConfigurationError: none, or more than one.
    """
    names = ("expires_in", "expires_at", "permanent")
    chosen = life.choose(name for name in names if getattr(life, name) is not None and getattr(life, name) is not False)
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        way_out = f"give one of {', '.join(map(flag, names))}"
        raise ConfigurationError("no expiry is given", way_out, "no-expiry")
    raise ConfigurationError(f"{life.spell(chosen)} contradict each other", "give one of them")


def compute_expiry(life: LifetimeSettings, dialect: Dialect, now: int) -> int | None:
    """Compute the UNIX second from which on LISA rejects the token; None for never.

    Raises:
        ConfigurationError: it is not in the future, or too far ahead, or never in a table whose LISA needs an expiry.
    """
    chosen = choose_lifetime(life)
    if chosen == "permanent":
        if dialect is Dialect.HASHED:
            sentence = "--permanent is for classic tables: LISA 6.1 and later rejects a token without an expiry"
            raise ConfigurationError(sentence, "give --expires-in or --expires-at", "permanent")
        return None
    expires = (life.expires_at or 0) if chosen == "expires_at" else now + (life.expires_in or 0)
    if expires <= now:
        sentence = f"{flag(chosen)} says {format_time_and_distance(expires, now)}, which is not in the future"
        raise ConfigurationError(sentence, "give a later time", "past")
    if expires > MAX_SECONDS:
        raise ConfigurationError(f"{flag(chosen)} is too far ahead for UNIX seconds", "give an earlier time", "too-far")
    if expires > now + TEN_YEARS and not life.yes:
        sentence = f"{flag(chosen)} says {format_time_and_distance(expires, now)}, which is more than ten years ahead"
        raise ConfigurationError(sentence, "give --yes if that is meant", "too-far")
    return expires


def make_or_read_token(settings: TokenSourceSettings) -> str:
    """Generate a random token, or read one from standard input.

    Raises:
        ConfigurationError: there is none, no HTTP header can carry it, or it is weak.
    """
    if not settings.token_stdin:
        return secrets.token_hex((settings.length + 1) // 2)[: settings.length]
    if settings.given_by_flag("length"):
        raise ConfigurationError("--length is for a generated token", "remove --length, or --token-stdin")
    token = read_token("token to add")
    fault = why_unusable(token)
    if fault is not None:
        raise ConfigurationError(f"the token on standard input {fault}", "choose another one", "unusable-token")
    weakness = why_weak(token)
    if weakness is not None and not settings.allow_weak:
        way_out = "remove --token-stdin to have one generated, or give --allow-weak"
        raise ConfigurationError(f"the token on standard input {weakness}", way_out, "weak-token")
    return token


def check_output_is_read(command: str) -> None:
    """Check that standard output goes somewhere: a generated token is printed once, and stored nowhere.

    Args:
        command: what was run, for the way out: `token add`.

    Raises:
        ConfigurationError: standard output is closed, or is the null device.
    """
    output, nowhere = os.fstat(sys.stdout.fileno()), os.stat(os.devnull)  # noqa: PTH116  # beside os.fstat
    if stat.S_ISCHR(output.st_mode) and output.st_rdev == nowhere.st_rdev:
        sentence = "standard output goes nowhere, and a generated token is printed only there"
        raise ConfigurationError(sentence, f"capture it, as in TOKEN=$(janitor {command} …)", "no-reader")


def print_token(token: str) -> None:
    """Print the token, alone on a line of standard output.

    Raises:
        OSError: not all of it was written.
    """
    content = f"{token}\n".encode()
    # Not through Python's buffers: they would keep what could not be written, and try again at exit.
    while content:
        content = content[os.write(sys.stdout.fileno(), content) :]

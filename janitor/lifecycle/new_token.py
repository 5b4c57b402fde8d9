"""A new token itself: where it comes from, how long it lives, and how it reaches whoever asked for it."""

import os
import secrets
import stat
import sys

from janitor.errors import ConfigurationError
from janitor.lifecycle.token_input import token_from_stdin
from janitor.settings.setting import flag
from janitor.settings.token_add import LifeSettings, SecretSettings
from janitor.tokens.dialect import Dialect
from janitor.tokens.expiration import MAX_SECONDS
from janitor.tokens.new_expiry import TEN_YEARS, time_and_distance
from janitor.tokens.weak import why_unusable, why_weak


def chosen_life(life: LifeSettings) -> str:
    """Which of `expires_in`, `expires_at` and `permanent` was asked for.

    Raises:
        ConfigurationError: none, or more than one.
    """
    names = ("expires_in", "expires_at", "permanent")
    chosen = life.choose(name for name in names if getattr(life, name) is not None and getattr(life, name) is not False)
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        way_out = f"give one of {', '.join(map(flag, names))}"
        raise ConfigurationError("nothing says how long the token is to live", way_out, "no-expiry")
    raise ConfigurationError(f"{life.spell(chosen)} contradict each other", "give one of them")


def expiry_of(life: LifeSettings, dialect: Dialect, now: int) -> int | None:
    """The UNIX second from which on LISA is to refuse the token; None for never.

    Raises:
        ConfigurationError: it is not in the future, too far ahead, or none in a table whose LISA asks for one.
    """
    chosen = chosen_life(life)
    if chosen == "permanent":
        if dialect is Dialect.HASHED:
            sentence = "--permanent is for classic tables: LISA 6.1 and later refuses a token without an expiry"
            raise ConfigurationError(sentence, "give --expires-in or --expires-at", "permanent")
        return None
    expires = (life.expires_at or 0) if chosen == "expires_at" else now + (life.expires_in or 0)
    if expires <= now:
        sentence = f"{flag(chosen)} says {time_and_distance(expires, now)}, which is not in the future"
        raise ConfigurationError(sentence, "give a later time", "past")
    if expires > MAX_SECONDS:
        raise ConfigurationError(f"{flag(chosen)} is too far ahead for UNIX seconds", "give an earlier time", "too-far")
    if expires > now + TEN_YEARS and not life.yes:
        sentence = f"{flag(chosen)} says {time_and_distance(expires, now)}, which is more than ten years ahead"
        raise ConfigurationError(sentence, "give --yes if that is meant", "too-far")
    return expires


def token_of(settings: SecretSettings) -> str:
    """A random token, or the one on standard input.

    Raises:
        ConfigurationError: there is none, no header carries it, or it is weak.
    """
    if not settings.token_stdin:
        return secrets.token_hex((settings.length + 1) // 2)[: settings.length]
    if settings.typed("length"):
        raise ConfigurationError("--length is for a generated token", "go without it, or without --token-stdin")
    token = token_from_stdin("token to add")
    fault = why_unusable(token)
    if fault is not None:
        raise ConfigurationError(f"the token on standard input {fault}", "choose another one", "unusable-token")
    weakness = why_weak(token)
    if weakness is not None and not settings.allow_weak:
        way_out = "let it be generated, by going without --token-stdin, or give --allow-weak"
        raise ConfigurationError(f"the token on standard input {weakness}", way_out, "weak-token")
    return token


def check_somebody_reads() -> None:
    """See that what is printed goes somewhere, for a generated token is printed once, and kept by nobody.

    Raises:
        ConfigurationError: standard output is closed, or is the null device.
    """
    output, nowhere = os.fstat(sys.stdout.fileno()), os.stat(os.devnull)  # noqa: PTH116  # two of a kind
    if stat.S_ISCHR(output.st_mode) and output.st_rdev == nowhere.st_rdev:
        sentence = "standard output goes nowhere, and a generated token is printed there alone"
        raise ConfigurationError(sentence, "give it a reader, as in TOKEN=$(janitor token add …)", "no-reader")


def hand_out(token: str) -> None:
    """Print the token, alone on a line of standard output.

    Raises:
        OSError: not all of it was taken.
    """
    content = f"{token}\n".encode()
    # Past Python's buffers, which would keep what could not be written, and try again at the end.
    while content:
        content = content[os.write(sys.stdout.fileno(), content) :]

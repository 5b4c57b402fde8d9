"""A token from standard input. It never comes from the command line, which `ps` and the shell's history show."""

import getpass
import sys
import warnings
from collections.abc import Sequence

from janitor.errors import ConfigurationError

# More than any header carries; a file that was piped in by mistake is not read to its end.
_MOST_BYTES = 64 * 1024


def token_from_stdin(what: str) -> str:
    """The token on standard input, without the line end behind it; a terminal is asked for it, without an echo.

    Args:
        what: what is asked for, in words: `token`, `token to add`.

    Raises:
        ConfigurationError: there is none, it is no text, or the terminal would show what is typed.
    """
    # A stream that the caller closed (`<&-`) is None in Python.
    if sys.stdin is None:
        content = ""
    elif sys.stdin.isatty():
        content = _typed(what)
    else:
        content = _piped(what)
    token = content.removesuffix("\n").removesuffix("\r")
    if not token:
        raise _wrong(f"there is no {what} on standard input", "pipe it in, or type it at a terminal")
    return token


def refuse_words(words: Sequence[str]) -> None:
    """Refuse what stands on the command line besides options, without repeating it: it may be a token.

    Raises:
        ConfigurationError: something does.
    """
    if words:
        sentence = "a token is never taken from the command line, which others can read"
        raise _wrong(sentence, "pipe it in, or type it at a terminal")


def _piped(what: str) -> str:
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    way_out = f"pipe the {what} in alone"
    if len(content) > _MOST_BYTES:
        raise _wrong(f"more than {_MOST_BYTES:,} bytes are on standard input, which is no token", way_out)
    try:
        # With the mark that some shells put before what they pipe.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong("what is on standard input is no text in UTF-8", way_out) from None


def _typed(what: str) -> str:
    try:
        with warnings.catch_warnings():
            # Where the echo cannot be switched off, getpass only warns, and shows the token.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"{what.capitalize()} (it is not shown): ")
    except getpass.GetPassWarning:
        raise _wrong(f"this terminal would show the {what} as it is typed", "pipe it in") from None
    except EOFError:
        return ""


def _wrong(sentence: str, way_out: str) -> ConfigurationError:
    return ConfigurationError(sentence, way_out, "no-token")

"""Read a token from standard input. Never from the command line, which `ps` and the shell's history show."""

import getpass
import sys
import warnings
from collections.abc import Sequence

from janitor.errors import ConfigurationError

# More than any header can carry. A file that was piped in by mistake is not read to its end.
_MAX_BYTES = 64 * 1024


def read_token(prompt: str) -> str:
    """Read the token from standard input, without its line end. At a terminal, ask for it without an echo.

    Args:
        prompt: what to ask for: `token`, `token to add`.

    Raises:
        ConfigurationError: there is none, it is not text, or the terminal would show what is typed.
    """
    # A stream that the caller closed (`<&-`) is None in Python.
    if sys.stdin is None:
        content = ""
    elif sys.stdin.isatty():
        content = _ask(prompt)
    else:
        content = _read_pipe(prompt)
    token = content.removesuffix("\n").removesuffix("\r")
    if not token:
        raise _make_input_error(f"there is no {prompt} on standard input", "pipe it in, or type it at a terminal")
    return token


def refuse_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments on the command line, without repeating them: one may be a token.

    Raises:
        ConfigurationError: there are any.
    """
    if arguments:
        sentence = "a token is never taken from the command line, which others can read"
        raise _make_input_error(sentence, "pipe it in, or type it at a terminal")


def _read_pipe(prompt: str) -> str:
    content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    way_out = f"pipe the {prompt} in alone"
    if len(content) > _MAX_BYTES:
        raise _make_input_error(f"more than {_MAX_BYTES:,} bytes are on standard input: too long for a token", way_out)
    try:
        # Some shells put a byte order mark before what they pipe.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _make_input_error("standard input is not UTF-8 text", way_out) from None


def _ask(prompt: str) -> str:
    try:
        with warnings.catch_warnings():
            # If the echo cannot be switched off, getpass only warns, and shows the token.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"{prompt.capitalize()} (it is not shown): ")
    except getpass.GetPassWarning:
        raise _make_input_error(f"this terminal would show the {prompt} as it is typed", "pipe it in") from None
    except EOFError:
        return ""


def _make_input_error(sentence: str, way_out: str) -> ConfigurationError:
    return ConfigurationError(sentence, way_out, "no-token")

"""The one question before a delete, on a terminal only."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import click

from janitor.errors import StopRequestedError
from janitor.run.stopping import Stop
from janitor.tokens.expiration import moment


def confirmation(table: str, stop: Stop, *, yes: bool) -> Callable[[int, int, int], bool]:
    """What a sweep asks before it deletes: so many rows, whose expiries lie between these two UNIX seconds.

    The answer is yes without a question when `yes` says so, or when standard input is no terminal.
    """

    def ask(rows: int, oldest: int, newest: int) -> bool:
        if yes or not sys.stdin.isatty():
            return True
        what = f"{rows:,} {'token' if rows == 1 else 'tokens'} of {table}, expired {_span(oldest, newest)}"
        try:
            with stop.waiting():
                return _asked(f"Delete {what}? [y/N]: ")
        except StopRequestedError:
            click.echo(err=True)
            return False

    return ask


def _asked(question: str) -> bool:
    """Ask whoever sits at the terminal, also where standard error goes elsewhere; no answer is no."""
    with contextlib.ExitStack() as opened:
        try:
            screen = sys.stderr if sys.stderr.isatty() else opened.enter_context(Path("/dev/tty").open("w"))
        except OSError:
            click.echo("janitor: there is no terminal to ask on; give --yes", err=True)
            return False
        click.echo(question, nl=False, file=screen)
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            click.echo(file=screen)
    return answer.strip().lower() in {"y", "yes"}


def _span(oldest: int, newest: int) -> str:
    first, last = _day(oldest), _day(newest)
    return f"on {first}" if first == last else f"between {first} and {last}"


def _day(second: int) -> str:
    when = moment(second)
    return f"{when.date()}" if when else f"at UNIX second {second}"

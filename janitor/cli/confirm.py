"""The one question before a delete, on a terminal only."""

import sys
from collections.abc import Callable

import click

from janitor.errors import StopRequestedError
from janitor.run.stopping import Stop
from janitor.tokens.expiration import moment


def confirmation(table: str, stop: Stop, *, yes: bool) -> Callable[[int, int, int], bool]:
    """What a sweep asks before it deletes: so many rows, whose expiries lie between these two UNIX seconds.

    The answer is yes without a question when `yes` says so, or when nobody sits at a terminal.
    """

    def ask(rows: int, oldest: int, newest: int) -> bool:
        if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        what = f"{rows:,} {'token' if rows == 1 else 'tokens'} of {table}, expired {_span(oldest, newest)}"
        try:
            with stop.waiting():
                return click.confirm(f"Delete {what}?", default=False, err=True)
        except (StopRequestedError, click.Abort):
            click.echo(err=True)
            return False

    return ask


def _span(oldest: int, newest: int) -> str:
    first, last = _day(oldest), _day(newest)
    return f"on {first}" if first == last else f"between {first} and {last}"


def _day(second: int) -> str:
    when = moment(second)
    return f"{when.date()}" if when else f"at UNIX second {second}"

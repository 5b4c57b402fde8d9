"""The one rule of consent: what deletes asks on a terminal; without one it takes --yes, or a file that says so."""

import contextlib
import sys
from pathlib import Path

import click

from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.stopping import Stop
from janitor.tokens.expiration import moment
from janitor.tokens.words import counted

NO_TERMINAL = "there is no terminal to ask on"
WAY_OUT = "give --yes"


class NotConfirmedError(JanitorError):
    """Nobody said that the rows may go."""

    exit_code: int = ExitCode.REFUSED
    default_code = "not-confirmed"


class Confirmation:
    """Of a sweep. As `janitor.run.sweep.Consent`."""

    def __init__(self, table: str, stop: Stop, *, yes: bool, is_scheduled: bool = False) -> None:
        """Prepare; nothing is asked.

        Args:
            table: whose rows.
            stop: a request is a no.
            yes: whether --yes was given.
            is_scheduled: whether a schedule file says that it may delete, so that there need be no terminal.
        """
        self._table, self._stop, self._yes, self._is_scheduled = table, stop, yes, is_scheduled

    def problem(self) -> str | None:
        """As `Consent.problem`."""
        if self._yes or self._is_scheduled or can_ask():
            return None
        return f"{NO_TERMINAL}; {WAY_OUT}"

    def is_given(self, rows: int, oldest: int, newest: int) -> bool:
        """As `Consent.is_given`."""
        if self._yes or not can_ask():
            return self.problem() is None
        what = f"{counted(rows, 'token')} of {self._table}, expired {_span(oldest, newest)}"
        return _answer(f"Delete {what}?", self._stop) is True


def can_ask() -> bool:
    """Whether somebody sits there who can be asked; standard input may be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, nothing: str, stop: Stop) -> None:
    """Ask whoever sits at the terminal.

    Args:
        question: without what the answers are.
        nothing: what a no comes to: "nothing was removed".
        stop: a request is a no.

    Raises:
        NotConfirmedError: the answer is not yes, or there is nobody to ask.
    """
    if not can_ask():
        raise NotConfirmedError(f"{nothing}: {NO_TERMINAL}", WAY_OUT)
    is_yes = _answer(question, stop)
    if is_yes is None:
        error = NotConfirmedError(f"{nothing}: {stop.why}", code="deadline" if stop.is_deadline else "interrupted")
        error.exit_code = stop.exit_code
        raise error
    if not is_yes:
        raise NotConfirmedError(f"{nothing}: it was not confirmed")


def _answer(question: str, stop: Stop) -> bool | None:
    """Whether whoever sits at the terminal says yes; None where a request to stop comes first."""
    try:
        with stop.waiting():
            return _asked(f"{question} [y/N]: ")
    except StopRequestedError:
        click.echo(err=True)
        return None


def _asked(question: str) -> bool:
    """Ask whoever sits at the terminal, also where standard error goes elsewhere; no answer is no."""
    with contextlib.ExitStack() as opened:
        try:
            screen = sys.stderr if sys.stderr.isatty() else opened.enter_context(Path("/dev/tty").open("w"))
        except OSError:
            click.echo(f"janitor: {NO_TERMINAL}; {WAY_OUT}", err=True)
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

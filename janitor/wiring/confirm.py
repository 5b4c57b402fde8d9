"""Consent to a change: asked for on a terminal; without a terminal it takes --yes, or a schedule file that deletes."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.report.model import NOT_CONFIRMED, TablePart
from janitor.stopping import Stop
from janitor.terminal import shows_colours
from janitor.tokens.expiration import calendar_time
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

if TYPE_CHECKING:
    from janitor.run.sweep import PlanToConfirm

NO_TERMINAL = "there is no terminal to ask on"
WAY_OUT = "give --yes"
_USUAL_COLUMNS = 80


class NotConfirmedError(JanitorError):
    """Nobody confirmed the change."""

    exit_code: int = ExitCode.REFUSED
    default_code = NOT_CONFIRMED


class Confirmation:
    """Consent to the deletes of a sweep: the `Consent` that `janitor.run.sweep` asks for."""

    def __init__(self, table: TablePart, stop: Stop, *, yes: bool, is_scheduled: bool = False) -> None:
        """Prepare; nothing is asked yet.

        Args:
            table: the table whose rows are to be deleted.
            stop: a request to stop counts as no.
            yes: whether --yes was given.
            is_scheduled: whether a schedule file enables deletion, so that no terminal is needed.
        """
        self._table, self._stop, self._yes, self._is_scheduled = table, stop, yes, is_scheduled

    def find_problem(self) -> str | None:
        """Why nobody can consent; None if somebody can, or has."""
        if self._yes or self._is_scheduled or can_ask():
            return None
        return f"{NO_TERMINAL}; {WAY_OUT}"

    def ask(self, plan: "PlanToConfirm") -> bool:
        """Show on a terminal what will go, from where, and how to undo it, and ask; return the answer."""
        if self._yes or not can_ask():
            return self.find_problem() is None
        return _answer(f"{_render_plan(plan)}\n{self._describe(plan)}", self._stop) is True

    def _describe(self, plan: "PlanToConfirm") -> str:
        """What becomes of the rows, and the question, which has the numbers."""
        table = self._table
        account = f", account {table.account_id}" if table.account_id else ""
        where = f"{printable(table.name)} in {table.region or 'no region'}{account}"
        lines = ["No archive is kept: the deletes cannot be undone."]
        if plan.archive is not None:
            lines = [f"Each row is archived before it is deleted, in {printable(plan.archive)}"]
        if plan.restore_command is not None:
            lines.append(f"To undo it: {plan.restore_command}")
        when = [f"expired {_format_span(*plan.expiries)}"] if plan.expiries else []
        when += [f"{plan.undated:,} without a date"] if plan.undated else []
        question = f"Delete {format_count(plan.rows, 'token')} of {where}, {', '.join(when)}?"
        return "\n".join([*lines, question])


def can_ask() -> bool:
    """Whether standard input is a terminal; it may also be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, nothing: str, stop: Stop) -> None:
    """Ask the user at the terminal.

    Args:
        question: the question, without the possible answers.
        nothing: what the error says if the answer is no: "nothing was removed".
        stop: a request to stop counts as no.

    Raises:
        NotConfirmedError: the answer is not yes, or there is no terminal.
    """
    if not can_ask():
        raise NotConfirmedError(f"{nothing}: {NO_TERMINAL}", WAY_OUT)
    is_yes = _answer(question, stop)
    if is_yes is None:
        error = NotConfirmedError(f"{nothing}: {stop.reason}", code="deadline" if stop.is_deadline else "interrupted")
        error.exit_code = stop.exit_code
        raise error
    if not is_yes:
        raise NotConfirmedError(f"{nothing}: you did not confirm", "answer y, or give --yes")


def _answer(question: str, stop: Stop) -> bool | None:
    """Whether the user answers yes; None if a request to stop comes first."""
    try:
        with stop.interruptible_wait():
            return _ask(f"{question} [y/N]: ")
    except StopRequestedError:
        click.echo(err=True)
        return None


def _ask(question: str) -> bool:
    """Ask at the terminal, even if standard error goes elsewhere; no answer means no."""
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


def _render_plan(plan: "PlanToConfirm") -> str:
    """The rows, as the report lists them."""
    from janitor.report.formats.table import render_plan

    return render_plan(
        plan.list_findings(),
        planned=plan.rows,
        protected=plan.protected,
        width=_count_columns(),
        colour=shows_colours(sys.stderr),
    )


def _count_columns() -> int:
    """How wide the terminal is that asks."""
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stdin.fileno()).columns or _USUAL_COLUMNS
    return _USUAL_COLUMNS


def _format_span(oldest: int, newest: int) -> str:
    first, last = _format_day(oldest), _format_day(newest)
    return f"on {first}" if first == last else f"between {first} and {last}"


def _format_day(second: int) -> str:
    when = calendar_time(second)
    return f"{when.date()}" if when else f"at UNIX second {second}"

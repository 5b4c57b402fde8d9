"""How a run ended, in a word. Pure."""

import signal
from collections.abc import Sequence
from typing import NamedTuple

from janitor.errors import ExitCode
from janitor.report.model import Outcome

_STOPPED = frozenset({128 + signal.SIGINT, 128 + signal.SIGTERM})
KILLED = "killed"


class Ending(NamedTuple):
    """How a run ended.

    Attributes:
        outcome: as a report says it, or `killed`, by a signal; `lost` where nobody saw it.
        is_success: whether it did all it set out to do.
    """

    outcome: str
    is_success: bool


def ending_of(
    exit_code: int,
    outcomes: Sequence[Outcome],
    *,
    has_report: bool = True,
    was_asked_to_end: bool = False,
    was_overdue: bool = False,
) -> Ending:
    """How a run ended.

    Args:
        exit_code: of its process; below zero the signal that killed it.
        outcomes: of the reports that it wrote, as far as they can be read; none where it did not come so far.
        has_report: whether it wrote any. One that ends well without did nothing of what it is there for.
        was_asked_to_end: whether the daemon sent it a SIGTERM, which kills a run that has only just begun.
        was_overdue: whether it did so because the run had outlived its deadline.
    """
    if exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED) and not has_report:
        return Ending(Outcome.FAILED, is_success=False)
    if exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED):
        # Another process was at work on the table, so nothing was done, and nothing is wrong.
        is_skipped = bool(outcomes) and all(outcome is Outcome.SKIPPED for outcome in outcomes)
        return Ending(Outcome.SKIPPED if is_skipped else Outcome.COMPLETE, not is_skipped)
    if exit_code == ExitCode.REFUSED:
        return Ending(Outcome.REFUSED, is_success=False)
    if was_overdue:
        return Ending(Outcome.FAILED, is_success=False)
    if exit_code in _STOPPED or (was_asked_to_end and exit_code == -signal.SIGTERM):
        return Ending(Outcome.INTERRUPTED, is_success=False)
    return Ending(KILLED if exit_code < 0 else Outcome.FAILED, is_success=False)


def words_of(exit_code: int) -> str:
    """What an exit code means (docs/architecture.md, "Exit codes"); an empty text where the outcome says it all."""
    if exit_code < 0:
        return f"killed by {_signal_name(-exit_code)}" + ("; out of memory?" if -exit_code == signal.SIGKILL else "")
    words: dict[int, str] = {
        ExitCode.FAILED: "the run failed; its log lines say why",
        ExitCode.USAGE: "wrong configuration, nothing was read; its log lines say why",
        ExitCode.FAIL_ON_MATCHED: "a state of fail_on was found",
        ExitCode.REFUSED: "a guard refused to delete",
    }
    return words.get(exit_code, "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""How a run ended. Pure."""

import signal
from collections.abc import Sequence
from typing import NamedTuple

from janitor.errors import ExitCode, signal_exit_code
from janitor.report.model import Outcome

_STOP_EXIT_CODES = frozenset({signal_exit_code(signal.SIGINT), signal_exit_code(signal.SIGTERM)})
KILLED = "killed"


class RunEnd(NamedTuple):
    """How a run ended.

    Attributes:
        outcome: a report's outcome, or `killed` by a signal, or `lost` if no daemon saw it end.
        is_success: whether it did all it had to do.
    """

    outcome: str
    is_success: bool


def classify_end(
    exit_code: int,
    outcomes: Sequence[Outcome],
    *,
    has_report: bool = True,
    was_asked_to_end: bool = False,
    was_overdue: bool = False,
) -> RunEnd:
    """Classify how a run ended.

    Args:
        exit_code: of its process; minus the signal number if a signal killed it.
        outcomes: of the reports that it wrote and that can be read; empty if it did not get that far.
        has_report: whether it wrote a report. Without one it failed, whatever its exit code.
        was_asked_to_end: whether the daemon sent it SIGTERM, which kills a run that has only just started.
        was_overdue: whether that was because the run was long past its deadline.
    """
    if exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED) and not has_report:
        return RunEnd(Outcome.FAILED, is_success=False)
    if exit_code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED):
        # Another process was working on the table: nothing was done, and nothing is wrong.
        is_skipped = bool(outcomes) and all(outcome is Outcome.SKIPPED for outcome in outcomes)
        return RunEnd(Outcome.SKIPPED if is_skipped else Outcome.COMPLETE, not is_skipped)
    if exit_code == ExitCode.REFUSED:
        return RunEnd(Outcome.REFUSED, is_success=False)
    if was_overdue:
        return RunEnd(Outcome.FAILED, is_success=False)
    if exit_code in _STOP_EXIT_CODES or (was_asked_to_end and exit_code == -signal.SIGTERM):
        return RunEnd(Outcome.INTERRUPTED, is_success=False)
    return RunEnd(KILLED if exit_code < 0 else Outcome.FAILED, is_success=False)

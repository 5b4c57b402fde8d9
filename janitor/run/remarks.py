"""What a report has to say besides its rows, in the log: for those who see no report, as in a pod without one."""

import sys
from collections.abc import Sequence

from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.terminal import is_terminal

log = get_logger("janitor.run")

_MOST = 50


def log_remarks(errors: Sequence[Remark], warnings: Sequence[Remark], *, is_printed: bool) -> None:
    """Log a line for each remark, at most 50, and one that says how many more there are.

    On a terminal, where the log shows warnings and errors only, nobody is to read a sentence twice: the command line
    says every error there, and a report on the same terminal its warnings. What is said elsewhere is logged as info.

    Args:
        errors: those of the report.
        warnings: likewise.
        is_printed: whether a report with its remarks goes to standard output.
    """
    is_watched = is_terminal(sys.stderr)
    say_error = log.info if is_watched else log.error
    say_warning = log.info if is_watched and is_printed and is_terminal(sys.stdout) else log.warning
    for number, remark in enumerate([*errors, *warnings][:_MOST]):
        is_error = number < len(errors)
        (say_error if is_error else say_warning)(
            "run.error" if is_error else "run.warning",
            where=remark.where,
            code=remark.code,
            message=remark.message,
        )
    omitted = len(errors) + len(warnings) - _MOST
    if omitted > 0:
        log.info("run.remarks_omitted", omitted=omitted)

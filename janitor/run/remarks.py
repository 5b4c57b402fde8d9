"""Logs the errors and warnings of a report, for those who see no report, as in a pod without one."""

import sys
from collections.abc import Sequence

from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.terminal import is_terminal

log = get_logger("janitor.run")

_MAX_REMARKS = 50


def log_remarks(errors: Sequence[Remark], warnings: Sequence[Remark], *, is_printed: bool) -> None:
    """Log a line for each remark, at most 50, and one that says how many more there are.

    On a terminal, where the log shows warnings and errors only, nobody should read a sentence twice: the command line
    prints every error there, and a report on the same terminal its warnings. What is printed there is logged as info.

    Args:
        errors: the report's errors.
        warnings: the report's warnings.
        is_printed: whether a report with its remarks goes to standard output.
    """
    is_on_terminal = is_terminal(sys.stderr)
    log_error = log.info if is_on_terminal else log.error
    log_warning = log.info if is_on_terminal and is_printed and is_terminal(sys.stdout) else log.warning
    for number, remark in enumerate([*errors, *warnings][:_MAX_REMARKS]):
        is_error = number < len(errors)
        (log_error if is_error else log_warning)(
            "run.error" if is_error else "run.warning",
            where=remark.where,
            code=remark.code,
            message=remark.message,
        )
    omitted = len(errors) + len(warnings) - _MAX_REMARKS
    if omitted > 0:
        log.info("run.remarks_omitted", omitted=omitted)

"""Turns errors in steps besides reading and deleting into remarks: the step ends, and the report is still made."""

from collections.abc import Iterator
from contextlib import contextmanager

from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import describe_bug, get_logger
from janitor.report.model import Remark

log = get_logger("janitor.run")

BUG = "bug"


def build_bug_remark(where: str, what: str, error: Exception) -> Remark:
    """Log an unexpected error, and build the remark that something was not done because of it.

    Args:
        where: as in the report's `errors`.
        what: what was not done, in a sentence.
        error: its text is not repeated, because that could hold a row.
    """
    log.error("run.bug", where=where, exc_info=error)
    return Remark(where=where, code=BUG, message=f"{what}: {describe_bug(error)}")


@contextmanager
def catch_as_remarks(where: str, what: str, remarks: list[Remark]) -> Iterator[None]:
    """Suppress any error of the block, and add a remark about it.

    Args:
        where: as in the report's `errors`.
        what: what was not done then, in a sentence.
        remarks: where the remark is added.
    """
    try:
        yield
    except StopRequestedError:
        remarks.append(Remark(where=where, code="interrupted", message=f"{what}: the run had to end"))
    except JanitorError as error:
        remarks.append(Remark(where=where, code=error.code, message=f"{what}: {error}"))
    except Exception as error:  # noqa: BLE001  # rows may have been deleted by now, and nothing else says which
        remarks.append(build_bug_remark(where, what, error))


NOT_ANNOUNCED = "some notices were not sent, and some may be sent twice"

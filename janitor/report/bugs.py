"""Bugs in what a run does besides reading and deleting: they end that, and the report is made all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import bug_sentence, get_logger
from janitor.report.model import Remark

log = get_logger("janitor.run")

BUG = "bug"


def bug_remark(where: str, what: str, error: Exception) -> Remark:
    """That something was not done because of an error that nobody foresaw; also logged, with where it came from.

    Args:
        where: as in the report's `errors`.
        what: what was not done, in a sentence.
        error: nothing of its text is repeated, for that could hold a row.
    """
    log.error("run.bug", where=where, exc_info=error)
    return Remark(where=where, code=BUG, message=f"{what}: {bug_sentence(error)}")


@contextmanager
def remarked(where: str, what: str, remarks: list[Remark]) -> Iterator[None]:
    """A block that no error leaves: it becomes one of the remarks.

    Args:
        where: as in the report's `errors`.
        what: what is not done then, in a sentence.
        remarks: where it is added.
    """
    try:
        yield
    except StopRequestedError:
        remarks.append(Remark(where=where, code="interrupted", message=f"{what}: the run had to end"))
    except JanitorError as error:
        remarks.append(Remark(where=where, code=error.code, message=f"{what}: {error}"))
    except Exception as error:  # noqa: BLE001  # rows may have been deleted by now, and nothing else says which
        remarks.append(bug_remark(where, what, error))


NOT_ANNOUNCED = "not all that is due was announced, and what was announced may be told again"

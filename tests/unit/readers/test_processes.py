"""Processes that cannot be started: what is said, and who reads in their place."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import pytest

from janitor.errors import JanitorError
from janitor.readers.interface import Batch, Rules
from janitor.readers.processes import FallbackReader, ReadersNotStartedError
from janitor.readers.tally import Tally
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy

RULES = Rules(policy=Policy(dialect=Dialect.HASHED), now=1_790_000_000)
START_UNDER_A_LIMIT = """
import resource, sys
from janitor.errors import JanitorError
from janitor.readers.processes import ReaderProcesses
from janitor.stopping import NeverStopped

limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
try:
    list(ReaderProcesses(2, NeverStopped()).answers(iter([b"one", b"two"])))
except JanitorError as error:
    print(error.code, error)
"""


class OneReader:
    """Gives so many batches of a page each, and then fails if it has an error."""

    def __init__(self, batches: int, error: JanitorError | None = None) -> None:
        self._batches, self._error = batches, error

    def batches(self, _rules: Rules, _patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        for _ in range(self._batches):
            yield Batch(Tally(pages=1), ())
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("open_files", [4, 5, 6])
def test_a_limit_on_open_files_is_said(open_files: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", START_UNDER_A_LIMIT, str(open_files)], capture_output=True, text=True, check=False
    )
    said = (
        "a reader process cannot be started (Too many open files); give fewer --workers; "
        "1, with at most 256 --segments, starts none"
    )
    assert run.stdout == f"reader-not-started {said}\n", run.stderr


def test_another_reader_reads_all_where_nothing_was_read() -> None:
    reader = FallbackReader(OneReader(0, ReadersNotStartedError("none starts")), OneReader(3))
    assert len(list(reader.batches(RULES, tuple))) == 3


@pytest.mark.parametrize(
    ("count", "error"), [(1, ReadersNotStartedError("none starts")), (0, JanitorError("3 reader processes died"))]
)
def test_no_other_reader_reads_once_something_was_read_or_if_something_else_failed(
    count: int, error: JanitorError
) -> None:
    batches = FallbackReader(OneReader(count, error), OneReader(3)).batches(RULES, tuple)
    assert len(list(islice(batches, count))) == count
    with pytest.raises(type(error), match=str(error)):
        next(batches)

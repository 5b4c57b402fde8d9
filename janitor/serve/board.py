"""What is to be shown of the daemon, at one moment: values only, for the page, the API and the metrics alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from janitor.serve.access import Reach
from janitor.serve.folder import Contents
from janitor.serve.jobs import ScheduledJob
from janitor.serve.kept import Kept
from janitor.serve.memory import Remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOnBoard:
    """A job; times are UNIX seconds, None where there is none.

    Attributes:
        job: what its file says.
        known: what is remembered of its runs.
        kept: its last reports.
        running_since: when its run began that is at work.
        is_waiting: whether it is due, and waits until its turn comes.
        next_at: when it fires next.
    """

    job: ScheduledJob
    known: Remembered
    kept: Sequence[Kept]
    running_since: float | None
    is_waiting: bool
    next_at: float | None

    def is_of_last_run(self, report: Kept) -> bool:
        """Whether a report is one of the last run, and not of an earlier one because that wrote none."""
        return self.known.started_at is None or report.is_of(self.known.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All of it.

    Attributes:
        now: the present, in UNIX seconds.
        started_at: when the daemon started.
        version: the program's.
        folder: the folder of schedule files.
        jobs: the jobs, by name.
        broken: why each broken file is, by the file's name without its ending.
        fault: why the folder itself cannot be read.
    """

    now: float
    started_at: float
    version: str
    folder: str
    jobs: Mapping[str, JobOnBoard]
    broken: Mapping[str, str]
    fault: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether there is a file, every one is right, and every table can be reached."""

    contents: Contents
    reaches: Sequence[Reach]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is in the way of any job."""
        return self.why is None

    @property
    def why(self) -> str | None:
        """What is in the way, in a sentence; None where nothing is."""
        if self.contents.fault is not None:
            return "the folder cannot be read"
        if self.contents.broken:
            return "a schedule file is broken"
        if not self.contents.jobs:
            return "no schedule file is loaded"
        return None if all(reach.is_reached for reach in self.reaches) else "a table cannot be reached"


@dataclass(frozen=True, slots=True)
class Views:
    """What the pages ask the daemon for, each time anew.

    Attributes:
        board: what is to be shown now.
        is_alive: whether jobs are being fired.
        readiness: whether they can do their work.
    """

    board: Callable[[], Board]
    is_alive: Callable[[], bool]
    readiness: Callable[[], Readiness]

"""What a run is given, and what it leaves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.errors import SinkError
from janitor.report.model import Remark, Report
from janitor.run.announce import Announcer
from janitor.run.listing import Listing
from janitor.run.locked_out import PagesOfOwner
from janitor.run.outlets import Outlets
from janitor.run.progress import NoProgress, Progress
from janitor.run.stopping import Stop
from janitor.run.sweep import Sweep
from janitor.tokens.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything a run needs, as values and small interfaces.

    Attributes:
        command, run_id, version: who runs.
        table, policy: what is scanned, and by which rules.
        now: the UNIX second at which rows are judged; the present, or `as_of`.
        as_of: the time the user gave instead of the present.
        pages: reads the table.
        pages_of_owner: reads one owner's rows; None where the table has no index for it.
        reread: reads every row once more, where that asks nothing of the table; None where it would, or cannot be done.
        requests: sends so far and how many of them were throttled.
        outlets: where the reports go.
        max_findings: how many findings a report that does not stream may list.
        fingerprint_secret: the key of fingerprints, None for plain ones.
        read_price, write_price: dollars for a million read and write units.
        sweep: what to do about stale rows; None to only report.
        listing: which rows to list, active ones too; None for those that need somebody.
        announcer: who tells people of it; None for nobody.
        clock: the present time in UNIX seconds.
        progress, stop: who watches, and who may ask to stop.
        warnings: what came up before the run.
    """

    command: str
    run_id: str
    version: str
    table: Table
    policy: Policy
    now: int
    as_of: int | None
    pages: Callable[[], Iterable[Page]]
    pages_of_owner: PagesOfOwner | None
    requests: Callable[[], tuple[int, int]]
    outlets: Outlets
    max_findings: int
    fingerprint_secret: bytes | None
    read_price: float
    write_price: float
    clock: Callable[[], float]
    progress: Progress = field(default_factory=NoProgress)
    stop: Stop = field(default_factory=Stop)
    warnings: tuple[Remark, ...] = ()
    sweep: Sweep | None = None
    listing: Listing | None = None
    announcer: Announcer | None = None
    reread: Callable[[], Iterable[Page]] | None = None

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is deleted, whatever is found."""
        return self.sweep is None or not self.sweep.is_enabled


@dataclass(frozen=True, slots=True)
class Result:
    """What a run leaves to its command: the report, and the reports that could not be written."""

    report: Report
    failures: list[SinkError]

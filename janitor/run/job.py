"""What a run is given, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.errors import SinkError
from janitor.readers.interface import FoundRow, Reader
from janitor.report.model import Remark, Report
from janitor.run.locked_out import PagesOfOwner
from janitor.run.outlets import Outlets
from janitor.run.progress import NoProgress, Progress
from janitor.run.stopping import Stop
from janitor.tokens.policy import Policy
from janitor.tokens.protection import UnusedPatterns

if TYPE_CHECKING:
    from janitor.readers.listing import Listing
    from janitor.run.sweep import Sweep


class Announces(Protocol):
    """Who tells people what a run found, at its end. `janitor.run.announce.Announcer` is one."""

    def open(self) -> None:
        """Get ready, before the table is read."""

    def see(self, told: Sequence[FoundRow]) -> None:
        """Take findings, each once."""

    def finish(self, report: Report, *, is_complete: bool) -> Report:
        """Announce what is due, and give the report with what came of that."""

    def close(self) -> None:
        """Let go of everything. Never raises."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run needs, as values and small interfaces.

    Attributes:
        command, run_id, version: who runs.
        table, policy: what is scanned, and by which rules.
        now: the UNIX second at which rows are judged; the present, or `as_of`.
        as_of: the time the user gave instead of the present.
        reader: reads the table.
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
        unused_patterns: those of protected users, none of which has fitted a row so far.
        clock: the present time in UNIX seconds.
        progress, stop: who watches, and who may ask to stop.
        warnings: what came up before the run, or while its pages were read.
    """

    command: str
    run_id: str
    version: str
    table: Table
    policy: Policy
    now: int
    as_of: int | None
    reader: Reader
    pages_of_owner: PagesOfOwner | None
    requests: Callable[[], tuple[int, int]]
    outlets: Outlets
    max_findings: int
    fingerprint_secret: bytes | None
    read_price: float
    write_price: float
    clock: Callable[[], float]
    progress: Progress = msgspec.field(default_factory=NoProgress)
    stop: Stop = msgspec.field(default_factory=Stop)
    warnings: Sequence[Remark] = ()
    sweep: Sweep | None = None
    listing: Listing | None = None
    announcer: Announces | None = None
    reread: Callable[[], Iterable[Page]] | None = None
    unused_patterns: UnusedPatterns = msgspec.field(default_factory=UnusedPatterns)

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is deleted, whatever is found."""
        return self.sweep is None or not self.sweep.is_enabled


class Result(msgspec.Struct, frozen=True):
    """What a run leaves to its command.

    Attributes:
        report: of the run.
        failures: the reports that could not be written.
    """

    report: Report
    failures: list[SinkError]

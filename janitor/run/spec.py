"""What a run is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.dynamodb.owner_query import PagesOfOwner
from janitor.errors import JanitorError, SinkError
from janitor.readers.interface import Reader, Rules
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.build import build_policy_part
from janitor.report.model import CommandOptions, PolicyPart, Remark, Report, TablePart
from janitor.run.outlets import Outlets
from janitor.run.progress import NoProgress, Progress
from janitor.stopping import Stop
from janitor.tokens.protection import UnusedPatterns

if TYPE_CHECKING:
    from janitor.dynamodb.client import Traffic
    from janitor.notices.announcer_group import AnnouncerGroup
    from janitor.run.last_seen import LastSeenLookup
    from janitor.run.sweep import Sweep


class Prices(NamedTuple):
    """Dollars for a million read units, and for a million write units."""

    read: float
    write: float


class OwnerLookup(NamedTuple):
    """The ways to look up the rows of owners.

    Attributes:
        pages_of_owner: reads one owner's rows; None if the table has no index for it.
        reread: reads every row once more, if that costs the table nothing; None if it would, or is impossible.
    """

    pages_of_owner: PagesOfOwner | None = None
    reread: Callable[[], Iterable[Page]] | None = None


class TableSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with one table, as values and small interfaces.

    Attributes:
        label: what the run calls the table.
        name_in_settings: what the user calls it, table or deployment.
        table: what is scanned.
        rules: the rules by which its rows are judged, as far as they do not depend on the run's other parts.
        as_of: the time the user gave instead of the present.
        reader: reads the table.
        owners: how the rows of an owner are looked up.
        traffic: counts the requests that were sent.
        prices: what capacity costs.
        clock: the present time in UNIX seconds.
        progress: shows how far the run is.
        stop: says whether the run was asked to stop.
        warnings: from before the run, or added while pages are read.
        sweep: what to do about stale rows; None to only report.
        announcer: announces what is found; None if nothing is announced.
        last_seen: looks up when owners were last seen; None if nobody asks.
        unused_patterns: the patterns of protected users that no row has matched so far.
        options: the options of the run that the next commands repeat.
    """

    label: str
    table: Table
    rules: Rules
    as_of: int | None
    reader: Reader
    owners: OwnerLookup
    traffic: Traffic
    prices: Prices
    clock: Callable[[], float]
    progress: Progress = msgspec.field(default_factory=NoProgress)
    stop: Stop = msgspec.field(default_factory=Stop)
    warnings: Sequence[Remark] = ()
    sweep: Sweep | None = None
    announcer: AnnouncerGroup | None = None
    unused_patterns: UnusedPatterns = msgspec.field(default_factory=UnusedPatterns)
    name_in_settings: str | None = None
    last_seen: LastSeenLookup | None = None
    options: CommandOptions = msgspec.field(default_factory=CommandOptions)

    @property
    def deletes(self) -> bool:
        """Whether rows may be deleted."""
        return self.sweep is not None and self.sweep.is_enabled

    @property
    def policy_part(self) -> PolicyPart:
        """The rules as a part of the report."""
        notice_age = self.sweep.notice_age if self.sweep else None
        return build_policy_part(self.rules.policy, as_of=self.as_of, notice_age=notice_age)

    @property
    def table_part(self) -> TablePart:
        """The table as a part of the report."""
        table = self.table
        return TablePart(
            name=table.name, region=table.region or None, account_id=table.account_id, endpoint=table.endpoint
        )


class UnreachedTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that cannot be reached: which it is, and why."""

    label: str
    table_part: TablePart
    error: JanitorError
    name_in_settings: str | None = None


Announce = Callable[[Mapping[str, "AnnouncerGroup"], Report], AnnouncementResult]
"""Announces a run. Takes the announcers of its tables by label, and the report that the digest is made from."""


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run needs.

    Attributes:
        command, run_id, version: of the run.
        deletes: whether it may delete rows.
        tables: what is to be done with each, in their order; at least one.
        policy: the rules for all tables, without a dialect.
        outlets: where the report goes.
        max_findings: how many findings a report that does not stream may list.
        announce: announces the run; None if nothing is announced.
        nobody_because: why nobody is told of the run; None if somebody may be.
        is_dry_run: whether nobody is told, and the report says who would be.
        clock: the present time in UNIX seconds.
        stop: says whether the run was asked to stop; the tables' specs have the same.
    """

    command: str
    run_id: str
    version: str
    deletes: bool
    tables: Sequence[TableSpec | UnreachedTable]
    policy: PolicyPart
    outlets: Outlets
    max_findings: int
    announce: Announce | None
    nobody_because: str | None = None
    is_dry_run: bool = False
    clock: Callable[[], float]
    stop: Stop


class RunResult(msgspec.Struct, frozen=True):
    """What a run returns to its command.

    Attributes:
        report: the run's report.
        failures: the outlets that could not be written.
    """

    report: Report
    failures: list[SinkError]

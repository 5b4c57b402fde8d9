"""A scan of a table, as a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from janitor.readers.interface import Reader
from janitor.run.job import TableJob
from janitor.settings.scan import ScanSettings
from janitor.stopping import Stop
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.budgets import say_limits
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.job import Prepared
from janitor.wiring.notices import check_notices, metric_files, owner_pages, state_file
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import Terms, policy_of
from janitor.wiring.progress import progress_for
from janitor.wiring.readers import check_readers, reader_for, threads_of
from janitor.wiring.stores import has_store
from janitor.wiring.table import OpenTable, PlaceInRun, open_table, warnings

if TYPE_CHECKING:
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.wiring.announcer import Announcing


def prepare_scan(
    settings: ScanSettings, run_id: str, stop: Stop, among: PlaceInRun | None = None, *, is_dry_run: bool = False
) -> Prepared:
    """Find the table and put a scan of it together; nothing of its rows is read yet.

    `among` is its place among several; a dry run tells nobody and remembers nothing.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_scan(settings)
    if settings.source.source is not None:
        from janitor.wiring.source import prepare_source

        return prepare_source(settings, run_id, stop)
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach_for(settings, among)
    policy = policy_of(settings.policy, settings.protection, reached.table.dialect)
    now = reached.present() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run)
    announcing = announcing_for(settings.notices, settings.state, reached, stop, terms)
    reader = reader_for(reached, settings.limits, settings.table, stop)
    prepared = prepared_for(
        reached, stop, terms, reader, rows=reached.table.item_count, prices=(settings.limits.read_price, 0.0)
    )
    return prepared.doing(
        unused_patterns=UnusedPatterns(policy.protect_users), announcer=announcing.announcer if announcing else None
    )


def announcing_for(
    notices: NoticeSettings, state: StateSettings, reached: OpenTable, stop: Stop, terms: Terms, **more: Any
) -> Announcing | None:
    """As `announcing_of`, which takes the same and more, and is imported only where there is anything to remember."""
    if not has_store(state, notices):
        return None
    from janitor.wiring.announcer import announcing_of

    return announcing_of(notices, state, reached, stop, terms, **more)


def reach_for(settings: ScanSettings, among: PlaceInRun | None, max_wcu: float | None = None) -> OpenTable:
    """Find the table of a scan, or of a sweep.

    Args:
        settings: what the run is told.
        among: the table's place among several.
        max_wcu: how many write units a second the deletes may take, `inf` for no limit; None for the default.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    return open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=threads_of(settings.limits),
        max_rcu=settings.limits.max_rcu,
        max_wcu=max_wcu,
        among=among,
    )


def check_scan(settings: ScanSettings) -> None:
    """See that settings do not contradict each other, before anything is asked of AWS.

    Raises:
        ConfigurationError: they do.
    """
    check_readers(settings.limits)
    check_reports(settings.output, [*state_file(settings.state), *metric_files(settings.notices)])
    check_notices(settings.notices, settings.state, requires_notice=False, as_of=settings.policy.as_of)


def prepared_for(
    reached: OpenTable,
    stop: Stop,
    terms: Terms,
    reader: Reader,
    *,
    rows: int,
    prices: tuple[float, float],
    deletes: bool = False,
) -> Prepared:
    """A part of a run that reads the table which was reached, and no more.

    Args:
        reached: the table.
        stop: who may ask for an early end.
        terms: by what it is judged.
        reader: who reads it.
        rows: how many there are in all, for the progress bar.
        prices: dollars for a million read and write units.
        deletes: whether rows will be deleted.
    """
    traffic = reached.aws.traffic
    job = TableJob(
        label=reached.table.name,
        table=reached.table,
        policy=terms.policy,
        now=terms.now,
        as_of=terms.as_of,
        reader=reader,
        pages_of_owner=owner_pages(reached),
        requests=lambda: (traffic.requests, traffic.throttled),
        fingerprint_secret=terms.secret,
        read_price=prices[0],
        write_price=prices[1],
        clock=time.time,
        progress=progress_for(rows, "scanning"),
        stop=stop,
        warnings=warnings(reached),
    )
    say_limits(reached.budgets, deletes=deletes)
    return Prepared(job, lambda: reached.aws, reached.table)

"""A scan of a table, as a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from janitor.cli.progress import progress_for
from janitor.cli.wiring.budgets import say_limits
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.job import Prepared
from janitor.cli.wiring.notices import check_notices, metric_files, owner_pages, state_file
from janitor.cli.wiring.outlets import check_reports
from janitor.cli.wiring.reach import Among, Reached, reach, warnings
from janitor.cli.wiring.readers import check_readers, reader_for, threads_of
from janitor.cli.wiring.rules import policy_of
from janitor.cli.wiring.stores import has_store
from janitor.config.scan import ScanSettings
from janitor.readers.interface import Reader
from janitor.report.model import Remark
from janitor.run.job import TableJob
from janitor.run.stopping import Stop
from janitor.tokens.policy import Policy
from janitor.tokens.protection import UnusedPatterns

if TYPE_CHECKING:
    from janitor.cli.wiring.announcing import Announcing
    from janitor.readers.listing import Listing
    from janitor.run.announce import Announcer
    from janitor.run.sweep import Sweep


def prepare_scan(
    settings: ScanSettings, run_id: str, stop: Stop, among: Among | None = None, *, is_dry_run: bool = False
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
        from janitor.cli.wiring.source import prepare_source

        return prepare_source(settings, run_id, stop)
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach_for(settings, among)
    policy = policy_of(settings.policy, settings.protection, reached.table.dialect)
    now = reached.present() if as_of is None else as_of
    patterns = among.unused_patterns if among else UnusedPatterns(policy.protect_users)
    announcing = announcing_for(
        settings, reached, stop, policy=policy, secret=secret, now=now, run_id=run_id, is_dry_run=is_dry_run
    )
    return prepared_for(
        reached,
        stop,
        policy=policy,
        now=now,
        as_of=as_of,
        reader=reader_for(reached, settings.limits, settings.table, stop),
        rows=reached.table.item_count,
        secret=secret,
        read_price=settings.limits.read_price,
        unused_patterns=patterns,
        announcer=announcing.announcer if announcing else None,
    )


def announcing_for(
    settings: ScanSettings,
    reached: Reached,
    stop: Stop,
    *,
    policy: Policy,
    secret: bytes | None,
    now: int,
    run_id: str,
    is_dry_run: bool,
    requires_notice: bool = False,
    attempts_of: str | None = None,
) -> Announcing | None:
    """Who announces what the run finds: `announcing_of` has the words for the arguments."""
    if not has_store(settings.state, settings.notices):
        return None
    from janitor.cli.wiring.announcing import announcing_of

    return announcing_of(
        settings.notices,
        settings.state,
        reached,
        stop,
        policy=policy,
        secret=secret,
        now=now,
        as_of=settings.policy.as_of,
        run_id=run_id,
        is_dry_run=is_dry_run,
        requires_notice=requires_notice,
        attempts_of=attempts_of,
    )


def reach_for(settings: ScanSettings, among: Among | None, max_wcu: float | None = None) -> Reached:
    """Find the table of a scan, or of a sweep.

    Args:
        settings: what the run is told.
        among: the table's place among several.
        max_wcu: how many write units a second the deletes may take, `inf` for no limit; None for the default.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    return reach(
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
    reached: Reached,
    stop: Stop,
    *,
    policy: Policy,
    now: int,
    as_of: int | None,
    reader: Reader,
    rows: int,
    secret: bytes | None,
    read_price: float,
    write_price: float = 0.0,
    sweep: Sweep | None = None,
    listing: Listing | None = None,
    announcer: Announcer | None = None,
    remarks: tuple[Remark, ...] = (),
    unused_patterns: UnusedPatterns | None = None,
) -> Prepared:
    """A part of a run on the table that was reached: `TableJob` has the words for most arguments.

    `rows` is how many there are in all, for the progress bar; `remarks` are warnings besides the table's own.
    """
    traffic = reached.aws.traffic
    say_limits(reached.budgets, deletes=sweep is not None and sweep.is_enabled)
    job = TableJob(
        label=reached.table.name,
        table=reached.table,
        policy=policy,
        now=now,
        as_of=as_of,
        reader=reader,
        pages_of_owner=owner_pages(reached),
        requests=lambda: (traffic.requests, traffic.throttled),
        fingerprint_secret=secret,
        read_price=read_price,
        write_price=write_price,
        clock=time.time,
        progress=progress_for(rows, "scanning"),
        stop=stop,
        warnings=(*warnings(reached), *remarks),
        sweep=sweep,
        listing=listing,
        announcer=announcer,
        unused_patterns=unused_patterns or UnusedPatterns(),
    )
    return Prepared(job, lambda: reached.aws, reached.table)

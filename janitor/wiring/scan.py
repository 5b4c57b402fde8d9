"""Prepares the scan of a table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from janitor.errors import ConfigurationError
from janitor.readers.interface import Reader
from janitor.run.job import TableJob
from janitor.settings.scan import ScanCommand
from janitor.stopping import Stop
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.budgets import log_limits
from janitor.wiring.job import PreparedTable
from janitor.wiring.monitoring import metric_files
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import Terms, make_policy, read_fingerprint_key
from janitor.wiring.progress import progress_for
from janitor.wiring.readers import check_readers, reader_for, thread_count
from janitor.wiring.stores import check_state, has_store, state_file
from janitor.wiring.table import OpenTable, PlaceInRun, find_table_warnings, open_table, owner_pages

if TYPE_CHECKING:
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.wiring.announcer import TableNotices


def prepare_scan(
    settings: ScanCommand, run_id: str, stop: Stop, place_in_run: PlaceInRun | None = None, *, is_dry_run: bool = False
) -> PreparedTable:
    """Find the table and prepare its scan. No row is read yet.

    A dry run notifies nobody and remembers nothing.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_scan(settings)
    if settings.source.source is not None:
        from janitor.wiring.source import prepare_source

        return prepare_source(settings, run_id, stop)
    secret = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_scan_table(settings, place_in_run)
    policy = make_policy(settings.policy, settings.protection, opened.table.dialect)
    now = opened.earlier_time() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run)
    table_notices = set_up_notices(settings.notices, settings.state, opened, stop, terms)
    reader = reader_for(opened, settings.limits, settings.table, stop)
    prepared = prepare_table(
        opened, stop, terms, reader, rows=opened.table.item_count, prices=(settings.limits.read_price, 0.0)
    )
    return prepared.with_job(
        unused_patterns=UnusedPatterns(policy.protect_users),
        announcer=table_notices.announcer if table_notices else None,
    )


def set_up_notices(
    notices: NoticeSettings, state: StateSettings, opened: OpenTable, stop: Stop, terms: Terms, **more: Any
) -> TableNotices | None:
    """Build the table's announcer, importing what that needs only if anything is remembered.

    `more` are the other arguments of `build_table_notices`.
    """
    if not has_store(state, notices):
        return None
    from janitor.wiring.announcer import build_table_notices

    return build_table_notices(notices, state, opened, stop, terms, **more)


def open_scan_table(settings: ScanCommand, place_in_run: PlaceInRun | None, max_wcu: float | None = None) -> OpenTable:
    """Find the table of a scan or a sweep.

    Args:
        settings: those of the run.
        place_in_run: the table's place among several; None in a run of one table.
        max_wcu: how many write units a second the deletes may use, `inf` for no limit; None for the default.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    return open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=thread_count(settings.limits),
        max_rcu=settings.limits.max_rcu,
        max_wcu=max_wcu,
        place_in_run=place_in_run,
    )


def check_scan(settings: ScanCommand) -> None:
    """Check that settings do not contradict each other, before AWS is asked anything.

    Raises:
        ConfigurationError: they do.
    """
    check_readers(settings.limits)
    check_reports(settings.output, [*state_file(settings.state), *metric_files(settings.notices)])
    check_notices(settings.notices, settings.state, requires_notice=False, as_of=settings.policy.as_of)


def check_notices(settings: NoticeSettings, state: StateSettings, *, requires_notice: bool, as_of: int | None) -> None:
    """Check that each setting has the others that it needs, and contradicts none.

    Raises:
        ConfigurationError: one lacks another, or contradicts it.
    """
    if settings.per_token and settings.sns_topic_arn is None:
        raise ConfigurationError("--per-token needs a topic to publish to", "give --sns-topic-arn ARN")
    if requires_notice and settings.sns_topic_arn is None:
        way_out = "give --sns-topic-arn ARN, and --digest never if this run is to publish nothing itself"
        raise ConfigurationError("--require-notice needs the topic that expiries were announced to", way_out)
    if settings.sns_topic_arn is not None and as_of is not None:
        way_out = "go without --as-of, or without --sns-topic-arn"
        raise ConfigurationError("notices of rows judged as of another time would be wrong", way_out)
    check_state(state)


def prepare_table(
    opened: OpenTable,
    stop: Stop,
    terms: Terms,
    reader: Reader,
    *,
    rows: int,
    prices: tuple[float, float],
    deletes: bool = False,
) -> PreparedTable:
    """Prepare a table's part of a run that only reads; `with_job` adds what else is to be done.

    Args:
        opened: the table.
        stop: may ask for an early end.
        terms: by which rules and at what time the table is judged.
        reader: reads its rows.
        rows: how many rows it has, for the progress bar.
        prices: dollars for a million read units, and for a million write units.
        deletes: whether rows will be deleted.
    """
    traffic = opened.aws.traffic
    job = TableJob(
        label=opened.table.name,
        table=opened.table,
        policy=terms.policy,
        now=terms.now,
        as_of=terms.as_of,
        reader=reader,
        pages_of_owner=owner_pages(opened),
        requests=lambda: (traffic.requests, traffic.throttled),
        fingerprint_secret=terms.secret,
        read_price=prices[0],
        write_price=prices[1],
        clock=time.time,
        progress=progress_for(rows, "scanning"),
        stop=stop,
        warnings=find_table_warnings(opened),
    )
    log_limits(opened.budgets, deletes=deletes)
    return PreparedTable(job, lambda: opened.aws, opened.table)

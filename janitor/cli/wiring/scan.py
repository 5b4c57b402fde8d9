"""A scan of a table, as a job."""

import time
from collections.abc import Callable, Iterable, Sequence

from janitor import __version__
from janitor.cli.progress import progress_for
from janitor.cli.wiring.budgets import say_limits
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.notices import Announcing, announcing_of, check_notices, metric_files, owner_pages, state_file
from janitor.cli.wiring.outlets import check_reports, outlets_for
from janitor.cli.wiring.reach import Reached, reach, warnings
from janitor.config.commands import ScanSettings
from janitor.config.limits import LimitSettings
from janitor.config.output import OutputSettings
from janitor.config.table import PolicySettings, ProtectionSettings
from janitor.dynamodb.decode import Page
from janitor.dynamodb.scan import Scan, filter_for, segments_for
from janitor.report.model import Remark
from janitor.run.job import Job
from janitor.run.outlets import Outlets
from janitor.run.stopping import Stop
from janitor.run.sweep import Sweep
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy


def scan_job(settings: ScanSettings, run_id: str, stop: Stop) -> Job:
    """Find the table and put a scan of it together; nothing of its rows is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_scan(settings)
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach_for(settings)
    policy = policy_of(settings.policy, settings.protection, reached.table.dialect)
    now = int(time.time()) if as_of is None else as_of
    scan = scan_of(reached, settings.limits, policy, now, stop, whole_items=False)
    announcing = announcing_of(
        settings.notices,
        settings.state,
        settings.output,
        reached,
        stop,
        policy=policy,
        secret=secret,
        now=now,
        as_of=as_of,
        run_id=run_id,
    )
    return job_for(
        "scan",
        run_id,
        reached,
        stop,
        policy=policy,
        now=now,
        as_of=as_of,
        pages=scan.pages,
        rows=reached.table.item_count,
        outlets=outlets_for(settings.output, reached, run_id, stop),
        output=settings.output,
        secret=secret,
        read_price=settings.limits.read_price,
        announcing=announcing,
    )


def reach_for(settings: ScanSettings, max_wcu: float | None = None) -> Reached:
    """Find the table of a scan, or of a sweep that takes at most so many write units a second.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    return reach(
        settings.table,
        dialect=settings.policy.dialect,
        connections=settings.limits.segments or 0,
        max_rcu=settings.limits.max_rcu,
        max_wcu=max_wcu,
    )


def check_scan(settings: ScanSettings) -> None:
    """See that settings do not contradict each other, before anything is asked of AWS.

    Raises:
        ConfigurationError: they do.
    """
    check_reports(settings.output, [*state_file(settings.state), *metric_files(settings.notices)])
    check_notices(settings.notices, settings.state, requires_notice=False, as_of=settings.policy.as_of)


def job_for(
    command: str,
    run_id: str,
    reached: Reached,
    stop: Stop,
    *,
    policy: Policy,
    now: int,
    as_of: int | None,
    pages: Callable[[], Iterable[Page]],
    rows: int,
    outlets: Outlets,
    output: OutputSettings,
    secret: bytes | None,
    read_price: float,
    write_price: float = 0.0,
    sweep: Sweep | None = None,
    announcing: Announcing | None = None,
    remarks: tuple[Remark, ...] = (),
) -> Job:
    """A job on the table that was reached: `Job` has the words for most arguments.

    `rows` is how many there are to read, for the progress bar; `remarks` are warnings besides the table's own.
    """
    traffic = reached.aws.traffic
    say_limits(reached.budgets, deletes=sweep is not None and sweep.is_enabled)
    return Job(
        command=command,
        run_id=run_id,
        version=__version__,
        table=reached.table,
        policy=policy,
        now=now,
        as_of=as_of,
        pages=pages,
        pages_of_owner=owner_pages(reached),
        requests=lambda: (traffic.requests, traffic.throttled),
        outlets=outlets,
        max_findings=output.max_findings,
        fingerprint_secret=secret,
        read_price=read_price,
        write_price=write_price,
        clock=time.time,
        progress=progress_for(rows, "scanning"),
        stop=stop,
        warnings=(*warnings(reached), *remarks),
        sweep=sweep,
        announcer=announcing.announcer if announcing else None,
    )


def scan_of(
    reached: Reached, limits: LimitSettings, policy: Policy, now: int, stop: Stop, *, whole_items: bool
) -> Scan:
    """A pass over the table; with `whole_items` rows come with every attribute, for a plan."""
    table = reached.table
    return Scan(
        client=reached.aws.dynamodb,
        table=table.name,
        segments=limits.segments or segments_for(table.size_bytes),
        filter=filter_for(now, policy, whole_items=whole_items),
        stop=stop,
        budgets=reached.budgets,
    )


def policy_of(
    policy: PolicySettings, protection: ProtectionSettings, dialect: Dialect, include: Sequence[str] = ()
) -> Policy:
    """The rules, for a table of this dialect; `include` names the states that may be deleted besides stale."""
    return Policy(
        dialect=dialect,
        thresholds=tuple(sorted(set(policy.expiring_within), reverse=True)),
        grace=policy.grace,
        protect_users=protection.protect_user,
        protect_system=protection.protect_system,
        include_legacy="legacy" in include,
    )

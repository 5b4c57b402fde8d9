"""How one shard of a run meets the others in the state store."""

import hmac
import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from janitor import __version__
from janitor.cli.wiring.announcing import Announcing
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.outlets import outlets_to
from janitor.cli.wiring.reach import Reached
from janitor.cli.wiring.shards import is_part_of_a_run
from janitor.cli.wiring.stores import claim_for, shard_store_for
from janitor.config.commands import SweepSettings
from janitor.config.scan import ScanSettings
from janitor.report.model import Remark
from janitor.run.guards import Limits
from janitor.run.lease_keeper import LeaseKeeper, seconds_since_boot
from janitor.run.patience import Patience
from janitor.run.shards.announcer import ShardAnnouncer
from janitor.run.shards.guards import ShardGuards, refusals_of_a_dry_run
from janitor.run.shards.merge import Merger, Merging
from janitor.run.shards.records import Counts, Left
from janitor.run.shards.sharded_run import ShardedRun
from janitor.run.stopping import Stop
from janitor.shard import Shard
from janitor.tokens.policy import Policy

# Before anything is deleted others are waited for at least by default; see `--shard-wait`.
_WAIT_TO_DELETE = 600  # seconds
# What the deadline leaves for the deletes and the report, at most.
_RESERVE_SECONDS = 10.0
# Without a deadline: a process that hangs may show life for ever.
_MOST_SECONDS = 86_400.0


class Joined(NamedTuple):
    """The run that shards share, as one of them sees it.

    Attributes:
        run: that.
        patience: how long it waits for the others.
        waits: whether it does when it has come to its end.
        guards: ask the guards together with the others.
        before: how it had come to its end before it was started again; None where it had not.
    """

    run: ShardedRun
    patience: Patience
    waits: bool
    guards: ShardGuards
    before: Left | None

    @property
    def holder(self) -> str:
        """Under which id all of them hold the table's lease."""
        return f"shards/{self.run.name}"


def joined_run(
    settings: ScanSettings,
    shard: Shard | None,
    reached: Reached,
    stop: Stop,
    *,
    policy: Policy,
    segments: int,
    run_id: str,
    sweep: SweepSettings | None = None,
) -> Joined | None:
    """Join the run that the shards share; None for a run that is alone, or whose shards have no store.

    Args:
        settings: what the run is told.
        shard: which part of the table it takes.
        reached: the table.
        stop: who may ask for an early end.
        policy: by which rules rows are judged.
        segments: how many parts the shard is read in.
        run_id: this process's.
        sweep: what a sweep is told besides; None for a scan.

    Raises:
        ConfigurationError: the run was opened with other settings.
        LedgerError: the state store does not work.
    """
    if shard is None or not is_part_of_a_run(settings):
        return None
    store = shard_store_for(settings.state, reached.aws, reached.table)
    run = ShardedRun(store, shard, name=settings.shards.shard_run, run_id=run_id, clock=time.time)
    run.join(_terms(settings, policy, segments, sweep))
    wait, deletes = settings.shards.shard_wait, sweep is not None and sweep.deletes
    patience = _patience(_WAIT_TO_DELETE if wait is None else wait, settings.deadline.deadline, stop)
    return Joined(run, patience, wait is not None or deletes, ShardGuards(run, patience), run.own_end())


def shard_announcer(
    joined: Joined,
    announcing: Announcing,
    settings: ScanSettings,
    reached: Reached,
    stop: Stop,
    *,
    lease: LeaseKeeper | None = None,
    limits: Limits | None = None,
) -> ShardAnnouncer:
    """Who makes one report of all shards.

    Args:
        joined: the run that they share.
        announcing: who announces what they found.
        settings: what the run is told.
        reached: the table.
        stop: who may ask for an early end.
        lease: the table's, which the shards share.
        limits: of the guards of a dry run, which says what they would; None for a run that asks them itself, or a scan.
    """

    def guards(counts: Mapping[int, Counts]) -> list[Remark]:
        if limits is None or len(counts) < joined.run.shard.count:
            return []
        return refusals_of_a_dry_run(counts, limits)

    merging = Merging(
        claim=partial(claim_for, settings.state, reached.aws, reached.table, joined.run),
        guards=guards,
        outlets=outlets_to(settings.shards.merged_report, reached, joined.run.name, stop),
        max_findings=settings.output.max_findings,
        version=__version__,
        table_lease=lease,
        stop=stop,
    )
    merger = Merger(announcing.announcer, announcing.watch, joined.run, merging)
    return ShardAnnouncer(announcing.watch, joined.run, merger, merging, joined.patience, waits=joined.waits)


def _patience(seconds: int, deadline: int | None, stop: Stop) -> Patience:
    now = seconds_since_boot()
    until = now + (_MOST_SECONDS if deadline is None else deadline - min(_RESERVE_SECONDS, deadline / 2))
    return Patience(seconds=seconds, until=until, clock=seconds_since_boot, sleep=time.sleep, stop=stop)


def _terms(settings: ScanSettings, policy: Policy, segments: int, sweep: SweepSettings | None) -> Mapping[str, object]:
    """What the shards of a run have to have alike: without it parts of the table were read twice, or judged unlike."""
    secret = secret_in(settings.protection.fingerprint_key_file)
    terms: dict[str, object] = {
        # Enough to tell keys apart.
        "--fingerprint-key-file": hmac.new(secret, b"shards", sha256).hexdigest()[:8] if secret else None,
        "--sns-topic-arn": settings.notices.sns_topic_arn,
        "command": "scan" if sweep is None else "sweep",
        "--segments": segments,
        "--dialect": policy.dialect.value,
        "--expiring-within": list(policy.thresholds),
        "--grace": policy.grace,
        "--protect-user": sorted(policy.protect_users),
        "--protect-system": policy.protect_system,
        "--include legacy": policy.include_legacy,
    }
    if sweep is not None:
        terms |= {
            "--delete": sweep.deletes,
            "--max-deletes": sweep.deletion.max_deletes,
            "--max-delete-percent": sweep.deletion.max_delete_percent,
            "--max-clock-skew": sweep.deletion.max_clock_skew,
            "--require-notice": sweep.deletion.require_notice,
            "--notice-age": sweep.deletion.notice_age,
        }
    return terms

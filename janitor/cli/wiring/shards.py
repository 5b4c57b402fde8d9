"""One shard of a run: which part of the table it takes, and how it meets the others in the state store."""

import hmac
import os
import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from janitor import __version__
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.notices import Announcing
from janitor.cli.wiring.outlets import outlets_to
from janitor.cli.wiring.reach import Reached
from janitor.cli.wiring.stores import claim_for, has_store, shard_store_for
from janitor.config.commands import ScanSettings, SweepSettings
from janitor.config.shards import ShardSettings
from janitor.errors import ConfigurationError
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
from janitor.shard import AUTO, MAX_SHARDS, Shard, shard_of
from janitor.tokens.policy import Policy

_INDEX, _COUNT = "JOB_COMPLETION_INDEX", "JANITOR_SHARDS"

# Before anything is deleted others are waited for at least by default; see `--shard-wait`.
_WAIT_TO_DELETE = 600  # seconds
# What the deadline leaves for the deletes and the report, at most.
_RESERVE_SECONDS = 10.0
# Without a deadline: a process that hangs may show life for ever.
_MOST_SECONDS = 86_400.0


def shard_in(settings: ShardSettings, environment: Mapping[str, str] | None = None) -> Shard | None:
    """Which part of the table a run takes; None for all of it.

    Raises:
        ConfigurationError: `auto`, and the environment does not say.
    """
    if settings.shard != AUTO:
        return settings.shard
    variables = os.environ if environment is None else environment
    index = _number(variables, _INDEX, "Kubernetes sets it in the pods of an Indexed Job; elsewhere give --shard I/N")
    count = _number(variables, _COUNT, "set it to the Job's completions, from 1 to 1,000")
    try:
        return shard_of(index, count, f"{index}/{count}")
    except ValueError as error:
        sentence = f"--shard auto: {error}, by {_INDEX} and {_COUNT}"
        raise ConfigurationError(sentence, f"set {_COUNT} to the Job's completions", "shard") from None


def check_shards(settings: ScanSettings, *, deletes: bool) -> None:
    """See that the settings of a shard do not contradict others, before anything is asked of AWS.

    Raises:
        ConfigurationError: they do.
    """
    shards, shard = settings.shards, shard_in(settings.shards)
    given = {
        "--shard-run": shards.shard_run is not None,
        "--shard-wait": shards.shard_wait is not None,
        "--merged-report": bool(shards.merged_report),
    }
    named = next((name for name, is_given in given.items() if is_given), None)
    if shard is None:
        if named is not None:
            raise ConfigurationError(f"{named} is about shards, and this run is none", "give --shard I/N", "shard")
        return
    if not has_store(settings.state, settings.notices):
        if deletes:
            sentence = "--shard with --delete needs --state-url: its guards are for all shards together"
            raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
        if named is not None:
            sentence = f"{named} needs --state-url, where shards meet"
            raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
    if shards.shard == AUTO and settings.state.state_url is None and settings.notices.sns_topic_arn is not None:
        sentence = "--shard auto with a topic needs --state-url: without it each pod remembers by itself"
        raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
    if settings.policy.as_of is not None and named is not None:
        sentence = f"{named} goes with no --as-of, which leaves nothing in the state store"
        raise ConfigurationError(sentence, "put the shards' reports together with `janitor merge`", "shard")


def is_part_of_a_run(settings: ScanSettings) -> bool:
    """Whether it is a shard that meets the others, of which the last speaks for all."""
    is_remembered = has_store(settings.state, settings.notices) and settings.policy.as_of is None
    return settings.shards.shard is not None and is_remembered


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
            "--per-token": settings.notices.per_token,
            "--notice-age": sweep.deletion.notice_age,
        }
    return terms


def _number(variables: Mapping[str, str], name: str, way_out: str) -> int:
    text = variables.get(name)
    if text is None:
        raise ConfigurationError(f"--shard auto needs the variable {name}", way_out, "shard")
    if not text.isdecimal() or len(text) > len(str(MAX_SHARDS)):
        raise ConfigurationError(f"--shard auto: {name} is not a number", way_out, "shard")
    return int(text)

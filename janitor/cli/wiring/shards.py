"""One shard of a run: which part of the table it takes, and how it meets the others in the state store."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from janitor import __version__
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
from janitor.run.shard_announcer import Merging, ShardAnnouncer
from janitor.run.shard_guards import Patience, ShardGuards, refusals_of_a_dry_run
from janitor.run.sharded_run import Counts, ShardedRun
from janitor.run.stopping import Stop
from janitor.shard import AUTO, MAX_SHARDS, Shard, shard_of
from janitor.tokens.policy import Policy

_INDEX, _COUNT = "JOB_COMPLETION_INDEX", "JANITOR_SHARDS"

# Before anything is deleted others are waited for at least by default; see `--shard-wait`.
_WAIT_TO_DELETE = 600  # seconds
# What the deadline leaves for the deletes and the report, at most.
_RESERVE_SECONDS = 10.0


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
    if settings.policy.as_of is not None and named is not None:
        sentence = f"{named} goes with no --as-of, which leaves nothing in the state store"
        raise ConfigurationError(sentence, "put the shards' reports together with `janitor merge`", "shard")


class Joined(NamedTuple):
    """The run that shards share, as one of them sees it.

    Attributes:
        run: that.
        patience: how long it waits for the others when it has come to its end; None for not at all.
        guards: ask the guards together with the others.
    """

    run: ShardedRun
    patience: Patience | None
    guards: ShardGuards

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
    is_remembered = has_store(settings.state, settings.notices) and settings.policy.as_of is None
    if shard is None or not is_remembered:
        return None
    store = shard_store_for(settings.state, reached.aws, reached.table)
    run = ShardedRun(store, shard, name=settings.shards.shard_run, run_id=run_id, clock=time.time)
    run.join(_terms(policy, segments, sweep))
    wait, deletes = settings.shards.shard_wait, sweep is not None and sweep.deletes
    to_delete = _patience(_WAIT_TO_DELETE if wait is None else wait, settings.deadline.deadline, stop)
    return Joined(run, to_delete if wait is not None or deletes else None, ShardGuards(run, to_delete))


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

    claim: Callable[[], LeaseKeeper] = partial(
        claim_for, settings.state, reached.aws, reached.table, joined.run.name, f"shard-{joined.run.shard.index}"
    )
    merging = Merging(
        claim=claim,
        guards=guards,
        outlets=outlets_to(settings.shards.merged_report, reached, joined.run.name, stop),
        max_findings=settings.output.max_findings,
        version=__version__,
        table_lease=lease,
        stop=stop,
    )
    return ShardAnnouncer(announcing.announcer, announcing.watch, joined.run, merging, joined.patience)


def _patience(seconds: int, deadline: int | None, stop: Stop) -> Patience:
    now = seconds_since_boot()
    until = None if deadline is None else now + deadline - min(_RESERVE_SECONDS, deadline / 2)
    return Patience(seconds=seconds, until=until, clock=seconds_since_boot, sleep=time.sleep, stop=stop)


def _terms(policy: Policy, segments: int, sweep: SweepSettings | None) -> Mapping[str, object]:
    """What the shards of a run have to have alike: without it parts of the table were read twice, or judged unlike."""
    terms: dict[str, object] = {
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
            "--require-notice": sweep.deletion.require_notice,
        }
    return terms


def _number(variables: Mapping[str, str], name: str, way_out: str) -> int:
    text = variables.get(name)
    if text is None:
        raise ConfigurationError(f"--shard auto needs the variable {name}", way_out, "shard")
    if not text.isdecimal() or len(text) > len(str(MAX_SHARDS)):
        raise ConfigurationError(f"--shard auto: {name} is not a number", way_out, "shard")
    return int(text)

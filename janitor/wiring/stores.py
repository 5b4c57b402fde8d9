"""The store of what runs remember, and of the lease of a table; a backend is imported where it is the one meant."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from janitor.settings.store_url import DynamoDbUrl, SqliteUrl
from janitor.wiring.places import state_directory

if TYPE_CHECKING:
    from janitor.dynamodb.client import Aws
    from janitor.dynamodb.locate import Table
    from janitor.notices.trouble import TroubleMemory
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.stopping import Stop
    from janitor.store.lease import Leases
    from janitor.store.lease_keeper import LeaseKeeper
    from janitor.store.records import Store

STATE_FILE = "state.sqlite"
# What is left of a run's deadline for telling, however long another run has the right to tell.
_SECONDS_TO_TELL = 30.0


def scope_of(table: Table) -> str:
    """What a store knows a table by: `account/region/table`."""
    return f"{table.account_id or '-'}/{table.region}/{table.name}"


def has_store(state: StateSettings, notices: NoticeSettings) -> bool:
    """Whether runs remember anything: where a store is named, or a topic, which needs one."""
    return state.state_url is not None or notices.sns_topic_arn is not None


def store_for(state: StateSettings, aws: Callable[[], Aws], *, is_dry_run: bool = False) -> Store:
    """The store that the settings name, or the one in the state directory; nothing is read or written.

    Args:
        state: which one.
        aws: the way to it.
        is_dry_run: whether what is written to it goes nowhere.
    """
    from janitor.store.records import ReadOnlyStore, Store

    kind = ReadOnlyStore if is_dry_run else Store
    match state.state_url or SqliteUrl(state_directory("--state-url") / STATE_FILE):
        case DynamoDbUrl(table):
            from janitor.store.dynamodb import DynamoDbBackend

            return kind(DynamoDbBackend(aws().dynamodb, table))
        case SqliteUrl(path):
            from janitor.store.sqlite import SqliteBackend

            return kind(SqliteBackend(path))


def lease_for(
    state: StateSettings,
    notices: NoticeSettings,
    aws: Aws,
    table: Table,
    holder: str,
    *,
    attempts_of: str | None = None,
) -> LeaseKeeper | None:
    """The lease of the table, not taken yet; None where nothing keeps it.

    Args:
        state: which store.
        notices: whether there is one at all.
        aws: the way to it.
        table: the table.
        holder: the run's id.
        attempts_of: of which work the run is an attempt, where it is one of several.
    """
    if not has_store(state, notices):
        return None
    from janitor.store.lease_keeper import LeaseKeeper

    return LeaseKeeper(
        _leases(state, aws),
        scope_of(table),
        holder,
        attempts_of=attempts_of,
        waits=True,
    )


def turn_for(
    state: StateSettings,
    aws: Aws,
    table: Table,
    topic_arn: str,
    run_id: str,
    *,
    stop: Stop,
    attempts_of: str | None = None,
) -> LeaseKeeper:
    """The right to tell a topic of a table, not taken yet.

    Args:
        state: which store.
        aws: the way to it.
        table: the table.
        topic_arn: the topic.
        run_id: the run's id.
        stop: a request, or a deadline that is near, ends the wait for another run.
        attempts_of: of which work the run is an attempt, where it is one of several.
    """
    from janitor.store.lease_keeper import LeaseKeeper

    return LeaseKeeper(
        _leases(state, aws),
        f"{scope_of(table)}/announce/{topic_arn}",
        run_id,
        attempts_of=attempts_of,
        waits=True,
        goes_on=partial(_has_time, stop),
    )


def failure_turn_for(state: StateSettings, aws: Aws, troubles: TroubleMemory, run_id: str, stop: Stop) -> LeaseKeeper:
    """The right to tell that runs of one kind come to no report, not taken yet."""
    from janitor.store.lease_keeper import LeaseKeeper

    scope = f"runs/{troubles.name}"
    return LeaseKeeper(_leases(state, aws), scope, run_id, waits=True, goes_on=partial(_has_time, stop))


def _has_time(stop: Stop) -> bool:
    """Whether a run may wait for another one that is telling what it would tell."""
    return not stop.is_requested() and stop.seconds_left > _SECONDS_TO_TELL


def troubles_for(
    state: StateSettings, notices: NoticeSettings, aws: Callable[[], Aws], *, command: str, table: str
) -> TroubleMemory | None:
    """What the last run of the same kind ended with; None where nobody is told."""
    if notices.sns_topic_arn is None:
        return None
    from janitor.notices.trouble import TroubleMemory

    return TroubleMemory(
        store_for(state, aws), time.time, job=notices.job or command, table=table, topic=notices.sns_topic_arn
    )


def _leases(state: StateSettings, aws: Aws) -> Leases:
    from janitor.store.lease import Leases

    return Leases(store_for(state, lambda: aws))

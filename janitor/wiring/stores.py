"""Opens the state store, and makes the leases that are kept in it. Only the backend that is used is imported."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.errors import ConfigurationError
from janitor.settings.store_url import DynamoDbUrl, SqliteUrl
from janitor.wiring.destinations import has_destination
from janitor.wiring.places import find_state_directory, is_folder

if TYPE_CHECKING:
    from janitor.dynamodb.client import AwsSession
    from janitor.dynamodb.locate import Table
    from janitor.notices.run_problem import ProblemMemory
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.stopping import Stop
    from janitor.store.lease import Leases
    from janitor.store.lease_keeper import LeaseKeeper
    from janitor.store.records import Store

STATE_FILE = "state.sqlite"
# A run stops waiting for another run's lease when this is left until its deadline, so that it can still announce.
_SECONDS_TO_ANNOUNCE = 30.0


def list_state_files(state: StateSettings) -> list[tuple[str, Path]]:
    """The state file, if the user names one."""
    return [("--state-url", state.state_url.path)] if isinstance(state.state_url, SqliteUrl) else []


def check_state(state: StateSettings) -> None:
    """Check that the folder of a relative path exists. A URL with three slashes has one.

    Raises:
        ConfigurationError: it does not exist; an absolute path may have been meant.
    """
    url = state.state_url
    if isinstance(url, SqliteUrl) and not url.path.is_absolute() and not is_folder(url.path.parent):
        sentence = f"--state-url sqlite:///{url.path}: there is no folder {url.path.parent} in {_name_current_folder()}"
        raise ConfigurationError(
            sentence,
            f"make it, or write an absolute path with four slashes: sqlite:////{url.path}",
            "state-url",
        )


def _name_current_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "the current folder, which was deleted"


def scope_of(table: Table) -> str:
    """The name of a table in a store: `account/region/table`."""
    return f"{table.account_id or '-'}/{table.region}/{table.name}"


def has_store(state: StateSettings, notices: NoticeSettings) -> bool:
    """Whether runs remember anything: if a store is named, or anybody is notified, which needs one."""
    return state.state_url is not None or has_destination(notices)


def open_store(state: StateSettings, aws: Callable[[], AwsSession], *, is_dry_run: bool = False) -> Store:
    """The store that the settings name, or the one in the state directory; nothing is read or written yet.

    Args:
        state: names the store.
        aws: opens the session that reaches it.
        is_dry_run: whether writes are dropped.
    """
    from janitor.store.records import ReadOnlyStore, Store

    kind = ReadOnlyStore if is_dry_run else Store
    match state.state_url or SqliteUrl(find_state_directory("--state-url") / STATE_FILE):
        case DynamoDbUrl(table):
            from janitor.store.dynamodb import DynamoDbBackend

            return kind(DynamoDbBackend(aws().dynamodb, table))
        case SqliteUrl(path):
            from janitor.store.sqlite import SqliteBackend

            return kind(SqliteBackend(path))


def make_table_lease(
    state: StateSettings,
    notices: NoticeSettings,
    aws: AwsSession,
    table: Table,
    holder: str,
    *,
    attempts_of: str | None = None,
) -> LeaseKeeper | None:
    """The lease for sweeping the table, not taken yet; None if there is no store to keep it.

    Args:
        state: names the store.
        notices: who is notified implies a store.
        aws: the session that reaches the store.
        table: the table.
        holder: the run's id.
        attempts_of: the name of the work that this run is an attempt of; None if it is not repeated.
    """
    if not has_store(state, notices):
        return None
    from janitor.store.lease_keeper import LeaseClaim, LeaseKeeper

    return LeaseKeeper(
        _open_leases(state, aws), LeaseClaim(scope_of(table), holder, attempts_of), wait_while=lambda: True
    )


def make_announce_lease(
    state: StateSettings,
    aws: AwsSession,
    table: Table,
    destination: str,
    run_id: str,
    *,
    stop: Stop,
    attempts_of: str | None = None,
) -> LeaseKeeper:
    """The lease for announcing a table to a topic or a service, not taken yet.

    Args:
        state: names the store.
        aws: the session that reaches the store.
        table: the table.
        destination: the id of the topic or service.
        run_id: the run's id.
        stop: a request to stop, or a deadline that is near, ends the wait for another run.
        attempts_of: the name of the work that this run is an attempt of; None if it is not repeated.
    """
    from janitor.store.lease_keeper import LeaseClaim, LeaseKeeper

    claim = LeaseClaim(f"{scope_of(table)}/announce/{destination}", run_id, attempts_of)
    return LeaseKeeper(_open_leases(state, aws), claim, wait_while=partial(_has_time, stop))


def make_failure_lease(
    state: StateSettings, aws: AwsSession, problems: ProblemMemory, run_id: str, stop: Stop
) -> LeaseKeeper:
    """The lease for publishing that runs of this kind end without a report, not taken yet."""
    from janitor.store.lease_keeper import LeaseClaim, LeaseKeeper

    claim = LeaseClaim(f"runs/{problems.name}", run_id)
    return LeaseKeeper(_open_leases(state, aws), claim, wait_while=partial(_has_time, stop))


def _has_time(stop: Stop) -> bool:
    """Whether a run may still wait for the lease of another one that is announcing."""
    return not stop.is_requested() and stop.seconds_left > _SECONDS_TO_ANNOUNCE


def make_problem_memory(
    state: StateSettings,
    notices: NoticeSettings,
    destination: str,
    aws: Callable[[], AwsSession],
    *,
    command: str,
    table: str,
) -> ProblemMemory:
    """The memory of how the last run of the same kind ended, as this destination heard of it."""
    from janitor.notices.run_problem import ProblemMemory

    return ProblemMemory(open_store(state, aws), time.time, job=notices.job or command, table=table, topic=destination)


def _open_leases(state: StateSettings, aws: AwsSession) -> Leases:
    from janitor.store.lease import Leases

    return Leases(open_store(state, lambda: aws))

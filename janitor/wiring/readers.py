"""Who reads the table: this process, others of this machine, or a Dask cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from janitor.dynamodb.scan import BYTES_PER_AUTO_SEGMENT, MAX_AUTO_SEGMENTS
from janitor.errors import ConfigurationError
from janitor.readers.threads import Threads
from janitor.settings.parsers import MAX_SEGMENTS, MAX_THREADS

if TYPE_CHECKING:
    from janitor.readers.interface import Reader
    from janitor.readers.segment import SegmentReaders, TablePlace
    from janitor.settings.limits import LimitSettings
    from janitor.settings.table import TableSettings
    from janitor.stopping import Stop
    from janitor.wiring.table import OpenTable

# How much of the machine's time a container may have, in microseconds, and of how many (Linux, cgroup v2).
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Shares(NamedTuple):
    """How a table is shared out: in how many segments, and how many processes of this machine read them."""

    segments: int
    processes: int


def check_readers(limits: LimitSettings) -> None:
    """See that settings do not contradict each other, and that what they need is installed.

    Raises:
        ConfigurationError: they do, or it is not.
    """
    if limits.dask is not None and limits.workers != 1:
        raise ConfigurationError("--workers and --dask both say who reads the table", "give one of them")
    if limits.dask is None and limits.workers == 1 and (limits.segments or 0) > MAX_THREADS:
        sentence = f"--segments {limits.segments}: one process reads at most {MAX_THREADS} at once"
        raise ConfigurationError(sentence, "give fewer, or let several processes read with --workers N")
    if limits.dask is not None:
        from janitor.readers.dask_cluster import check_installed

        check_installed()


def threads_of(limits: LimitSettings) -> int:
    """How many threads of this process read; 0 for the usual."""
    is_alone = limits.dask is None and limits.workers == 1
    return (limits.segments or 0) if is_alone else 0


def shares_of(limits: LimitSettings, size_bytes: int) -> Shares:
    """How a table of so many bytes is shared out. The workers of a Dask cluster are not counted here."""
    parts = min(MAX_SEGMENTS, max(1, -(-size_bytes // BYTES_PER_AUTO_SEGMENT)))
    if limits.dask is not None:
        return Shares(limits.segments or parts, 1)
    workers = limits.workers or min(parts, cores())
    if workers == 1:
        return Shares(limits.segments or min(parts, MAX_AUTO_SEGMENTS), 1)
    segments = limits.segments or max(parts, workers)
    return Shares(segments, min(workers, segments))


def reader_for(reached: OpenTable, limits: LimitSettings, way: TableSettings, stop: Stop) -> Reader:
    """Who reads the table that was reached; `way` says how others get there.

    Raises:
        ConfigurationError: the Dask cluster does not answer, or has other versions.
    """
    shares = shares_of(limits, reached.table.size_bytes)
    if limits.dask is not None:
        from janitor.readers.dask_cluster import DaskCluster

        cluster = DaskCluster(limits.dask, stop)
        cluster.check()
        return _others(reached, _place(reached), shares.segments, cluster, stop)
    if shares.processes > 1:
        from janitor.readers.processes import Processes

        return _others(reached, _place(reached, way), shares.segments, Processes(shares.processes, stop), stop)
    return Threads(
        reached.aws.dynamodb,
        reached.table.name,
        segments=shares.segments,
        stop=stop,
        budgets=reached.budgets,
    )


def cores() -> int:
    """How many cores this process may use: of the machine, by its affinity and the quota of its container."""
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        allowed = int(quota) // int(period)
    except (OSError, ValueError):
        # There is no quota, or not this kind of container.
        allowed = MAX_THREADS
    return max(1, min(allowed, len(os.sched_getaffinity(0))))


def _place(reached: OpenTable, way: TableSettings | None = None) -> TablePlace:
    """Where the table is. Who reads it elsewhere has a way of their own there, without `way`: a role, a profile."""
    from janitor.readers.segment import TablePlace

    table = reached.table
    return TablePlace(
        table=table.name,
        table_id=table.table_id,
        account_id=table.account_id,
        region=table.region,
        profile=way.profile if way else None,
        role_arn=way.role_arn if way else None,
        endpoint_url=way.endpoint_url if way else table.endpoint,
        rate=reached.budgets.reads.limit,
    )


def _others(reached: OpenTable, place: TablePlace, segments: int, hands: SegmentReaders, stop: Stop) -> Reader:
    from janitor.readers.segment import Segments

    return Segments(place, segments, hands, stop=stop, note_requests=reached.aws.traffic.add)

"""Who reads the table: this process, others of this machine, or a Dask cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from janitor.dynamodb.scan import BYTES_PER_AUTO_SEGMENT, MAX_AUTO_SEGMENTS
from janitor.errors import ConfigurationError
from janitor.parsers import MAX_THREADS
from janitor.readers.threads import Threads

if TYPE_CHECKING:
    from janitor.cli.wiring.reach import Reached
    from janitor.config.limits import LimitSettings
    from janitor.config.table import TableSettings
    from janitor.readers.interface import Reader
    from janitor.readers.segment import Hands
    from janitor.run.stopping import Stop


def check_readers(limits: LimitSettings) -> None:
    """See that settings do not contradict each other.

    Raises:
        ConfigurationError: they do.
    """
    if limits.dask is not None and limits.workers != 1:
        raise ConfigurationError("--workers and --dask both say who reads the table", "give one of them")
    if limits.dask is None and limits.workers == 1 and (limits.segments or 0) > MAX_THREADS:
        sentence = f"--segments {limits.segments}: one process reads at most {MAX_THREADS} at once"
        raise ConfigurationError(sentence, "give fewer, or let several processes read with --workers N")


def threads_of(limits: LimitSettings) -> int:
    """How many threads of this process read; 0 for the usual."""
    is_alone = limits.dask is None and limits.workers == 1
    return (limits.segments or 0) if is_alone else 0


def reader_for(reached: Reached, limits: LimitSettings, way: TableSettings, stop: Stop) -> Reader:
    """Who reads the table that was reached; `way` says how others get there."""
    parts = max(1, -(-reached.table.size_bytes // BYTES_PER_AUTO_SEGMENT))
    if limits.dask is not None:
        from janitor.readers.dask_cluster import DaskCluster

        return _others(reached, way, limits.segments or parts, DaskCluster(limits.dask, stop))
    workers = limits.workers or min(parts, len(os.sched_getaffinity(0)))
    if workers > 1:
        from janitor.readers.processes import Processes

        segments = limits.segments or max(parts, workers)
        return _others(reached, way, segments, Processes(min(workers, segments), stop))
    return Threads(
        reached.aws.dynamodb,
        reached.table.name,
        segments=limits.segments or min(parts, MAX_AUTO_SEGMENTS),
        stop=stop,
        budgets=reached.budgets,
    )


def _others(reached: Reached, way: TableSettings, segments: int, hands: Hands) -> Reader:
    from janitor.readers.segment import Place, Segments

    place = Place(
        table=reached.table.name,
        region=reached.table.region,
        profile=way.profile,
        role_arn=way.role_arn,
        endpoint_url=way.endpoint_url,
        rate=reached.budgets.reads.limit,
    )
    return Segments(place, segments, hands, reached.aws.traffic.add)

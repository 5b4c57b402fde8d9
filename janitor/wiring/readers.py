"""Picks the reader of a table: this process, several processes of this machine, or a Dask cluster."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from janitor.dynamodb.scan import BYTES_PER_AUTO_SEGMENT, MAX_AUTO_SEGMENTS
from janitor.errors import ConfigurationError
from janitor.readers.in_process import ThreadReader
from janitor.settings.parsers import MAX_SEGMENTS, MAX_THREADS

if TYPE_CHECKING:
    from janitor.readers.interface import Reader
    from janitor.readers.segment import TableLocation
    from janitor.settings.limits import LimitSettings
    from janitor.settings.table import TableSettings
    from janitor.stopping import Stop
    from janitor.wiring.open_table import OpenTable

# The CPU time that a container may use, and in which period, both in microseconds; and its memory in bytes (Linux,
# cgroup v2).
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")

# What nobody asked for stays small: each process has its own connections and credentials. Who wants more says so.
_MOST_PROCESSES = 4
# Below that, a second process takes longer to start than it saves (tests/bench/README.md, "workers").
_BYTES_WORTH_PROCESSES = 128 * 1024 * 1024
# More than each was seen to take (tests/bench/README.md, "memory").
_BYTES_OF_DECIDING_PROCESS = 160 * 1024 * 1024
_BYTES_OF_READING_PROCESS = 96 * 1024 * 1024


class TableSplit(NamedTuple):
    """How a table is split for reading: into how many segments, and how many processes of this machine read them."""

    segments: int
    processes: int


def check_readers(limits: LimitSettings) -> None:
    """Check that the settings do not contradict each other, and that what they need is installed.

    Raises:
        ConfigurationError: they contradict each other, or a package is missing.
    """
    if limits.dask is not None and limits.workers not in (None, 1):
        raise ConfigurationError("--workers and --dask contradict each other", "give one of them")
    if limits.dask is None and limits.workers == 1 and (limits.segments or 0) > MAX_THREADS:
        sentence = f"--segments {limits.segments}: one process reads at most {MAX_THREADS} segments"
        raise ConfigurationError(sentence, "give fewer, or read with several processes: --workers N")
    if limits.dask is not None:
        from janitor.readers.dask_cluster import check_installed

        check_installed()


def count_threads(limits: LimitSettings) -> int:
    """How many threads of this process may read the table; 0 for the default."""
    may_be_only_process = limits.dask is None and limits.workers in (None, 1)
    return (limits.segments or 0) if may_be_only_process and (limits.segments or 0) <= MAX_THREADS else 0


def split_table(
    limits: LimitSettings, size_bytes: int, *, may_ask_person: bool = False, has_budget: bool = False
) -> TableSplit:
    """Decide how to split a table for reading.

    Args:
        limits: how many segments and processes the user asked for, if any.
        size_bytes: the size of the table, as DescribeTable tells it.
        may_ask_person: whether the credentials may take an answer from a person, whom only this process can ask.
        has_budget: whether read units are limited: one process uses the budget up, and keeps it best.

    Returns:
        the split; the workers of a Dask cluster are not counted as processes.
    """
    parts = min(MAX_SEGMENTS, max(1, -(-size_bytes // BYTES_PER_AUTO_SEGMENT)))
    if limits.dask is not None:
        return TableSplit(limits.segments or parts, 1)
    workers = limits.workers or _choose_processes(limits, size_bytes, is_alone=may_ask_person or has_budget)
    if workers == 1:
        return TableSplit(limits.segments or min(parts, MAX_AUTO_SEGMENTS), 1)
    segments = limits.segments or max(parts, workers)
    return TableSplit(segments, min(workers, segments))


def make_reader(opened: OpenTable, limits: LimitSettings, settings: TableSettings, stop: Stop) -> Reader:
    """Make the reader of an opened table; other processes reach it by `settings`.

    Raises:
        ConfigurationError: the Dask cluster does not answer, or its versions differ.
    """
    split = split_table(
        limits,
        opened.table.size_bytes,
        may_ask_person=opened.aws.may_ask_person,
        has_budget=opened.budgets.reads.limit is not None,
    )
    if limits.dask is None and split.processes == 1:
        return _make_thread_reader(opened, split.segments, stop)
    from janitor.readers.segment import DistributedReader

    note_requests = opened.aws.traffic.add
    if limits.dask is not None:
        from janitor.readers.dask_cluster import DaskCluster

        cluster = DaskCluster(limits.dask, stop)
        cluster.check()
        return DistributedReader(
            _make_location(opened), split.segments, cluster, stop=stop, note_requests=note_requests
        )
    from janitor.readers.processes import FallbackReader, ReaderProcesses

    processes = ReaderProcesses(split.processes, stop)
    location = _make_location(opened, settings)
    reader = DistributedReader(location, split.segments, processes, stop=stop, note_requests=note_requests)
    if limits.workers is not None or (limits.segments or 0) > MAX_THREADS:
        return reader
    # Where no process can be started, there may be no more threads either, and one segment needs none.
    return FallbackReader(reader, _make_thread_reader(opened, limits.segments or 1, stop))


def _make_thread_reader(opened: OpenTable, segments: int, stop: Stop) -> ThreadReader:
    return ThreadReader(opened.aws.dynamodb, opened.table.name, segments=segments, stop=stop, budgets=opened.budgets)


def count_available_cores() -> int:
    """How many cores this process may use, by its CPU affinity and the quota of its container."""
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        allowed = int(quota) // int(period)
    except (OSError, ValueError):
        # There is no quota, or no cgroup v2.
        allowed = MAX_THREADS
    return max(1, min(allowed, len(os.sched_getaffinity(0))))


def _choose_processes(limits: LimitSettings, size_bytes: int, *, is_alone: bool) -> int:
    """Choose how many processes read the table where nobody has said it: as many as are worth their start, and fit."""
    if (limits.segments or 0) > MAX_THREADS:
        return max(2, min(count_available_cores(), _MOST_PROCESSES))
    if is_alone or size_bytes < _BYTES_WORTH_PROCESSES:
        return 1
    return max(1, min(count_available_cores(), _count_processes_that_fit(), _MOST_PROCESSES))


def _count_processes_that_fit() -> int:
    """How many reading processes fit into half of this container's memory, or a quarter of the machine's."""
    room = _read_physical_memory() // 4
    # There may be no limit, or no cgroup v2.
    with contextlib.suppress(OSError, ValueError):
        room = min(room, int(_MEMORY_LIMIT.read_text()) // 2)
    return (room - _BYTES_OF_DECIDING_PROCESS) // _BYTES_OF_READING_PROCESS


def _read_physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _make_location(opened: OpenTable, settings: TableSettings | None = None) -> TableLocation:
    """Where other processes find the table. Without `settings` they use the profile or role of their own machine."""
    from janitor.readers.segment import TableLocation

    table = opened.table
    return TableLocation(
        table=table.name,
        table_id=table.table_id,
        account_id=table.account_id,
        region=table.region,
        profile=settings.profile if settings else None,
        role_arn=settings.role_arn if settings else None,
        endpoint_url=settings.endpoint_url if settings else table.endpoint,
        rate=opened.budgets.reads.limit,
    )

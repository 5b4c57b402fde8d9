"""The Dask cluster that is to read the table."""

import functools

from janitor.dynamodb.scan import NeverStopped
from janitor.errors import JanitorError
from janitor.report.checkup import Check, passed, raised
from janitor.settings.limits import LimitSettings
from janitor.wiring.readers import check_readers, shares_of

DASK = "dask"


def cluster_checks(limits: LimitSettings) -> list[Check]:
    """Whether the cluster is there, and has this janitor; nothing where none is asked for."""
    if limits.dask is None:
        return []
    threads = _threads_of(limits)
    if isinstance(threads, JanitorError):
        return [raised(DASK, threads, needed=True)]
    return [passed(DASK, f"{limits.dask}: {threads} threads that can read, with this janitor")]


def readers_at_once(limits: LimitSettings, size_bytes: int) -> int:
    """How many segments of a table of so many bytes are read at the same time."""
    shares = shares_of(limits, size_bytes)
    if limits.dask is None:
        return shares.processes if shares.processes > 1 else shares.segments
    threads = _threads_of(limits)
    return 1 if isinstance(threads, JanitorError) else max(1, min(threads, shares.segments))


@functools.cache
def _threads_of(limits: LimitSettings) -> int | JanitorError:
    from janitor.readers.dask_cluster import DaskCluster

    try:
        check_readers(limits)
        return DaskCluster(limits.dask or "", NeverStopped()).check()
    except JanitorError as error:
        return error

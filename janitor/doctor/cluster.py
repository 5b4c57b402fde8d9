"""The Dask cluster of --dask."""

import functools

from janitor.errors import JanitorError
from janitor.report.checkup import Check, error_check, passed_check
from janitor.settings.limits import LimitSettings
from janitor.stopping import NeverStopped
from janitor.wiring.readers import check_readers, split_table

_DASK = "dask"


def examine_cluster(limits: LimitSettings) -> list[Check]:
    """Check that the cluster answers and has the same janitor; no check without --dask."""
    if limits.dask is None:
        return []
    threads = _connect(limits)
    if isinstance(threads, JanitorError):
        return [error_check(_DASK, threads, needed=True)]
    return [passed_check(_DASK, f"{limits.dask}: {threads} reader threads, with the same janitor")]


def count_parallel_readers(limits: LimitSettings, size_bytes: int) -> int:
    """Count how many segments of a table of this size are read at the same time."""
    shares = split_table(limits, size_bytes)
    if limits.dask is None:
        return shares.processes if shares.processes > 1 else shares.segments
    threads = _connect(limits)
    return 1 if isinstance(threads, JanitorError) else max(1, min(threads, shares.segments))


@functools.cache
def _connect(limits: LimitSettings) -> int | JanitorError:
    from janitor.readers.dask_cluster import DaskCluster

    try:
        check_readers(limits)
        return DaskCluster(limits.dask or "", NeverStopped()).check()
    except JanitorError as error:
        return error

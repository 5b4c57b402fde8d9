"""Reads segments on a Dask cluster: many machines for one table. The cluster is somebody else's to run.

Dask reads the segment of a worker that was lost on another one, and gives a segment up whose workers are lost again and
again. A scheduler that is lost ends the run. Nothing was deleted by then, for nothing is before everything was read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import TYPE_CHECKING

from janitor.dynamodb.scan import StopRequest
from janitor.errors import ConfigurationError, JanitorError
from janitor.logs import get_logger
from janitor.readers.segment import read_segment

if TYPE_CHECKING:
    from distributed import Client, Future

log = get_logger("janitor.readers")

_CONNECT_SECONDS = 30
_WORKERS_SECONDS = 60
_WAKE_SECONDS = 0.5
_CLOSE_SECONDS = 2.0
# A worker that is done with a segment has its next one at hand.
_TASKS_A_THREAD = 2
_MOST_RETRIES = 2


class DaskCluster:
    """The workers of a Dask cluster. At most two segments for each of their threads are on their way."""

    def __init__(self, address: str, stop: StopRequest) -> None:
        """Prepare; nobody is asked yet.

        Args:
            address: the scheduler's, `tcp://HOST:PORT` or `tls://HOST:PORT`. For TLS, keys and certificates are those
                of Dask's own configuration (`distributed.comm.tls`).
            stop: a request ends the reading early and quietly.
        """
        self._address, self._stop = address, stop
        self._client: Client | None = None

    def count(self) -> int:
        """As `Hands.count`: the threads of all workers."""
        return 1 if self._client is None else max(1, sum(self._client.nthreads().values()))

    def answers(self, tasks: Iterator[bytes]) -> Iterator[bytes]:
        """As `Hands.answers`.

        Raises:
            ConfigurationError: the extra is not installed, nobody answers at the address, or the versions differ.
            JanitorError: the scheduler was lost, or the workers that read one segment were, again and again.
        """
        self._client = client = _connected(self._address)
        from distributed import FIRST_COMPLETED, wait

        try:
            _check_versions(client, self._address)
            under_way: set[Future] = set()
            while not self._stop.is_requested():
                for task in islice(tasks, max(0, _TASKS_A_THREAD * self.count() - len(under_way))):
                    under_way.add(client.submit(read_segment, task, pure=False, retries=_MOST_RETRIES))
                if not under_way:
                    return
                if client.status != "running":
                    raise _scheduler_lost(self._address)
                try:
                    done, _ = wait(under_way, timeout=_WAKE_SECONDS, return_when=FIRST_COMPLETED)
                except TimeoutError:
                    continue
                except CancelledError:
                    raise _scheduler_lost(self._address) from None
                for future in done:
                    under_way.discard(future)
                    yield _answer_of(future, self._address)
        finally:
            self._client = None
            client.close(timeout=_CLOSE_SECONDS)


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        way_out = "pip install 'token-janitor[dask]', on the cluster's machines too"
        raise ConfigurationError(
            "--dask needs the extra dask, which is not installed", way_out, "dask-missing"
        ) from None
    # Its lines are for whoever runs a cluster; what goes wrong is said here.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        sentence = f"--dask {address}: no Dask scheduler answers there ({type(error).__name__})"
        raise ConfigurationError(sentence, "check the address, and Dask's configuration for TLS", "dask") from None
    try:
        client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
    except (OSError, TimeoutError):
        client.close(timeout=_CLOSE_SECONDS)
        sentence = f"--dask {address}: the cluster has had no worker for {_WORKERS_SECONDS} seconds"
        raise JanitorError(sentence, "start workers, then run it again", "dask-no-worker") from None
    return client


def _check_versions(client: Client, address: str) -> None:
    """See that the cluster speaks as this process does. That its workers have this janitor is seen by each task."""
    versions = client.get_versions()
    ours = versions["client"]["packages"]["distributed"]
    others = {versions["scheduler"]["packages"]["distributed"]}
    others |= {worker["packages"]["distributed"] for worker in versions["workers"].values()}
    if others != {ours}:
        theirs = ", ".join(sorted(others - {ours}))
        sentence = f"--dask {address}: the cluster has Dask {theirs}, and this is {ours}"
        raise ConfigurationError(sentence, "give both the same version", "other-version")


def _answer_of(future: Future, address: str) -> bytes:
    from distributed import KilledWorker

    try:
        answer: bytes = future.result(timeout=_CONNECT_SECONDS)
    except KilledWorker:
        sentence = "the workers that read one part of the table died, one after the other"
        raise JanitorError(sentence, "give the cluster's workers more memory", "reader-died") from None
    except ImportError:
        sentence = f"--dask {address}: the cluster's workers have no janitor, or another version of it"
        raise ConfigurationError(sentence, "start them from the same image", "other-version") from None
    except (CancelledError, OSError, TimeoutError):
        raise _scheduler_lost(address) from None
    return answer


def _scheduler_lost(address: str) -> JanitorError:
    return JanitorError(f"--dask {address}: the scheduler was lost", "start it, then run it again", "dask-lost")

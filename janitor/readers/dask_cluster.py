"""Read segments on a Dask cluster: many machines for one table. janitor does not start or stop the cluster.

If a worker is lost, Dask reads its segment on another one, and gives up a segment that loses its workers again and
again. If the scheduler is lost, the run fails. Nothing has been deleted then, because reading comes first.
"""

from __future__ import annotations

import importlib.util
import logging
import time
import warnings
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from janitor import __version__
from janitor.errors import ConfigurationError, JanitorError, StopRequestedError
from janitor.readers.segment import read_segment
from janitor.stopping import StopRequest

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_NO_WORKER_SECONDS = 60
_WAKE_SECONDS = 0.5
_CLOSE_SECONDS = 1.0
# A worker that has finished a segment finds its next one waiting.
_TASKS_PER_THREAD = 2

_SAME_IMAGE = "start scheduler and workers from the image of this janitor"


class DaskCluster:
    """The workers of a Dask cluster. Each of their threads has at most two segments at a time."""

    def __init__(self, address: str, stop: StopRequest) -> None:
        """Prepare; does not connect yet.

        Args:
            address: the scheduler's address, `tcp://HOST:PORT` or `tls://HOST:PORT`. Keys and certificates for TLS come
                from Dask's own configuration (`distributed.comm.tls`).
            stop: a request ends the reading early, without an error.
        """
        self._address, self._stop = address, stop
        self._threads = 1

    def check(self) -> int:
        """Check that the cluster answers and has the same versions of janitor and Dask; return its number of threads.

        Raises:
            ConfigurationError: the extra is not installed, no scheduler answers, or the versions differ.
        """
        check_installed()
        with self._connect() as client:
            try:
                check_dask(client, self._address)
                check_janitor(client, self._address)
                return sum(client.nthreads().values())
            except (OSError, TimeoutError, CancelledError):
                raise self._scheduler_lost_error() from None

    def count(self) -> int:
        """Return how many threads all workers had when they were last asked; at least one."""
        return self._threads

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """Have the tasks done, and yield the answers.

        Raises:
            ConfigurationError: no scheduler answers at the address.
            JanitorError: the scheduler was lost, or all workers, or one segment lost its workers again and again.
        """
        with self._connect() as client, suppress(StopRequestedError):
            yield from self._answers(client, tasks)

    def _answers(self, client: Client, tasks: Iterator[bytes]) -> Iterator[bytes]:
        running: set[Future] = set()
        had_workers = time.monotonic()
        while not self._stop.is_requested():
            with self._stop.interruptible_wait():
                threads = self._count_threads(client)
            if threads:
                had_workers = time.monotonic()
            elif time.monotonic() > had_workers + _NO_WORKER_SECONDS:
                sentence = f"--dask {self._address}: the cluster has had no workers for {_NO_WORKER_SECONDS} seconds"
                raise JanitorError(sentence, "start workers, then run it again", "dask-no-worker")
            self._threads = max(1, threads)
            for task in islice(tasks, max(0, _TASKS_PER_THREAD * self._threads - len(running))):
                running.add(client.submit(read_segment, task, pure=False))
            if not running:
                return
            for future in self._wait_for_any(client, running):
                running.discard(future)
                with self._stop.interruptible_wait():
                    answer = self._answer_of(future)
                # Without this the cluster would keep the answer.
                future.release()
                yield answer
                del answer

    def _count_threads(self, client: Client) -> int:
        try:
            return sum(client.nthreads().values())
        except (OSError, TimeoutError, CancelledError):
            raise self._scheduler_lost_error() from None

    def _wait_for_any(self, client: Client, running: set[Future]) -> set[Future]:
        from distributed import wait

        if client.status != "running":
            raise self._scheduler_lost_error()
        try:
            with self._stop.interruptible_wait(), client.as_current():
                done: set[Future] = wait(running, timeout=_WAKE_SECONDS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return set()
        except (OSError, CancelledError):
            raise self._scheduler_lost_error() from None
        return done

    def _answer_of(self, future: Future) -> bytes:
        from distributed import KilledWorker

        try:
            answer: bytes = future.result(timeout=_ANSWER_SECONDS)
        except KilledWorker:
            sentence = "several workers died one after the other while reading the same segment of the table"
            way_out = "give the cluster's workers more memory, or read smaller segments with --segments N"
            raise JanitorError(sentence, way_out, "reader-died") from None
        except (CancelledError, OSError, TimeoutError):
            raise self._scheduler_lost_error() from None
        except Exception as error:  # noqa: BLE001  # a worker without janitor, or with another version, raises anything
            sentence = f"--dask {self._address}: a worker could not start to read ({type(error).__name__})"
            raise JanitorError(sentence, _SAME_IMAGE, "dask-worker") from None
        return answer

    @contextmanager
    def _connect(self) -> Iterator[Client]:
        from distributed import Client

        _silence_dask_logs()
        try:
            # It warns about other versions of other packages, which do not matter: only bytes are exchanged.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                client = Client(self._address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            sentence = f"--dask {self._address}: no Dask scheduler answers there ({type(error).__name__})"
            raise ConfigurationError(sentence, "check the address, and Dask's configuration for TLS", "dask") from None
        try:
            yield client
        finally:
            client.close(timeout=_CLOSE_SECONDS)

    def _scheduler_lost_error(self) -> JanitorError:
        sentence = f"--dask {self._address}: the connection to the scheduler was lost"
        return JanitorError(sentence, "check that it runs, then run janitor again", "dask")


def check_installed() -> None:
    """Check that the extra is installed.

    Raises:
        ConfigurationError: it is not.
    """
    if importlib.util.find_spec("distributed") is None:
        way_out = "pip install 'token-janitor[dask]', on the cluster's machines too"
        raise ConfigurationError("--dask needs the extra dask, which is not installed", way_out, "dask-missing")


def _silence_dask_logs() -> None:
    # They are for whoever runs the cluster. janitor reports failures with its own errors.
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def check_dask(client: Client, address: str) -> None:
    """Check that scheduler and workers have the same version of Dask as this process.

    Raises:
        ConfigurationError: one has another version.
    """
    versions = client.get_versions()
    ours, theirs = _dask_version_in(versions["client"]), {_dask_version_in(versions["scheduler"])}
    theirs |= {_dask_version_in(worker) for worker in versions["workers"].values()}
    _refuse_other_versions(address, "Dask", ours, theirs)


def _dask_version_in(versions: dict[str, Any] | None) -> str:
    return str((versions or {}).get("packages", {}).get("distributed"))


def check_janitor(client: Client, address: str) -> None:
    """Check that scheduler and workers have this version of janitor. Workers that join later check it with each task.

    Raises:
        ConfigurationError: one has another version, or none.
    """
    try:
        theirs = {client.run_on_scheduler(janitor_version), *client.run(janitor_version).values()}
    except (OSError, TimeoutError, CancelledError):
        raise
    except Exception as error:  # noqa: BLE001  # without the module Dask may raise anything
        sentence = f"--dask {address}: the cluster has no janitor, or an unusable one ({type(error).__name__})"
        raise ConfigurationError(sentence, _SAME_IMAGE, "other-version") from None
    _refuse_other_versions(address, "janitor", __version__, theirs)


def janitor_version() -> str:
    """Return janitor's version on the machine where this runs."""
    return __version__


def _refuse_other_versions(address: str, what: str, ours: str, theirs: set[str]) -> None:
    if others := sorted(theirs - {ours}):
        sentence = f"--dask {address}: the cluster has {what} {', '.join(others)}, and this machine has {ours}"
        raise ConfigurationError(sentence, _SAME_IMAGE, "other-version")

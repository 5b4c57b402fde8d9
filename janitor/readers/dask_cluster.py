"""Reads segments on a Dask cluster: many machines for one table. The cluster is somebody else's to run.

Dask reads the segment of a worker that was lost on another one, and gives a segment up whose workers are lost again and
again. A scheduler that is lost ends the run. Nothing was deleted by then, for nothing is before everything was read.
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
from janitor.dynamodb.scan import StopRequest
from janitor.errors import ConfigurationError, JanitorError, StopRequestedError
from janitor.readers.segment import read_segment

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_NO_WORKER_SECONDS = 60
_WAKE_SECONDS = 0.5
_CLOSE_SECONDS = 1.0
# A worker that is done with a segment has its next one at hand.
_TASKS_A_THREAD = 2

_SAME_IMAGE = "start scheduler and workers from the image of this janitor"


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
        self._threads = 1

    def check(self) -> int:
        """See that the cluster is there, and has this janitor and this Dask; return how many threads it has.

        Raises:
            ConfigurationError: the extra is not installed, nobody answers at the address, or the versions differ.
        """
        check_installed()
        with self._connected() as client:
            try:
                check_dask(client, self._address)
                check_janitor(client, self._address)
                return sum(client.nthreads().values())
            except (OSError, TimeoutError, CancelledError):
                raise self._lost() from None

    def count(self) -> int:
        """How many threads all workers had when they were last asked; one at least."""
        return self._threads

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """Have the tasks done, see `Hands`.

        Raises:
            ConfigurationError: nobody answers at the address.
            JanitorError: the scheduler was lost, all workers were, or those that read one segment, again and again.
        """
        with self._connected() as client, suppress(StopRequestedError):
            yield from self._answers(client, tasks)

    def _answers(self, client: Client, tasks: Iterator[bytes]) -> Iterator[bytes]:
        under_way: set[Future] = set()
        had_workers = time.monotonic()
        while not self._stop.is_requested():
            with self._stop.waiting():
                threads = self._ask_threads(client)
            if threads:
                had_workers = time.monotonic()
            elif time.monotonic() > had_workers + _NO_WORKER_SECONDS:
                sentence = f"--dask {self._address}: the cluster has had no worker for {_NO_WORKER_SECONDS} seconds"
                raise JanitorError(sentence, "start workers, then run it again", "dask-no-worker")
            self._threads = max(1, threads)
            for task in islice(tasks, max(0, _TASKS_A_THREAD * self._threads - len(under_way))):
                under_way.add(client.submit(read_segment, task, pure=False))
            if not under_way:
                return
            for future in self._done(client, under_way):
                under_way.discard(future)
                with self._stop.waiting():
                    answer = self._answer(future)
                # Let go, or the cluster would keep it.
                future.release()
                yield answer
                del answer

    def _ask_threads(self, client: Client) -> int:
        try:
            return sum(client.nthreads().values())
        except (OSError, TimeoutError, CancelledError):
            raise self._lost() from None

    def _done(self, client: Client, under_way: set[Future]) -> set[Future]:
        from distributed import wait

        if client.status != "running":
            raise self._lost()
        try:
            with self._stop.waiting(), client.as_current():
                done: set[Future] = wait(under_way, timeout=_WAKE_SECONDS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return set()
        except (OSError, CancelledError):
            raise self._lost() from None
        return done

    def _answer(self, future: Future) -> bytes:
        from distributed import KilledWorker

        try:
            answer: bytes = future.result(timeout=_ANSWER_SECONDS)
        except KilledWorker:
            sentence = "the workers that read one segment of the table died, one after the other"
            way_out = "give the cluster's workers more memory, or read smaller segments with --segments N"
            raise JanitorError(sentence, way_out, "reader-died") from None
        except (CancelledError, OSError, TimeoutError):
            raise self._lost() from None
        except Exception as error:  # noqa: BLE001  # whatever a worker raises that has another janitor, or none
            sentence = f"--dask {self._address}: a worker could not begin to read ({type(error).__name__})"
            raise JanitorError(sentence, _SAME_IMAGE, "dask-worker") from None
        return answer

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        from distributed import Client

        _silence_logs()
        try:
            # What it warns of, other versions of other packages, does not concern bytes.
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

    def _lost(self) -> JanitorError:
        return JanitorError(f"--dask {self._address}: the scheduler was lost", "start it, then run it again", "dask")


def check_installed() -> None:
    """See that the extra is there.

    Raises:
        ConfigurationError: it is not.
    """
    if importlib.util.find_spec("distributed") is None:
        way_out = "pip install 'token-janitor[dask]', on the cluster's machines too"
        raise ConfigurationError("--dask needs the extra dask, which is not installed", way_out, "dask-missing")


def _silence_logs() -> None:
    # They are for whoever runs a cluster. What goes wrong is said here, in a sentence.
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def check_dask(client: Client, address: str) -> None:
    """See that scheduler and workers have this Dask.

    Raises:
        ConfigurationError: one has another.
    """
    versions = client.get_versions()
    ours, theirs = _dask_of(versions["client"]), {_dask_of(versions["scheduler"])}
    theirs |= {_dask_of(worker) for worker in versions["workers"].values()}
    _refuse_others(address, "Dask", ours, theirs)


def _dask_of(versions: dict[str, Any] | None) -> str:
    return str((versions or {}).get("packages", {}).get("distributed"))


def check_janitor(client: Client, address: str) -> None:
    """See that scheduler and workers have this janitor. Those that come later say so by each task.

    Raises:
        ConfigurationError: one has another, or none.
    """
    try:
        theirs = {client.run_on_scheduler(janitor_version), *client.run(janitor_version).values()}
    except (OSError, TimeoutError, CancelledError):
        raise
    except Exception as error:  # noqa: BLE001  # without the module it is whatever Dask makes of that
        sentence = f"--dask {address}: the cluster has no janitor, or one that cannot be asked ({type(error).__name__})"
        raise ConfigurationError(sentence, _SAME_IMAGE, "other-version") from None
    _refuse_others(address, "janitor", __version__, theirs)


def janitor_version() -> str:
    """The version of whoever is asked."""
    return __version__


def _refuse_others(address: str, what: str, ours: str, theirs: set[str]) -> None:
    if others := sorted(theirs - {ours}):
        sentence = f"--dask {address}: the cluster has {what} {', '.join(others)}, and this is {ours}"
        raise ConfigurationError(sentence, _SAME_IMAGE, "other-version")

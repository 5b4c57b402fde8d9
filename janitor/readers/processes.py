"""Reads segments in processes of this machine, so that a run uses more than one core.

    the deciding process ──task──> a process ──answer──> the deciding process

A process has one segment at a time, and is not rid of its answer before that is taken; so memory holds one segment's
rows for each process. The segment of a process that dies is read by another. None outlives the run: each ends with the
pipe that its tasks come through.
"""

import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from janitor import logs
from janitor.dynamodb.scan import StopRequest
from janitor.errors import JanitorError
from janitor.readers.segment import read_segment

log = logs.get_logger("janitor.readers")

_WAKE_SECONDS = 0.2
_END_SECONDS = 2.0
# What kills so many readers of one segment would kill the next.
_MOST_ATTEMPTS = 3


class _Reader(NamedTuple):
    """A process that reads, and the pipe to it."""

    process: BaseProcess
    pipe: Connection

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(_END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


class Processes:
    """Processes of this machine that read."""

    def __init__(self, workers: int, stop: StopRequest) -> None:
        """Args: how many read at once, and who may ask for an early end. None is started yet."""
        self._workers, self._stop = workers, stop

    def count(self) -> int:
        """As `Hands.count`."""
        return self._workers

    def answers(self, tasks: Iterator[bytes]) -> Iterator[bytes]:
        """As `Hands.answers`.

        Raises:
            JanitorError: the processes that read one segment died, again and again.
        """
        again: deque[bytes] = deque()
        attempts: Counter[bytes] = Counter()
        busy: dict[Connection, tuple[_Reader, bytes]] = {}
        free: list[_Reader] = []
        try:
            while not self._stop.is_requested():
                while (
                    len(busy) < self._workers and (task := again.popleft() if again else next(tasks, None)) is not None
                ):
                    reader = free.pop() if free else _started()
                    busy[reader.pipe] = reader, task
                    _send(reader, task)
                if not busy:
                    return
                for pipe in wait(list(busy), _WAKE_SECONDS):
                    assert isinstance(pipe, Connection)  # noqa: S101  # nothing else was handed in
                    reader, task = busy.pop(pipe)
                    answer = _received(reader)
                    if answer is not None:
                        free.append(reader)
                        yield answer
                        continue
                    attempts[task] += 1
                    log.warning("reader.died", exit_code=reader.process.exitcode, attempt=attempts[task])
                    reader.end()
                    if attempts[task] == _MOST_ATTEMPTS:
                        raise _lost(attempts[task])
                    again.append(task)
        finally:
            for reader in (*free, *(reader for reader, _ in busy.values())):
                reader.end()


def _started() -> _Reader:
    # A fork would have the locks of this process's threads without the threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True, name="janitor-reader")
    process.start()
    # Now only the process holds that end, so its death is the end of the pipe.
    theirs.close()
    return _Reader(process, ours)


def _send(reader: _Reader, task: bytes) -> None:
    try:
        reader.pipe.send_bytes(task)
    except OSError:
        # It has died, which shows where its answer is waited for.
        return


def _received(reader: _Reader) -> bytes | None:
    try:
        return reader.pipe.recv_bytes()
    except (EOFError, OSError):
        reader.process.join(_END_SECONDS)
        return None


def _lost(attempts: int) -> JanitorError:
    sentence = f"{attempts} processes that read the same part of the table died, one after the other"
    way_out = "give the program more memory, or read with --workers 1"
    return JanitorError(sentence, way_out, "reader-died")


def _work(pipe: Connection) -> None:
    """Read what the pipe asks for until it is closed; the whole life of a process that reads."""
    # A Ctrl-C is for the process that decides. It closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.configure(level="error", format_name="json")
    while True:
        try:
            task = pipe.recv_bytes()
            pipe.send_bytes(read_segment(task))
        except (EOFError, OSError):
            return

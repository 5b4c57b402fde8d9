"""Reads segments in processes of this machine, so that a run uses more than one core.

    the deciding process ──task──> a process ──answer──> the deciding process

A process has one segment at a time, and gets its next one when its answer is taken; so memory holds at most one
segment's answer for each process. The segment of a process that dies is read by another. Signals are for the process
that decides: those that read run in sessions of their own, and end as soon as the pipe that their tasks come through
is closed, also in the middle of a segment, and also when whoever held it was killed.
"""

import contextlib
import gc
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait

from janitor import logs
from janitor.dynamodb.scan import StopRequest
from janitor.errors import JanitorError, StopRequestedError
from janitor.readers.segment import read_segment

log = logs.get_logger("janitor.readers")

_WAKE_SECONDS = 0.2
_END_SECONDS = 1.0
# What kills so many readers of one segment would kill the next.
_MOST_ATTEMPTS = 3
# As of the program itself: rows hold no cycles.
_ALLOCATIONS_BEFORE_A_COLLECTION = 100_000


class Processes:
    """Processes of this machine that read."""

    def __init__(self, workers: int, stop: StopRequest) -> None:
        """Prepare; no process is started yet.

        Args:
            workers: how many read at once.
            stop: a request ends the reading early and quietly.
        """
        self._workers, self._stop = workers, stop

    def count(self) -> int:
        """How many read at once."""
        return self._workers

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """Have the tasks done, see `Hands`. The processes are gone when this ends.

        Raises:
            JanitorError: no process can be started, or those that read one segment died, again and again.
        """
        readers: dict[Connection, _Reader] = {}
        try:
            with suppress(StopRequestedError):
                yield from self._answers(tasks, readers)
        finally:
            _end(readers.values())

    def _answers(self, tasks: Iterator[bytes], readers: "dict[Connection, _Reader]") -> Iterator[bytes]:
        again: deque[bytes] = deque()
        attempts: Counter[bytes] = Counter()

        def next_task() -> bytes | None:
            return again.popleft() if again else next(tasks, None)

        while not self._stop.is_requested():
            while len(readers) < self._workers and (task := next_task()) is not None:
                reader = _Reader()
                readers[reader.pipe] = reader
                self._give(reader, task)
            if not readers:
                return
            with self._stop.waiting():
                ready = [readers[pipe] for pipe in wait([*readers], _WAKE_SECONDS) if isinstance(pipe, Connection)]
            for reader in ready:
                with self._stop.waiting():
                    answer = reader.answer()
                if answer is None:
                    _end([readers.pop(reader.pipe)])
                    attempts[reader.task] += 1
                    log.warning("reader.died", exit_code=reader.process.returncode, attempt=attempts[reader.task])
                    if attempts[reader.task] == _MOST_ATTEMPTS:
                        raise _lost()
                    again.append(reader.task)
                    continue
                # Before its answer is worked through, so that it has something to do meanwhile.
                if (task := next_task()) is not None:
                    self._give(reader, task)
                else:
                    _end([readers.pop(reader.pipe)])
                yield answer
                del answer

    def _give(self, reader: "_Reader", task: bytes) -> None:
        with self._stop.waiting():
            reader.read(task)


class _Reader:
    """A process that reads: the pipe to it, and its segment's task."""

    def __init__(self) -> None:
        self.pipe, theirs = Pipe()
        self.task = b""
        # A new interpreter, and not a fork: that would have the locks of this process's threads without the threads. It
        # imports this program from where this process did, whatever the folder that they run in holds.
        path = f"import sys; sys.path[:] = {sys.path!r}"
        program = f"{path}; from {__name__} import serve_pipe; serve_pipe({theirs.fileno()})"
        try:
            self.process = subprocess.Popen(  # noqa: S603  # this program
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                # What a library prints must not get into a report.
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            self.pipe.close()
            sentence = f"no process that reads can be started ({os.strerror(error.errno or 0)})"
            raise JanitorError(sentence, "give fewer --workers", "reader-not-started") from None
        finally:
            # Now only the process holds that end, so its death is the end of the pipe.
            theirs.close()

    def read(self, task: bytes) -> None:
        """Have it read a segment; that it has died shows where its answer is waited for."""
        self.task = task
        with suppress(OSError):
            self.pipe.send_bytes(task)

    def answer(self) -> bytes | None:
        """Its answer; None where it has died."""
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None


def _end(readers: "Iterable[_Reader]") -> None:
    """End these, whatever they are doing: nothing of theirs has to be tidied up."""
    ending = list(readers)
    for reader in ending:
        reader.pipe.close()
    deadline = time.monotonic() + _END_SECONDS
    for reader in ending:
        try:
            reader.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            reader.process.kill()
            reader.process.wait()


def _lost() -> JanitorError:
    sentence = f"{_MOST_ATTEMPTS} processes that read the same segment of the table died, one after the other"
    way_out = "give the program more memory, read smaller segments with --segments N, or go without --workers"
    return JanitorError(sentence, way_out, "reader-died")


def serve_pipe(descriptor: int) -> None:
    """Read what the pipe asks for until it is closed; the whole life of a process that reads."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(level="error", format_name="json")
    gc.set_threshold(_ALLOCATIONS_BEFORE_A_COLLECTION)
    gc.freeze()
    pipe, tasks = Connection(descriptor), queue.SimpleQueue[bytes]()
    threading.Thread(target=_read, args=(pipe, tasks), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            tasks.put(pipe.recv_bytes())
    # Nobody is left to read for, whatever the thread is doing.
    os._exit(0)


def _read(pipe: Connection, tasks: "queue.SimpleQueue[bytes]") -> None:
    try:
        while True:
            pipe.send_bytes(read_segment(tasks.get()))
    finally:
        # Without this thread the process would be waited for in vain.
        os._exit(1)

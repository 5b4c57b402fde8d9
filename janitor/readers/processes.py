"""Read segments in several processes of this machine, so that a run uses more than one core.

    the main process ──task──> a reader process ──answer──> the main process

A reader process has one segment at a time, and gets the next one when its answer is taken, so memory holds at most one
answer for each process. If a process dies, another one reads its segment. Signals are for the main process only:
reader processes run in sessions of their own, and end as soon as the pipe that brings their tasks is closed, even in
the middle of a segment, and even if the main process was killed.
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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait

from janitor import logs
from janitor.errors import JanitorError, StopRequestedError
from janitor.readers.interface import Batch, Reader, Rules
from janitor.readers.segment import read_segment
from janitor.stopping import StopRequest

log = logs.get_logger("janitor.readers")

_WAKE_SECONDS = 0.2
_END_SECONDS = 1.0
# A segment that has killed this many processes would kill the next one too.
_MAX_ATTEMPTS = 3
# The same as in the program itself: rows hold no reference cycles.
_ALLOCATIONS_BEFORE_A_COLLECTION = 100_000
# The exit code of a reader that could start no thread (EX_OSERR of sysexits.h).
_NO_THREAD = 71
_FEWER_WORKERS = "give fewer --workers; 1, with at most 256 --segments, starts none"


class ReadersNotStartedError(JanitorError):
    """The processes that were to read the table could not be started."""

    default_code = "reader-not-started"


class FallbackReader:
    """Reads a table with processes; where none can be started, with another reader.

    Some places let no process start, and there is no way to know but to try: a limit on processes or memory, or a
    service manager that forbids to execute anything.
    """

    def __init__(self, processes: Reader, other: Reader) -> None:
        """Prepare; no reader is asked yet."""
        self._processes, self._other = processes, other

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """Yield the batches of the processes, or all those of the other reader."""
        is_counted = False
        try:
            for batch in self._processes.batches(rules, patterns):
                is_counted = True
                yield batch
                # Free it before the next one is made.
                del batch
        except ReadersNotStartedError as error:
            # To read what was counted once more would count it twice.
            if is_counted:
                raise
            log.warning("reader.not_started", error=error.sentence)
        else:
            return
        yield from self._other.batches(rules, patterns)


class ReaderProcesses:
    """Reader processes of this machine."""

    def __init__(self, workers: int, stop: StopRequest) -> None:
        """Prepare; no process is started yet.

        Args:
            workers: how many processes read at once.
            stop: a request ends the reading early, without an error.
        """
        self._workers, self._stop = workers, stop

    def count(self) -> int:
        """Return how many processes read at once."""
        return self._workers

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """Have the tasks done, and yield the answers. All processes have ended when this ends.

        Raises:
            ReadersNotStartedError: no process can be started, or none that may start a thread.
            JanitorError: several died one after the other while reading one segment.
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
            with self._stop.interruptible_wait():
                ready = [readers[pipe] for pipe in wait([*readers], _WAKE_SECONDS) if isinstance(pipe, Connection)]
            for reader in ready:
                with self._stop.interruptible_wait():
                    answer = reader.answer()
                if answer is None:
                    _end([readers.pop(reader.pipe)])
                    attempts[reader.task] += 1
                    log.warning("reader.died", exit_code=reader.process.returncode, attempt=attempts[reader.task])
                    if attempts[reader.task] == _MAX_ATTEMPTS:
                        raise _readers_ended_error(reader.process.returncode)
                    again.append(reader.task)
                    continue
                # Before the caller works through the answer, so that the process is busy meanwhile.
                if (task := next_task()) is not None:
                    self._give(reader, task)
                else:
                    _end([readers.pop(reader.pipe)])
                yield answer
                del answer

    def _give(self, reader: "_Reader", task: bytes) -> None:
        with self._stop.interruptible_wait():
            reader.read(task)


class _Reader:
    """A reader process, the pipe to it, and the task that it has."""

    def __init__(self) -> None:
        self.task = b""
        try:
            self.pipe, theirs = Pipe()
        except OSError as error:
            raise _not_started_error(error) from None
        # A new interpreter, and not a fork: that would copy the locks of this process's threads without the threads. It
        # imports this program from the same place as this process, whatever the current folder holds.
        path = f"import sys; sys.path[:] = {sys.path!r}"
        program = f"{path}; from {__name__} import serve_pipe; serve_pipe({theirs.fileno()})"
        try:
            self.process = subprocess.Popen(  # noqa: S603  # this program
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                # Output of a library must not get into a report.
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            self.pipe.close()
            raise _not_started_error(error) from None
        finally:
            # Now only the reader process holds that end, so the pipe ends when it dies.
            theirs.close()

    def read(self, task: bytes) -> None:
        """Send a task. If the process has died, `answer` will say so."""
        self.task = task
        with suppress(OSError):
            self.pipe.send_bytes(task)

    def answer(self) -> bytes | None:
        """Wait for the answer; None if the process has died."""
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None


def _end(readers: "Iterable[_Reader]") -> None:
    """End these processes, whatever they are doing: they leave nothing to clean up."""
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


def _not_started_error(error: OSError) -> ReadersNotStartedError:
    sentence = f"a reader process cannot be started ({os.strerror(error.errno or 0)})"
    return ReadersNotStartedError(sentence, _FEWER_WORKERS)


def _readers_ended_error(exit_code: int) -> JanitorError:
    if exit_code == _NO_THREAD:
        return ReadersNotStartedError("a reader process can start no thread", _FEWER_WORKERS)
    sentence = f"{_MAX_ATTEMPTS} reader processes died one after the other while reading the same segment of the table"
    way_out = "give the program more memory, read smaller segments with --segments N, or give --workers 1"
    return JanitorError(sentence, way_out, "reader-died")


def serve_pipe(descriptor: int) -> None:
    """Do the tasks from the pipe until it is closed; this is all that a reader process does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(level="error", format_name="json")
    gc.set_threshold(_ALLOCATIONS_BEFORE_A_COLLECTION)
    gc.freeze()
    pipe, tasks = Connection(descriptor), queue.SimpleQueue[bytes]()
    try:
        threading.Thread(target=_do_tasks, args=(pipe, tasks), daemon=True).start()
    except RuntimeError:
        # There may be no more threads.
        os._exit(_NO_THREAD)
    with contextlib.suppress(EOFError, OSError):
        while True:
            tasks.put(pipe.recv_bytes())
    # The main process is gone: do not wait for the thread.
    os._exit(0)


def _do_tasks(pipe: Connection, tasks: "queue.SimpleQueue[bytes]") -> None:
    try:
        while True:
            pipe.send_bytes(read_segment(tasks.get()))
    finally:
        # Without this thread no answer would ever come.
        os._exit(1)

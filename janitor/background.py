"""Daemon threads for calls that may hang: they never keep the process from ending."""

import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from janitor.errors import JanitorError

# How often a waiting caller checks whether it still has to wait.
WAKE_SECONDS = 0.2

_Work = TypeVar("_Work")
_Result = TypeVar("_Result")


def wait_for_answer(call: Callable[[], _Result], must_end: Callable[[], bool]) -> _Result | None:
    """Return the result of a call that may hang, or None as soon as `must_end` returns True.

    Where the machine lets no thread start, the result is waited for, however long that takes.

    Raises:
        Exception: what the call raised.
    """
    workers: Workers[Callable[[], _Result], _Result]
    try:
        workers = Workers(lambda each: each(), 1, "answer")
    except NoThreadError:
        return call()
    workers.submit(call)
    workers.shut_down()
    while (result := workers.next_result(WAKE_SECONDS)) is None:
        if must_end():
            return None
    return result[1]


class NoThreadError(JanitorError):
    """The machine lets no thread start."""

    default_code = "no-thread"


class Workers(Generic[_Work, _Result]):
    """Threads that do one kind of work: `submit` it, and fetch results with `next_result`, both from one thread.

    Unlike those of concurrent.futures these threads are daemons: an answer that never comes cannot delay the exit.
    """

    def __init__(self, work: Callable[[_Work], _Result], threads: int, name: str) -> None:
        """Start so many threads, or as many as the machine allows.

        Raises:
            NoThreadError: it allows none.
        """
        self._submitted: dict[int, _Work] = {}
        self._do = work
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[_Work, _Result | Exception]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for number in range(threads):
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=(self._run,), daemon=True, name=f"{name}-{number}")
            try:
                thread.start()
            except RuntimeError:
                break
            self._threads.append(thread)
        if not self._threads:
            way_out = "raise the limit on processes and threads (ulimit -u, pids.max)"
            raise NoThreadError("no thread can be started", way_out)

    @property
    def pending(self) -> int:
        """How many pieces of work were submitted and not returned yet."""
        return len(self._submitted)

    def submit(self, work: _Work) -> None:
        """Add a piece of work."""
        self._submitted[id(work)] = work
        self._waiting.put(work)

    def next_result(self, timeout: float) -> tuple[_Work, _Result] | None:
        """Return the next piece of work that is done, and its result; None if there is none for `timeout` seconds.

        Raises:
            Exception: what the work raised.
        """
        try:
            work, result = self._finished.get(timeout=timeout)
        except queue.Empty:
            return None
        self._submitted.pop(id(work), None)
        if isinstance(result, Exception):
            raise result
        return work, result

    def cancel_waiting(self) -> list[_Work]:
        """Return the work that no thread has begun; none will begin it now."""
        cancelled = []
        with contextlib.suppress(queue.Empty):
            while (work := self._waiting.get_nowait()) is not None:
                cancelled.append(self._submitted.pop(id(work)))
        return cancelled

    def abandon_pending(self) -> list[_Work]:
        """Stop waiting for the work that is pending, and return it; to be called after `cancel_waiting`."""
        abandoned = list(self._submitted.values())
        self._submitted.clear()
        return abandoned

    def shut_down(self) -> None:
        """Let the threads end once all submitted work is done."""
        for _ in self._threads:
            self._waiting.put(None)

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                result: _Result | Exception = self._do(work)
            except Exception as error:  # noqa: BLE001  # raised where the result is taken
                result = error
            self._finished.put((work, result))

"""A few threads that do one kind of work, and never keep the program from ending."""

import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

# How often whoever waits looks whether there is still a reason to.
WAKE_SECONDS = 0.2

_Work = TypeVar("_Work")
_Result = TypeVar("_Result")


def answer_of(call: Callable[[], _Result], is_over: Callable[[], bool]) -> _Result | None:
    """The result of a call that may hang; None once `is_over` says that it has had its time.

    Raises:
        Exception: whatever the call raised.
    """
    workers: Workers[Callable[[], _Result], _Result] = Workers(lambda each: each(), 1, "answer")
    workers.submit(call)
    workers.end()
    while (done := workers.done(WAKE_SECONDS)) is None:
        if is_over():
            return None
    return done[1]


class Workers(Generic[_Work, _Result]):
    """Hand work in with `submit`, take it back with `done`, both from one thread.

    Unlike those of concurrent.futures these threads are daemons: an answer that never comes cannot hold up the exit.
    """

    def __init__(self, work: Callable[[_Work], _Result], threads: int, name: str) -> None:
        self._handed_in: dict[int, _Work] = {}
        self._do = work
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[_Work, _Result | Exception]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(self._run,), daemon=True, name=f"{name}-{n}")
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pending(self) -> int:
        """How much was handed in and not taken back."""
        return len(self._handed_in)

    def submit(self, work: _Work) -> None:
        """Hand work in."""
        self._handed_in[id(work)] = work
        self._waiting.put(work)

    def done(self, timeout: float) -> tuple[_Work, _Result] | None:
        """Take back the next work that is done, and its result; None when there is none for `timeout` seconds.

        Raises:
            Exception: whatever the work raised.
        """
        try:
            work, result = self._finished.get(timeout=timeout)
        except queue.Empty:
            return None
        self._handed_in.pop(id(work), None)
        if isinstance(result, Exception):
            raise result
        return work, result

    def take_back(self) -> list[_Work]:
        """What no thread has begun with, and now none will."""
        back = []
        with contextlib.suppress(queue.Empty):
            while (work := self._waiting.get_nowait()) is not None:
                back.append(self._handed_in.pop(id(work)))
        return back

    def give_up(self) -> list[_Work]:
        """Wait no longer for what is pending, and return it; to be called after `take_back`."""
        given_up = list(self._handed_in.values())
        self._handed_in.clear()
        return given_up

    def end(self) -> None:
        """Let the threads go when they are done with what they have."""
        for _ in self._threads:
            self._waiting.put(None)

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                result: _Result | Exception = self._do(work)
            except Exception as error:  # noqa: BLE001  # raised where the result is taken
                result = error
            self._finished.put((work, result))

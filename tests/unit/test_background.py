"""Threads for calls that may hang, where the machine allows only some, or none."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from janitor.background import Workers, wait_for_answer
from janitor.errors import JanitorError


@pytest.fixture
def no_thread_starts() -> Iterator[None]:
    """Make each thread ask for more address space than there is, so that the kernel refuses it."""
    before = threading.stack_size(2**47)
    yield
    threading.stack_size(before)


def test_work_is_done_by_as_many_threads_as_start(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, list[threading.Thread]()

    def start_two(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)
    workers = Workers(partial(pow, 2), 16, "power")
    for exponent in range(10):
        workers.submit(exponent)
    workers.shut_down()
    results = [workers.next_result(10) for _ in range(10)]
    assert {result[1] for result in results if result is not None} == {2**exponent for exponent in range(10)}
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.usefixtures("no_thread_starts")
def test_no_thread_is_an_error_with_a_sentence() -> None:
    with pytest.raises(JanitorError, match="no thread can be started; raise the limit on processes and threads"):
        Workers(str, 2, "text")


@pytest.mark.usefixtures("no_thread_starts")
def test_an_answer_is_waited_for_where_no_thread_starts() -> None:
    assert wait_for_answer(lambda: 7, lambda: False) == 7

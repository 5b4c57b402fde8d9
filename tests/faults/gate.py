"""A gate before a server: it holds requests up, so that something can happen in the middle of a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.servers import Server

BATCH = "BatchExecuteStatement"
# What hangs hangs for longer than a run may take to end, which is five seconds, and than the machine may add to that.
HANG_SECONDS = 60
END_SECONDS = 15


@dataclass
class Gate:
    """Lets so many requests through, holds all later ones up, and says when it holds so many."""

    most: int
    awaited: int = 1
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request, forward: Forward) -> tuple[int, Any]:
        with self.lock:
            self.passed += 1
            held = self.passed - self.most
        if held >= self.awaited:
            self.reached.set()
        if held > 0:
            self.opened.wait(HANG_SECONDS)
        return forward(request)


@contextmanager
def gated(server: Server, most: int, operation: str = BATCH, awaited: int = 1) -> Iterator[tuple[str, Gate]]:
    """A proxy with a gate before one operation; it is open for all at the end of the block."""
    gate = Gate(most, awaited)
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[operation] = gate
        try:
            yield url, gate
        finally:
            gate.opened.set()

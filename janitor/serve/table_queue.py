"""The queue for tables: one run of a table at a time, and only a few runs at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A request for tables. Two tickets are never equal, even for the same tables."""

    tables: frozenset[str]


class TicketQueue:
    """The tickets that wait and those that run, in order of their requests. For use in one thread."""

    def __init__(self, max_running: int) -> None:
        """Start empty.

        Args:
            max_running: how many may run at once, whatever their tables.
        """
        self._max_running = max_running
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []

    def enqueue(self, tables: frozenset[str]) -> Ticket:
        """Add a ticket for all of these tables at once, so that no two tickets can wait for each other."""
        ticket = Ticket(tables)
        self._waiting.append(ticket)
        return ticket

    def may_begin(self, ticket: Ticket) -> bool:
        """Whether none of its tables is in use, and no earlier ticket waits for one of them."""
        if len(self._running) >= self._max_running:
            return False
        before = self._waiting[: self._waiting.index(ticket)]
        return all(ticket.tables.isdisjoint(other.tables) for other in (*self._running, *before))

    def begin(self, ticket: Ticket) -> None:
        """Move a ticket from those that wait to those that run."""
        self._waiting.remove(ticket)
        self._running.append(ticket)

    def remove(self, ticket: Ticket) -> None:
        """Remove a ticket, whether it waits or runs."""
        for tickets in (self._waiting, self._running):
            if ticket in tickets:
                tickets.remove(ticket)


class TableQueue:
    """Lets runs wait for their tables. Threads share it."""

    def __init__(self, max_running: int) -> None:
        """Start empty.

        Args:
            max_running: how many may run at once, whatever their tables.
        """
        self._queue = TicketQueue(max_running)
        self._changed = threading.Condition()
        self._is_closed = False

    @contextmanager
    def hold(self, tables: frozenset[str]) -> Iterator[bool]:
        """Wait until all of these tables are free, and hold them until the block ends.

        Yields:
            whether they are held; False once the queue is closed.
        """
        with self._changed:
            ticket = self._queue.enqueue(tables)
        try:
            yield self._wait(ticket)
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def close(self) -> None:
        """Close the queue: whoever waits gives up."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait(self, ticket: Ticket) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._queue.may_begin(ticket))
            if self._is_closed:
                return False
            self._queue.begin(ticket)
            # Tickets behind this one may have waited for it alone.
            self._changed.notify_all()
            return True

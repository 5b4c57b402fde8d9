"""A sink that may hang, made one that gives up when the run has to end."""

from collections.abc import Callable

from janitor.background import answer_of
from janitor.errors import SinkError
from janitor.sinks.interface import Sink


class BoundedSink:
    """As the sink that it is made of. What is under way when the run has to end counts as failed."""

    def __init__(self, sink: Sink, is_over: Callable[[], bool]) -> None:
        """Args: the sink, and whether the run has to end and can wait no longer."""
        self._sink = sink
        self._is_over = is_over
        self.target = sink.target

    def open(self) -> None:
        """As `Sink.open`."""
        self._answered(self._sink.open)

    def write(self, content: bytes) -> None:
        """As `Sink.write`."""
        self._sink.write(content)

    def commit(self) -> None:
        """As `Sink.commit`."""
        self._answered(self._sink.commit)

    def discard(self) -> None:
        """As `Sink.discard`."""
        self._sink.discard()

    def _answered(self, call: Callable[[], None]) -> None:
        def answered() -> bool:
            call()
            return True

        if answer_of(answered, self._is_over) is None:
            raise SinkError(f"{self.target} did not answer before the run had to end", "run it again", "no-answer")

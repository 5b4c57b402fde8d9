"""Makes a sink that may hang give up when the run has to end."""

from collections.abc import Callable

from janitor.background import wait_for_answer
from janitor.errors import SinkError
from janitor.sinks.interface import Sink


class BoundedSink:
    """Wraps a sink. A call that has not returned when the run has to end counts as failed."""

    def __init__(self, sink: Sink, must_end: Callable[[], bool]) -> None:
        """Prepare.

        Args:
            sink: where the report goes.
            must_end: whether the run has to end, and can wait no longer.
        """
        self._sink = sink
        self._must_end = must_end
        self.target = sink.target

    def open(self) -> None:
        """Open the sink, unless the run has to end first."""
        self._call(self._sink.open)

    def write(self, content: bytes) -> None:
        """Write to the sink."""
        self._sink.write(content)

    def commit(self) -> None:
        """Make what was written visible, unless the run has to end first."""
        self._call(self._sink.commit)

    def discard(self) -> None:
        """Discard what was written."""
        self._sink.discard()

    def _call(self, call: Callable[[], None]) -> None:
        def call_and_confirm() -> bool:
            call()
            return True

        if wait_for_answer(call_and_confirm, self._must_end) is None:
            raise SinkError(f"{self.target} did not answer before the run had to end", "run it again", "no-answer")

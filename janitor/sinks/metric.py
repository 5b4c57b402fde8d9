"""What the sinks of metrics are given, and what they have to do."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

Unit = Literal["count", "seconds", "timestamp"]


class MetricLike(Protocol):
    """One figure of a run, whoever measured it. Every sink makes its own name out of it."""

    @property
    def name(self) -> str:
        """Words in lower case, joined by underscores, the unit last: `run_duration_seconds`."""

    @property
    def unit(self) -> Unit:
        """`seconds` is a length of time, `timestamp` a UNIX second."""

    @property
    def help(self) -> str:
        """What it says, in one line."""

    @property
    def value(self) -> float:
        """The figure."""

    @property
    def labels(self) -> Sequence[tuple[str, str]]:
        """Names and values that tell apart the metrics of one name; the same names for all of them."""


class Measured(NamedTuple):
    """The metrics of a table's run: no two with the same name and labels.

    `job` tells the runs of one job from those of another, `table` the tables of a job, also those of one name in
    different places. `metrics` is None where the table was left to another run: what is known of it stays.
    """

    job: str
    table: str
    region: str
    timestamp_ms: int
    metrics: Sequence[MetricLike] | None


class MetricSink(Protocol):
    """A place for the metrics of one run. Every method raises nothing else than what it says."""

    @property
    def target(self) -> str:
        """What the user calls the place, for messages."""

    def open(self) -> None:
        """Prove that the place can be written, before anything is read. Nothing is to be seen there yet.

        Raises:
            ConfigurationError: it cannot.
        """

    def publish(self, measured: Sequence[Measured]) -> None:
        """Make the metrics of every table's run visible, whole.

        Args:
            measured: a table each, no two of the same, and all of one job; `timestamp_ms` is when its run ended, in
                UNIX milliseconds.

        Raises:
            SinkError: that failed.
        """

    def discard(self) -> None:
        """Leave the place as it was before `open`. Never raises."""

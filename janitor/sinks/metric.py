"""The interface of metric sinks, and the metrics that they get."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

Unit = Literal["count", "seconds", "timestamp"]


class MetricLike(Protocol):
    """One value that a run measured. Every sink builds its own name from `name` and `labels`."""

    @property
    def name(self) -> str:
        """Words in lower case, joined by underscores, the unit last: `run_duration_seconds`."""

    @property
    def unit(self) -> Unit:
        """The unit: `seconds` is a duration, `timestamp` a UNIX second."""

    @property
    def help(self) -> str:
        """The meaning, in one line."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def labels(self) -> Sequence[tuple[str, str]]:
        """Label names and values that tell metrics of one name apart; all of these have the same label names."""


class TableMetrics(NamedTuple):
    """The metrics of a run for one table.

    Attributes:
        job: identifies the job.
        table: identifies the table within its job, also among tables of one name in different places.
        region: the table's region.
        timestamp_ms: when the run ended, in UNIX milliseconds.
        metrics: no two with the same name and labels; None if another run has the table, so that its earlier
            metrics stay.
    """

    job: str
    table: str
    region: str
    timestamp_ms: int
    metrics: Sequence[MetricLike] | None


class MetricSink(Protocol):
    """Publishes the metrics of one run. A method raises only the errors that it names."""

    @property
    def target(self) -> str:
        """The target's name for the user, for messages."""

    def open(self) -> None:
        """Check that the target can be written, before anything is read. Nothing becomes visible yet.

        Raises:
            ConfigurationError: it cannot.
        """

    def publish(self, tables: Sequence[TableMetrics]) -> None:
        """Make the metrics of all tables visible at once.

        Args:
            tables: the metrics of each table, all of one job.

        Raises:
            SinkError: that failed.
        """

    def publish_failure(self, tables: Sequence[TableMetrics]) -> None:
        """Make it visible that the run ended without a report.

        Args:
            tables: the same metrics for each table, by its name in the settings, because its own may not be known.

        Raises:
            SinkError: that failed.
        """

    def discard(self) -> None:
        """Leave the target as it was before `open`. Never raises."""

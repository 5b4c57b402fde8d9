"""`emf`: CloudWatch's embedded metric format, log lines that CloudWatch Logs turns into metrics. No agent, no extra call.

The dimensions of each metric are `job`, `table` and `region`; the value of a label is part of the name. These names are
stable:

| metrics | unit |
| --- | --- |
| `TokensActive`, `TokensExpiring`, `TokensExpired`, `TokensStale`, `TokensPermanent`, `TokensMalformed`, `TokensLegacy` | Count |
| `PlannedTokens`, `ProtectedTokens`, `WaitingTokens`, `DeletedTokens`, `ChangedTokens`, `AlreadyGoneTokens`, `FailedTokens` | Count |
| `ReadUnits`, `WriteUnits`, `Requests`, `ThrottledRequests` | Count |
| `DueNotices`, `SentNotices`, `FailedNotices`: missing if a run sends none | Count |
| `RunDuration` | Seconds |
| `NextExpiry`: from the run's time to the next expiry of an accepted token; missing when none is known | Seconds |
| `Success`, `Refused`: 1 or 0 | Count |

Points in time are left out: the line has its own time, and CloudWatch has no unit for them.
"""  # noqa: E501  # rows of a table

import json
import math
from collections.abc import Sequence
from typing import Any, Final, TextIO

from janitor.errors import SinkError
from janitor.sinks.metric import MetricLike, TableMetrics, Unit

# CloudWatch user guide, "Specification: Embedded metric format", MetricDirective object.
MAX_METRICS_PER_DIRECTIVE = 100

# CloudWatch's own words, from the API reference, "MetricDatum".
_UNITS: Final[dict[Unit, str]] = {"count": "Count", "seconds": "Seconds"}
_DIMENSIONS = ("job", "table", "region")


def format_emf_line(
    metrics: Sequence[MetricLike], *, job: str, table: str, region: str, timestamp_ms: int, namespace: str = "janitor"
) -> str:
    """Format the line, in ASCII and without a line end.

    Args:
        metrics: no two with the same name and labels; infinite ones are left out, because JSON cannot express them.
        job: the job's name.
        table: the table's name.
        region: the table's region.
        timestamp_ms: when the run ended, in UNIX milliseconds.
        namespace: the CloudWatch namespace, 1 to 255 characters.
    """
    included = [metric for metric in metrics if metric.unit in _UNITS and math.isfinite(metric.value)]
    directives = [
        _build_directive(included[start : start + MAX_METRICS_PER_DIRECTIVE], namespace)
        for start in range(0, len(included), MAX_METRICS_PER_DIRECTIVE)
    ]
    line = {
        "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": directives},
        "job": job,
        "table": table,
        "region": region,
        **{_emf_name(metric): metric.value for metric in included},
    }
    return json.dumps(line, separators=(",", ":"), allow_nan=False)


class Emf:
    """Writes the lines to a stream: standard error, like the log, because standard output has the report."""

    target = "metrics in the log"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def open(self) -> None:
        """Do nothing: an open stream can only fail later."""

    def publish(self, tables: Sequence[TableMetrics]) -> None:
        """Write a line for each table.

        Raises:
            SinkError: the reader has gone, the device is full, or the stream is closed.
        """
        for job, table, region, timestamp_ms, metrics in tables:
            if metrics is not None:
                self._write(format_emf_line(metrics, job=job, table=table, region=region, timestamp_ms=timestamp_ms))

    def publish_failure(self, tables: Sequence[TableMetrics]) -> None:
        """Write a line for each table, by the name in the settings: the log does not say what it was called before."""
        self.publish(tables)

    def discard(self) -> None:
        """Do nothing: what is written cannot be undone."""

    def _write(self, line: str) -> None:
        try:
            # One write, so that no log line of another thread gets between the line and its end.
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError as error:
            raise SinkError(f"{self.target} could not be written: {error.strerror or error}") from None
        except ValueError:
            raise SinkError(f"{self.target} could not be written: the stream is closed") from None


def _build_directive(metrics: Sequence[MetricLike], namespace: str) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "Dimensions": [_DIMENSIONS],
        "Metrics": [{"Name": _emf_name(metric), "Unit": _UNITS[metric.unit]} for metric in metrics],
    }


def _emf_name(metric: MetricLike) -> str:
    """Return the name in UpperCamelCase, then the values of its labels; without the unit, which is stored apart."""
    words = metric.name.removeprefix("last_run_").removesuffix("_seconds")
    return "".join(
        word.capitalize() for part in (words, *(value for _, value in metric.labels)) for word in part.split("_")
    )

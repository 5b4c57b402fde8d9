"""`emf`: CloudWatch's embedded metric format, a log line that CloudWatch Logs makes metrics of. No agent, no extra call.

The dimensions of each are `job`, `table` and `region`; a label's value stands in the name. The names stay as they are:

| metrics | unit |
| --- | --- |
| `TokensActive`, `TokensExpiring`, `TokensExpired`, `TokensStale`, `TokensPermanent`, `TokensMalformed`, `TokensLegacy` | Count |
| `PlannedTokens`, `ProtectedTokens`, `WaitingTokens`, `DeletedTokens`, `ChangedTokens`, `AlreadyGoneTokens`, `FailedTokens` | Count |
| `ReadUnits`, `WriteUnits`, `Requests`, `ThrottledRequests` | Count |
| `DueNotices`, `SentNotices`, `FailedNotices`: missing where a run sends none | Count |
| `RunDuration` | Seconds |
| `NextExpiry`: from the run's time to the next expiry of an accepted token; missing when none is known | Seconds |
| `Success`: 1 or 0 | Count |

Points in time are left out: the line has its own, and CloudWatch has no unit for them.
"""  # noqa: E501  # rows of a table

import json
import math
from collections.abc import Sequence
from typing import Any, Final, TextIO

from janitor.errors import SinkError
from janitor.sinks.metric import Measured, MetricLike, Unit

# From the specification: user guide, "Specification: Embedded metric format", MetricDirective object.
MOST_A_DIRECTIVE = 100

# CloudWatch's own words, from the API reference, "MetricDatum".
_UNITS: Final[dict[Unit, str]] = {"count": "Count", "seconds": "Seconds"}
_DIMENSIONS = ("job", "table", "region")


def emf_line(
    metrics: Sequence[MetricLike], *, job: str, table: str, region: str, timestamp_ms: int, namespace: str = "janitor"
) -> str:
    """The line, in ASCII and without a line end.

    Args:
        metrics: no two with the same name and labels; infinite ones are left out, for JSON has no word for them.
        job: the job's name.
        table: the table's name.
        region: the table's region.
        timestamp_ms: when it was measured, in UNIX milliseconds.
        namespace: CloudWatch's, 1 to 255 characters.
    """
    told = [metric for metric in metrics if metric.unit in _UNITS and math.isfinite(metric.value)]
    directives = [
        _directive(told[start : start + MOST_A_DIRECTIVE], namespace) for start in range(0, len(told), MOST_A_DIRECTIVE)
    ]
    line = {
        "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": directives},
        "job": job,
        "table": table,
        "region": region,
        **{_name(metric): metric.value for metric in told},
    }
    return json.dumps(line, separators=(",", ":"), allow_nan=False)


class Emf:
    """Lines to a stream: standard error, as any other log line, because standard output has the report."""

    target = "metrics in the log"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def open(self) -> None:
        """Nothing to prove: a stream that is open can only fail later."""

    def publish(self, measured: Sequence[Measured]) -> None:
        """Write a line for each table.

        Raises:
            SinkError: the reader has gone, the device is full, or the stream is closed.
        """
        for job, table, region, timestamp_ms, metrics in measured:
            if metrics is not None:
                self._write(emf_line(metrics, job=job, table=table, region=region, timestamp_ms=timestamp_ms))

    def discard(self) -> None:
        """Nothing can be taken back."""

    def _write(self, line: str) -> None:
        try:
            # One write, so that no log line of another thread comes between the line and its end.
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError as error:
            raise SinkError(f"{self.target} could not be written: {error.strerror or error}") from None
        except ValueError:
            raise SinkError(f"{self.target} could not be written: the stream is closed") from None


def _directive(metrics: Sequence[MetricLike], namespace: str) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "Dimensions": [_DIMENSIONS],
        "Metrics": [{"Name": _name(metric), "Unit": _UNITS[metric.unit]} for metric in metrics],
    }


def _name(metric: MetricLike) -> str:
    """The name in UpperCamel, then the values of its labels. CloudWatch keeps the time and the unit elsewhere."""
    words = metric.name.removeprefix("last_run_").removesuffix("_seconds")
    return "".join(
        word.capitalize() for part in (words, *(value for _, value in metric.labels)) for word in part.split("_")
    )

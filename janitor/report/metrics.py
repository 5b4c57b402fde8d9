"""The metrics of a run, the same for every sink. Pure."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from janitor.report.model import Outcome, Report
from janitor.tokens.classify import State

# The `where` of errors that end the reading of a table.
_READING_PARTS = ("scan", "plan")

_SUCCESS = "last_run_success"
_LAST_SUCCESS = "last_success_timestamp_seconds"


class Metric(NamedTuple):
    """One metric of a run.

    Attributes:
        name: words in lower case, joined by underscores, the unit last where there is one.
        unit: `seconds` is a length of time, `timestamp` a UNIX second.
        help: what it means, in one line.
        value: the number.
        labels: names and values that distinguish metrics of the same name.
    """

    name: str
    unit: Literal["count", "seconds", "timestamp"]
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def build_metrics(report: Report) -> list[Metric]:
    """Build the run's metrics, no two with the same name and labels.

    What is not known is left out, and never 0: `tokens` and `next_expiry_*` after a run that did not see the whole
    table as it is now; `next_expiry_*` also when no accepted token expires within the horizon, or no findings were
    kept; `*_notices` when none could be due; `last_success_timestamp_seconds` when this run was no success.
    """
    of_table = [*_token_metrics(report), *_next_expiry_metrics(report)] if _saw_whole_table(report) else []
    return [*of_table, *_sum_metrics(report), *_notice_metrics(report), *_time_metrics(report)]


def mark_as_failed(metrics: Iterable[Metric]) -> list[Metric]:
    """Change the metrics of a report to those of a run that failed all the same: a place could not be written."""
    kept = [metric for metric in metrics if metric.name != _LAST_SUCCESS]
    return [metric._replace(value=0) if metric.name == _SUCCESS else metric for metric in kept]


def build_failure_metrics(ended_at: float | None) -> list[Metric]:
    """Build the metrics of a run that ended without a report: that it failed, and when, if that is known."""
    return [*_end_metrics(ended_at, is_success=False)]


def build_last_success_metric(ended_at: float) -> Metric:
    """Build the metric of the last success, which ended at this UNIX second."""
    help_text = "When the last run ended that did all it set out to do, in UNIX seconds."
    return Metric(_LAST_SUCCESS, "timestamp", help_text, ended_at)


def is_success(report: Report) -> bool:
    """Whether the run was complete, without errors."""
    return report.run.outcome is Outcome.COMPLETE and not report.errors


def _saw_whole_table(report: Report) -> bool:
    """Whether the counts are those of the whole table now, and not of a part, a plan, a file, or another time."""
    has_ended = report.run.outcome not in (Outcome.INTERRUPTED, Outcome.SKIPPED)
    is_broken_off = any(error.where in _READING_PARTS for error in report.errors)
    is_present = report.policy.as_of is None and all(table.source is None for table in report.tables)
    is_whole = report.run.command != "apply"
    return has_ended and not is_broken_off and is_whole and is_present


def _token_metrics(report: Report) -> Iterator[Metric]:
    for state in State:
        count = getattr(report.counts, state.value)
        yield Metric("tokens", "count", "Rows of the table by state.", count, (("state", state.value),))


def _sum_metrics(report: Report) -> Iterator[Metric]:
    deletion, capacity = report.deletion, report.capacity
    for name, value, help_text in (
        ("planned_tokens", deletion.planned, "Rows that the last run planned to delete."),
        ("protected_tokens", deletion.protected, "Rows that the last run left out of its plan for their protection."),
        ("waiting_tokens", deletion.waiting, "Rows that wait until their notice is old enough for them to be planned."),
        ("deleted_tokens", deletion.deleted, "Rows that the last run deleted."),
        ("changed_tokens", deletion.changed, "Planned rows that had changed when their turn came, and stay."),
        ("already_gone_tokens", deletion.already_gone, "Planned rows that were gone when their turn came."),
        ("failed_tokens", deletion.failed, "Planned rows that could not be deleted."),
        ("read_units", capacity.read_units, "Read capacity units that the last run used."),
        ("write_units", capacity.write_units, "Write capacity units that the last run used."),
        ("requests", capacity.requests, "Requests that the last run sent to DynamoDB, retries included."),
        ("throttled_requests", capacity.throttled, "Requests of the last run that DynamoDB throttled."),
    ):
        yield Metric(f"last_run_{name}", "count", help_text, value)


def _notice_metrics(report: Report) -> Iterator[Metric]:
    if report.notices is None:
        return
    yield Metric("last_run_due_notices", "count", "Notices that were due in the last run.", report.notices.due)
    yield Metric("last_run_sent_notices", "count", "Notices that the last run sent.", report.notices.sent)
    help_text = "Notices that the last run could not send, and the next tries again."
    yield Metric("last_run_failed_notices", "count", help_text, report.notices.failed)


def _next_expiry_metrics(report: Report) -> Iterator[Metric]:
    expiring = [
        (finding.seconds_to_expiry, finding.expires_at.timestamp())
        for finding in report.findings
        if finding.state is State.EXPIRING
        and finding.accepted_by
        and finding.expires_at
        and finding.seconds_to_expiry is not None
    ]
    if not expiring:
        return
    seconds, second = min(expiring)
    help_text = "From the last run's time to the next expiry of an accepted token, in seconds."
    yield Metric("next_expiry_seconds", "seconds", help_text, seconds)
    help_text = "When the next accepted token expires, in UNIX seconds."
    yield Metric("next_expiry_timestamp_seconds", "timestamp", help_text, second)


def _time_metrics(report: Report) -> Iterator[Metric]:
    run = report.run
    finished_at = run.finished_at.timestamp()
    yield Metric("run_duration_seconds", "seconds", "How long the last run took, in seconds.", run.duration_seconds)
    yield from _end_metrics(finished_at, is_success=is_success(report))
    help_text = "Whether a guard refused what the last run planned to delete: 1 or 0."
    yield Metric("last_run_refused", "count", help_text, int(run.outcome is Outcome.REFUSED))
    if is_success(report):
        yield build_last_success_metric(finished_at)


def _end_metrics(ended_at: float | None, *, is_success: bool) -> Iterator[Metric]:
    if ended_at is not None:
        yield Metric("last_run_timestamp_seconds", "timestamp", "When the last run ended, in UNIX seconds.", ended_at)
    help_text = "Whether the last run came to its end without an error: 1 or 0."
    yield Metric(_SUCCESS, "count", help_text, int(is_success))

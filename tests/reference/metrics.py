"""metrics.md: each metric that the program gives out, from a run in which there is something to say of everything."""

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client.core import Metric as Family

from janitor.report.metrics import build_metrics
from janitor.report.model import Capacity, Counts, Deletion, NoticesPart, Outcome
from janitor.serve.metrics import _DaemonCollector
from janitor.sinks.emf import _emf_name
from janitor.sinks.prometheus import PREFIX
from janitor.tokens.classify import State
from tests.reference.markdown import WIDE, code, codes, page, table

_NOW = dt.datetime(2027, 1, 31, tzinfo=dt.UTC)
_OPENING = """\
After this page you know what each metric means, and whether it can be missing.

`--metrics prometheus=PATH` writes them to a file for node_exporter's textfile collector, `--metrics emf` as a line of
CloudWatch's embedded metric format on standard error, in the namespace `janitor`; `janitor serve` has them under `/metrics`.
[Know that it still runs](../how-to/monitor.md) has rules for alerts."""
_RUN = """\
All are gauges: values of the last run, not sums over runs. Each has the labels (in CloudWatch the dimensions) `job`, `table` and
`region`: the job is the schedule file's name without its ending, or the command, or what `--job` says. Prometheus renames the
label `job` to `exported_job` unless it scrapes with `honor_labels: true`.

What is not known is left out, and never 0: `janitor_tokens` and `janitor_next_expiry_*` after a run that did not see the whole
table as it is now; `janitor_next_expiry_*` also when no accepted token expires within the horizon; the `*_notices` when none
could be due; `janitor_last_success_timestamp_seconds` when the run was no success (the file and the daemon then keep the time of
the last one).

A run that ends without a report, because the table cannot be reached or the run was stopped early, writes
`janitor_last_run_success` (0) and `janitor_last_run_timestamp_seconds` alone. The file has them for the tables that the job had
before, CloudWatch for the table as the settings name it. A run that was skipped, because another run has the table, leaves
the file as it is, and the daemon has of it the time of the last success alone. A dry run writes no metrics, and neither does a run
that is refused for wrong usage before it starts."""


def build_metrics_page() -> str:
    """Those of a run, and those of the daemon."""
    runs: dict[str, tuple[str, str, str, str]] = {}
    for metric in build_metrics(cast("Any", _full_report())):
        labels = codes(name for name, _ in metric.labels)
        # The value of a label is part of a name in CloudWatch.
        emf = _emf_name(metric) if not metric.labels else f"{_emf_name(metric._replace(labels=()))}…"
        runs.setdefault(metric.name, (code(f"{PREFIX}{metric.name}"), code(emf), labels, metric.help))
    daemon = [
        (code(_exposed_name(family)), family.type, codes(_label_names(family)), family.documentation)
        for family in _DaemonCollector(cast("Any", _full_status())).collect()
    ]
    return WIDE + page(
        "Metrics",
        _OPENING,
        "## Of a run",
        _RUN,
        table(("Prometheus", "CloudWatch", "labels besides", "meaning"), runs.values()),
        "## Of the daemon",
        "`janitor serve` adds these. An unknown value is left out: a job that never ran has no time of a last run.",
        table(("metric", "type", "labels", "meaning"), daemon),
    )


def _exposed_name(family: Family) -> str:
    return family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")


def _label_names(family: Family) -> list[str]:
    return [*dict.fromkeys(name for sample in family.samples for name in sample.labels)]


def _full_report() -> SimpleNamespace:
    finding = SimpleNamespace(seconds_to_expiry=1, expires_at=_NOW, state=State.EXPIRING, accepted_by=("api",))
    return SimpleNamespace(
        run=SimpleNamespace(outcome=Outcome.COMPLETE, command="scan", finished_at=_NOW, duration_seconds=1.0),
        policy=SimpleNamespace(as_of=None),
        tables=[],
        errors=[],
        counts=Counts(),
        deletion=Deletion(),
        capacity=Capacity(0, 0, 0, 0, 0, 0),
        findings=[finding],
        notices=NoticesPart(),
    )


def _full_status() -> SimpleNamespace:
    record = SimpleNamespace(
        runs={"complete": 1}, outcome="complete", missed=0, started_at=0.0, ended_at=1.0, exit_code=0, succeeded_at=1.0
    )
    job = SimpleNamespace(
        job=SimpleNamespace(deletes=False),
        record=record,
        last_reports=(),
        running_since=None,
        is_waiting=False,
        next_at=2.0,
    )
    return SimpleNamespace(version="", started_at=0.0, jobs={"job": job}, broken={"file": ""}, folder_error=None)

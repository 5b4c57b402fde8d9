"""From a run's report to what a digest says of it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace

import msgspec
from msgspec import structs

from janitor.notices.content import DigestContent
from janitor.notices.notice import Notice
from janitor.report.changed import Change, Changes
from janitor.report.combine import split_by_table
from janitor.report.model import Report, TableReport
from janitor.tokens.times import iso

_MOST_REPORT_BYTES = 80_000


def digest_content(report: Report, notices: Collection[Notice], pointer: str | None) -> DigestContent:
    """What a digest says of a run: its report, the notices that are due, and where the full report is."""
    table = report.only_table
    return DigestContent(
        table=report.title,
        region=table.region if table else None,
        account=table.account_id if table else None,
        command=report.run.command,
        dry_run=report.run.dry_run,
        outcome=report.run.outcome,
        started_at=iso(report.run.started_at),
        counts=structs.asdict(report.counts),
        deletion=report.deletion,
        notices=notices,
        changes=_changes_of(report.changes),
        locked_out=tuple(report.locked_out),
        unusual_days=tuple((day.day.isoformat(), day.expiring) for day in report.forecast if day.unusual),
        errors=tuple(error.message for error in report.errors),
        warnings=tuple(warning.message for warning in report.warnings),
        report_json=_report_json(report),
        pointer=pointer,
        tables=tuple(map(_of_table, report.tables, split_by_table(report))) if report.is_of_several else (),
    )


def _of_table(table: TableReport, report: Report) -> DigestContent:
    content = digest_content(structs.replace(report, findings=[]), (), None)
    return replace(content, table=table.label, errors=(), warnings=(), report_json=None)


def _changes_of(changes: Changes | None) -> Mapping[str, Change] | None:
    if changes is None:
        return None
    return {name: getattr(changes, name) for name in Changes.__struct_fields__ if name != "since"}


def _report_json(report: Report) -> str:
    """The report, without its findings where they would take more than a third of what SNS takes."""
    content = msgspec.to_builtins(report)
    whole = json.dumps(content)
    if len(whole) <= _MOST_REPORT_BYTES:
        return whole
    return json.dumps({**content, "findings": [], "findings_omitted": report.counts.scanned - report.counts.active})

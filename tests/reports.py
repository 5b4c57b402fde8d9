"""Reports of one table and of several, made for tests."""

from typing import Any

from msgspec import structs

from janitor.report.combine import combine_tables, labels_of, pick_most_urgent
from janitor.report.model import Report, TablePart, TableReport

MOST = 10_000


def of_one(table: TablePart, **parts: Any) -> Report:
    """A report of a run of this table, whose other parts are given, sums and all."""
    return Report(tables=[_table_of(table, parts)], **parts)


def of_several(*reports: Report, most: int = MOST) -> Report:
    """What a run of all the tables of these reports would say, each of which is of one."""
    labels = labels_of([place_of(report) for report in reports])
    tables = [structs.replace(table_of(report), label=label) for label, report in zip(labels, reports, strict=True)]
    findings = [
        structs.replace(finding, table=label)
        for label, report in zip(labels, reports, strict=True)
        for finding in report.findings
    ]
    return combine_tables(reports[0].run, tables, pick_most_urgent(findings, most))


def table_of(report: Report) -> TableReport:
    """What the report of a run of one table says of it, by the sums as they are."""
    return _table_of(place_of(report), structs.asdict(report))


def place_of(report: Report) -> TablePart:
    """Where the only table of a report is."""
    [table] = report.tables
    return TablePart(name=table.name, region=table.region, account_id=table.account_id, endpoint=table.endpoint)


def at(report: Report, place: TablePart) -> Report:
    """The same of a table somewhere else."""
    return structs.replace(report, tables=[_table_of(place, structs.asdict(report))])


def changed(report: Report, **changes: Any) -> Report:
    """The same with these parts, which are its only table's too."""
    whole = structs.replace(report, **changes)
    return at(whole, place_of(whole))


def named(report: Report, name: str, region: str | None = None) -> Report:
    """The same of a table of another name, or elsewhere."""
    place = place_of(report)
    return at(report, structs.replace(place, name=name, region=region or place.region))


def _table_of(place: TablePart, parts: dict[str, Any]) -> TableReport:
    shared = {name: parts[name] for name in TableReport.__struct_fields__ if name in parts}
    run = parts["run"]
    times = {name: getattr(run, name) for name in ("outcome", "started_at", "finished_at", "duration_seconds")}
    return TableReport(label=place.name, **structs.asdict(place), **times, **shared)

"""A report of several tables, made of reports of one."""

from msgspec import structs

from janitor.report.model import Report
from janitor.report.together import Labelled, labels_of, most_urgent, together

MOST = 10_000


def of_several(*reports: Report, most: int = MOST) -> Report:
    """What a run of all these tables would say."""
    labels = labels_of([report.table for report in reports if report.table is not None])
    findings = [
        structs.replace(finding, table=label)
        for label, report in zip(labels, reports, strict=True)
        for finding in report.findings
    ]
    tables = [Labelled(*each) for each in zip(labels, reports, strict=True)]
    return together(reports[0].run, tables, most_urgent(findings, most), digests=0)


def named(report: Report, name: str, region: str | None = None) -> Report:
    """The same of a table of another name, or elsewhere."""
    assert report.table is not None
    table = structs.replace(report.table, name=name, region=region or report.table.region)
    return structs.replace(report, table=table)

"""What a sweep deletes or would, and what is protected from it: which findings, in which words. For every format."""

from collections.abc import Iterable

from janitor.report.finding_cells import NOTHING
from janitor.report.model import Finding
from janitor.tokens.printable import printable

# How many planned rows a report for people lists, and how many protected ones: a screenful.
MAX_LISTED = 40

_PROTECTIONS = {"hold": "janitorHold", "system": "--protect-system"}


def list_planned(findings: Iterable[Finding]) -> list[Finding]:
    """List the rows of the plan, whatever became of them."""
    return [finding for finding in findings if finding.outcome is not None]


def list_protected(findings: Iterable[Finding]) -> list[Finding]:
    """List the rows that would be in the plan if nothing protected them."""
    return [
        finding
        for finding in findings
        if finding.outcome is None and finding.protected_by is not None and finding.why is not None
    ]


def describe_protection(finding: Finding) -> str:
    """Say what protects the row: an attribute, or the option as it was given; a dash if nothing does."""
    protected_by = finding.protected_by
    if protected_by is None:
        return NOTHING
    kind, _, pattern = protected_by.partition(":")
    return f"--protect-user {printable(pattern)}" if kind == "user" else _PROTECTIONS.get(kind, printable(kind))

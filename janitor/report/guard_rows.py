"""The guards of a run's tables in words, for every format for people."""

from collections.abc import Iterator

from janitor.report.model import GuardPart, Report
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

GUARD_COLUMNS = ("Table", "Guard", "Found", "Allowed", "Verdict")
_MAX_TABLES = 20


def make_guard_rows(report: Report) -> Iterator[tuple[str, ...]]:
    """Make the cells of each guard's row. Of several tables only guards that refuse; then how many passed."""
    if not report.is_of_several:
        for guard in report.tables[0].guards:
            yield _make_guard_row(report, "", guard)
        return
    for table in report.tables[:_MAX_TABLES]:
        refusing = [guard for guard in table.guards if guard.passed is False]
        for guard in refusing:
            yield _make_guard_row(report, printable(table.label), guard)
        others = [guard for guard in table.guards if guard.passed is not False]
        passed = sum(guard.passed is True for guard in others)
        unchecked = [guard.name for guard in others if guard.passed is None]
        verdicts = [f"{passed:,} passed"] if passed else []
        verdicts += [f"{', '.join(unchecked)} not checked"] if unchecked else []
        if verdicts:
            yield printable(table.label), "the others" if refusing else "all", "", "", ", ".join(verdicts)


def describe_guards(report: Report) -> Iterator[str]:
    """Say which guards refuse, by which figure and limit, and how many others passed; empty without guards."""
    guards = [guard for table in report.tables for guard in table.guards]
    for guard in guards:
        if guard.passed is False:
            refuses = "would refuse" if report.run.dry_run else "refused"
            yield f"The guard {guard.name} {refuses}: {guard.figure}, allowed is {guard.limit}"
    passed = sum(guard.passed is True for guard in guards)
    if passed:
        yield f"{format_count(passed, 'guard')} passed, of {len(guards):,}"


def list_refusing_guards(report: Report) -> tuple[str, ...]:
    """List the names of the guards for which nothing is deleted, or would be in a real run; each once.

    Of several tables: nothing, unless each that has planned rows is refused.
    """
    planned = [table for table in report.tables if table.deletion.planned]
    refusing = [[guard.name for guard in table.guards if guard.passed is False] for table in planned]
    return tuple(dict.fromkeys(name for names in refusing for name in names)) if all(refusing) else ()


def _make_guard_row(report: Report, label: str, guard: GuardPart) -> tuple[str, ...]:
    words = {True: "passed", False: "would refuse" if report.run.dry_run else "refused", None: "not checked"}
    return label, guard.name, guard.figure, guard.limit, words[guard.passed]

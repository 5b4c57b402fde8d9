"""What `plan show` and `archive list` both say of an archive: its table, its outcomes, the command to restore it."""

from collections.abc import Mapping

from janitor.archive.plan import PlanHeader
from janitor.report.plan_details import OutcomeCounts, PlannedTable
from janitor.report.target_options import quote_word
from janitor.settings.stored_archives import ConnectionSettings
from janitor.settings.table import CONNECTION_OPTIONS
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.wiring.command_options import format_options

OUTCOMES = tuple(DeletionOutcome)


def name_table(header: PlanHeader) -> PlannedTable:
    """The table that the rows are from."""
    return PlannedTable(name=header.table.name, region=header.table.region, account_id=header.table.account_id)


def count_outcomes(counts: Mapping[str, int], rows: int) -> OutcomeCounts:
    """Count the outcomes of so many rows; none of them is known in a plan, of which all are zero."""
    known = {outcome.value: counts.get(outcome, 0) for outcome in OUTCOMES}
    return OutcomeCounts(**known, unknown=rows - sum(known.values()) if any(known.values()) else 0)


def make_restore_command(place: str, connection: ConnectionSettings) -> str | None:
    """Make the command that says what a restore of the whole archive would put back; None if it cannot be shown."""
    return complete_command(f"janitor restore {quote_word(place)} --all --dry-run", connection)


def complete_command(command: str, connection: ConnectionSettings) -> str | None:
    """Add the options that led to the archive, which lead to its table too; None if one of them cannot be shown."""
    options = format_options(connection, CONNECTION_OPTIONS)
    return None if options.withheld else f"{command}{options.text}"

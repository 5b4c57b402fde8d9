"""Estimate what the real run will cost that a dry run has rehearsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from janitor.report.model import EstimatePart

if TYPE_CHECKING:
    from janitor.readers.tally import Tally
    from janitor.run.spec import TableSpec

_MILLION = 1_000_000
# The write units a second of a new on-demand table (DynamoDB developer guide, "On-demand capacity mode").
_NEW_TABLE_WRITES = 4_000


def estimate_real_run(spec: TableSpec, tally: Tally, *, read_units: float, seconds: float) -> EstimatePart | None:
    """Estimate what deleting the planned rows will cost, and reading the table once more; None without any.

    Reading costs what this run has just read, with every look-up of an owner. A delete costs a write unit for each
    started KB of the row, and the same for its copy in each index.

    Args:
        spec: what is done with the table.
        tally: counts the planned rows.
        read_units: what this run has read.
        seconds: how long it has taken.
    """
    sweep = spec.sweep
    if sweep is None or sweep.is_enabled or not sweep.plan.writer.rows:
        return None
    throughput = spec.table.throughput
    write_units = float(tally.planned_kilobytes * (1 + throughput.indexes))
    units_per_second = sweep.write_limit or throughput.provisioned_writes or _NEW_TABLE_WRITES
    return EstimatePart(
        read_units=read_units,
        write_units=write_units,
        cost_usd=round((read_units * spec.prices.read + write_units * spec.prices.write) / _MILLION, 6),
        seconds=round(seconds + write_units / units_per_second, 1),
    )

"""python -m tests.bench.billion: what a run over a billion rows would take, worked out from measured figures.

It prints BILLION.md; the figures that it was given stand in the page itself, as the command that makes it anew.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

_ROWS = 1_000_000_000
_PAGE_BYTES = 1024 * 1024
_BYTES_OF_A_READ_UNIT = 8 * 1024
"""Eventually consistent: half a unit for 4 KB."""

_NEW_TABLE_READS, _NEW_TABLE_WRITES = 12_000, 4_000
_QUOTA = 40_000
"""Units a second: of a new on-demand table, and the default quota of any table, of reads and of writes each."""

_READ_DOLLARS, _WRITE_DOLLARS = 0.125, 0.625
"""A million request units on demand in us-east-1, as `--read-price` and `--write-price` take them."""

_PAGE_SECONDS = 0.08
_SEGMENTS = 8
_READ_BUDGETS = (1_000, 3_000, _NEW_TABLE_READS, _QUOTA)
_DELETED_SHARE = 0.01
_WRITES_OF_A_DELETE = 2
"""The row, below 1 KB, and its entry in the index on `username`."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The figures of tests/bench/README.md that all follows from."""

    row_bytes: int
    rows_a_cpu_second: int
    deletes_a_second: int
    peak_mb: int


def page(measured: Measured) -> str:
    """The page as Markdown."""
    return "\n".join((*_head(measured), *_reading(measured), *_deleting(measured), *_rest(measured)))


def _head(measured: Measured) -> Iterator[str]:
    flags = " ".join(f"--{field.name.replace('_', '-')} {getattr(measured, field.name)}" for field in fields(measured))
    yield "# A billion rows"
    yield ""
    yield "What a run over a billion rows would take. Nothing of this was run at that size: it is worked out from the"
    yield "figures in [README.md](README.md), by the command"
    yield ""
    yield f"    python -m tests.bench.billion {flags} > tests/bench/BILLION.md"
    yield ""
    yield f"It assumes rows of {measured.row_bytes} bytes, as the replayed ones are; a CPU like the measured one; a"
    yield "table that spreads its load evenly; on-demand prices of us-east-1, which are the defaults of `--read-price`"
    yield "and `--write-price`."


def _reading(measured: Measured) -> Iterator[str]:
    size, units = _size(measured), _units(measured)
    yield from ("", "## Reading it once", "", "| what | how much | from |", "| --- | --- | --- |")
    yield f"| size | {size / 1e9:,.0f} GB | {_ROWS:,} x {measured.row_bytes} bytes |"
    yield f"| pages | {size / _PAGE_BYTES:,.0f} | of 1 MB, before the filter |"
    yield f"| read units | {units / 1e6:,.1f} million | half a unit for 4 KB; a filter saves none |"
    yield f"| price | {units / 1e6 * _READ_DOLLARS:,.2f} USD | {_READ_DOLLARS} USD a million |"
    yield (
        f"| CPU | {_minutes(_ROWS / measured.rows_a_cpu_second)} at most | {measured.rows_a_cpu_second:,} rows a CPU "
        "second, every row over the wire and one in ten a finding; the server's filter makes it less |"
    )
    yield from ("", "How long it takes is the table's to say: `--max-rcu`, or what it gives.", "")
    yield from ("| read units a second | time | |", "| --- | --- | --- |")
    notes = {_NEW_TABLE_READS: "a new on-demand table", _QUOTA: "a table's default quota"}
    for budget in _READ_BUDGETS:
        yield f"| {budget:,} | {_minutes(units / budget)} | {notes.get(budget, '')} |"
    yield from _one_process(measured)


def _one_process(measured: Measured) -> Iterator[str]:
    by_waiting = _SEGMENTS * _PAGE_BYTES / _PAGE_SECONDS
    by_cpu = float(measured.rows_a_cpu_second * measured.row_bytes)
    one = min(by_waiting, by_cpu)
    units = one / _BYTES_OF_A_READ_UNIT
    yield ""
    yield (
        f"A process with {_SEGMENTS} segments asks for {by_waiting / 1e6:,.0f} MB a second at "
        f"{_PAGE_SECONDS * 1000:.0f} ms a page, and has the CPU for {by_cpu / 1e6:,.0f} MB:"
    )
    whole = _minutes(_units(measured) / units)
    yield f"{one / 1e6:,.0f} MB, which are {units:,.0f} read units a second, and {whole} for it all."
    yield "A table that was never read so fast gives less at first."


def _deleting(measured: Measured) -> Iterator[str]:
    rows = _ROWS * _DELETED_SHARE
    units = rows * _WRITES_OF_A_DELETE
    yield from ("", f"## Deleting {_DELETED_SHARE:.0%} of it", "", "| what | how much | from |", "| --- | --- | --- |")
    yield f"| rows | {rows / 1e6:,.0f} million | `--max-deletes` has to be told so |"
    yield f"| write units | {units / 1e6:,.0f} million | {_WRITES_OF_A_DELETE} a row, its entry in the index included |"
    yield f"| price | {units / 1e6 * _WRITE_DOLLARS:,.2f} USD | {_WRITE_DOLLARS} USD a million |"
    seconds = rows / measured.deletes_a_second
    yield f"| time of one process | {_minutes(seconds)} | {measured.deletes_a_second:,} rows a second at 5 ms a call |"
    for table, limit in (("a new on-demand table", _NEW_TABLE_WRITES), ("a table at the default quota", _QUOTA)):
        yield f"| time, {table} | {_minutes(max(seconds, units / limit))} | {limit:,} write units a second |"


def _rest(measured: Measured) -> Iterator[str]:
    yield from ("", "## Memory", "")
    yield f"{measured.peak_mb} MB a process, whatever the table's size: measured up to twenty million rows."
    yield ""


def _size(measured: Measured) -> int:
    return _ROWS * measured.row_bytes


def _units(measured: Measured) -> float:
    return _size(measured) / _BYTES_OF_A_READ_UNIT


def _minutes(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} hours" if seconds >= 2 * 3600 else f"{seconds / 60:,.0f} minutes"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.billion", description="a billion rows, worked out")
    for field in fields(Measured):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, required=True)
    print(page(Measured(**vars(parser.parse_args(arguments)))), end="")


if __name__ == "__main__":
    main()

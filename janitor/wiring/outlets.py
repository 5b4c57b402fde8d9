"""The outlets of a run's report: each a format and the place that it goes to."""

import datetime as dt
import importlib
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError
from janitor.report.formats.interface import Format
from janitor.run.bounded_sink import BoundedSink
from janitor.run.outlets import Outlet, Outlets
from janitor.settings.output import OutputSettings
from janitor.settings.parsers import NO_REPORT, Placeholders, ReportTarget, S3Key, expand_key, expand_path
from janitor.sinks.file import File
from janitor.sinks.interface import Sink
from janitor.sinks.pipe_writer import PipeWriter
from janitor.sinks.stdout import Stdout
from janitor.stopping import REPORT_SECONDS, Stop
from janitor.terminal import shows_colours
from janitor.wiring.places import check_places_differ

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONTENT_TYPES = {
    "table": "text/plain; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# Wide enough for every column, where the table goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160
_WIDTH_OF_A_TERMINAL = 80
# The formats that hold every finding, or the most, best first.
_FULL = ("json", "ndjson", "html", "csv", "xlsx")
# The format that is no text.
_XLSX = "xlsx"


def check_reports(settings: OutputSettings, others: Sequence[tuple[str, Path]] = ()) -> None:
    """Check that no two files of a run are the same file, and that every format can be written.

    Args:
        settings: names the reports.
        others: the other files that the run reads or writes, each with the option that names it.

    Raises:
        ConfigurationError: two of them are the same file, or the same object in S3; or a workbook cannot be made, or
            would go to a terminal.
    """
    _check_workbook(settings)
    paths = [(f"--report {target}", target.place) for target in settings.report if isinstance(target.place, Path)]
    check_places_differ([*others, *paths])
    objects = [str(target.place) for target in settings.report if isinstance(target.place, S3Key)]
    if len(set(objects)) < len(objects):
        raise ConfigurationError("two reports go to one object in S3", "give each --report a key of its own")


def _check_workbook(settings: OutputSettings) -> None:
    if settings.format == _XLSX and sys.stdout.isatty():
        way_out = "write it to a file: --report xlsx=report.xlsx, or > report.xlsx"
        raise ConfigurationError("--format xlsx is a workbook, which no terminal can show", way_out)
    is_wanted = _XLSX in {settings.format, *(target.format for target in settings.report)}
    if is_wanted and importlib.util.find_spec("xlsxwriter") is None:
        way_out = "pip install 'token-janitor[excel]', or take csv, which spreadsheets open too"
        raise ConfigurationError("the format xlsx needs XlsxWriter, which is not installed", way_out, "extra")


def make_outlets(
    settings: OutputSettings,
    table: Table | None,
    s3: Callable[[], "S3Client"],
    run_id: str,
    stop: Stop,
) -> Outlets:
    """Make the outlets of a report; none is opened yet.

    Args:
        settings: names the reports.
        table: the table whose name may stand in their places; None for a report of several.
        s3: makes the client; called only if a report goes to S3.
        run_id: the run's id.
        stop: says whether the run was asked to stop.
    """
    is_terminal = sys.stdout.isatty()
    stdout = settings.format or ("table" if is_terminal else "json")
    outlets = [
        Outlet(_make_format(target.format, is_standard_output=False), _make_sink(target, table, s3, run_id, stop))
        for target in settings.report
    ]
    if stdout != NO_REPORT:
        outlets.append(Outlet(_make_format(stdout, is_standard_output=True), Stdout(_open_standard_output(stop))))
    return Outlets(outlets)


def _make_sink(
    target: ReportTarget,
    table: Table | None,
    s3: Callable[[], "S3Client"],
    run_id: str,
    stop: Stop,
) -> Sink:
    place = expand_place(target.place, table, run_id)
    if isinstance(place, Path):
        return File(place, lambda: stop.has_passed(REPORT_SECONDS))

    from janitor.sinks.s3_object import S3Object

    sink = S3Object(s3(), place.bucket, place.key, _CONTENT_TYPES[target.format])
    return BoundedSink(sink, lambda: stop.has_passed(REPORT_SECONDS))


def _open_standard_output(stop: Stop) -> BinaryIO | PipeWriter:
    # What was printed before has to come first.
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except OSError:
        # A caller in Python may have put an object without a descriptor there, which needs no waiting.
        return sys.stdout.buffer
    return PipeWriter(descriptor, lambda: stop.has_passed(REPORT_SECONDS), closes=False)


def _make_format(name: str, *, is_standard_output: bool) -> Format:
    """The format of this name: a class in the module of the same name, imported only if it is asked for.

    The calendar alone takes as long to import as a small table takes to scan.
    """
    module = importlib.import_module(f"janitor.report.formats.{name}")
    report_format: Format
    if name == "table":
        # COLUMNS comes first, in a pipe too; a terminal that does not know its width has 80.
        unknown = (_WIDTH_OF_A_TERMINAL if sys.stdout.isatty() else _WIDTH_OF_A_FILE, 0)
        width = shutil.get_terminal_size(unknown).columns if is_standard_output else _WIDTH_OF_A_FILE
        report_format = module.TableFormat(width=width, colour=is_standard_output and shows_colours(sys.stdout))
    else:
        report_format = getattr(module, f"{name.capitalize()}Format")()
    return report_format


def expand_place(place: Path | S3Key, table: Table | None, run_id: str) -> Path | S3Key:
    """Fill in the placeholders of a report's place, with today's date in UTC; `table` is None for several tables."""
    today = dt.datetime.now(dt.UTC).date()
    table_values = (table.name, table.region or "-", table.account_id or "-") if table else ("-", "-", "-")
    placeholders = Placeholders(*table_values, today, run_id)
    if isinstance(place, S3Key):
        return S3Key(place.bucket, expand_key(place.key, placeholders))
    return expand_path(place, placeholders)


def find_full_report(output: OutputSettings, table: Table | None, run_id: str) -> str | None:
    """Where a full report goes; None if none is written. Prefers S3, then the format that holds most.

    `table` is the one whose name may stand in the place; None for a report of several tables.
    """
    full = [target for target in output.report if target.format in _FULL]
    if not full:
        return None
    place = min(full, key=lambda each: (not isinstance(each.place, S3Key), _FULL.index(each.format))).place
    place = expand_place(place, table, run_id)
    return str(place if isinstance(place, S3Key) else place.absolute())

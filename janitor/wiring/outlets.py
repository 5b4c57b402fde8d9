"""The reports of a run: formats, and where each goes."""

import importlib
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
from janitor.settings.parsers import NO_REPORT, ReportTarget, S3Key
from janitor.sinks.file import File
from janitor.sinks.interface import Sink
from janitor.sinks.patient_writer import PatientWriter
from janitor.sinks.stdout import Stdout
from janitor.stopping import REPORT_SECONDS, Stop
from janitor.terminal import shows_colours
from janitor.wiring.places import check_places_differ
from janitor.wiring.report_places import expanded
from janitor.wiring.table import OpenTable

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
}

# Wide enough for every column of a table that goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160


def check_reports(settings: OutputSettings, others: Sequence[tuple[str, Path]] = ()) -> None:
    """See that no file of a run is another's.

    Args:
        settings: which reports.
        others: the files that the run reads and writes besides, by what the user calls them.

    Raises:
        ConfigurationError: two of all these are one file, or one object.
    """
    paths = [(f"--report {target}", target.place) for target in settings.report if isinstance(target.place, Path)]
    check_places_differ([*others, *paths])
    objects = [str(target.place) for target in settings.report if isinstance(target.place, S3Key)]
    if len(set(objects)) < len(objects):
        raise ConfigurationError("two reports go to one object in S3", "give each --report a key of its own")


def outlets_for(settings: OutputSettings, reached: OpenTable, run_id: str, stop: Stop) -> Outlets:
    """The outlets of a run of this table, none of them opened."""
    return outlets_of(settings, reached.table, lambda: reached.home.s3, run_id, stop)


def outlets_of(
    settings: OutputSettings,
    table: Table | None,
    s3: Callable[[], "S3Client"],
    run_id: str,
    stop: Stop,
) -> Outlets:
    """The outlets of a report of this table, None for one of several, none of them opened.

    `s3` is asked for only where a report goes there.
    """
    is_terminal = sys.stdout.isatty()
    stdout = settings.format or ("table" if is_terminal else "json")
    outlets = [
        Outlet(_format(target.format, is_terminal=False), _sink(target, table, s3, run_id, stop))
        for target in settings.report
    ]
    if stdout != NO_REPORT:
        outlets.append(Outlet(_format(stdout, is_terminal=is_terminal), Stdout(_standard_output(stop))))
    return Outlets(outlets)


def _sink(
    target: ReportTarget,
    table: Table | None,
    s3: Callable[[], "S3Client"],
    run_id: str,
    stop: Stop,
) -> Sink:
    place = expanded(target.place, table, run_id)
    if isinstance(place, Path):
        return File(place, lambda: stop.is_over(REPORT_SECONDS))

    from janitor.sinks.s3_object import S3Object

    sink = S3Object(s3(), place.bucket, place.key, _CONTENT_TYPES[target.format])
    return BoundedSink(sink, lambda: stop.is_over(REPORT_SECONDS))


def _standard_output(stop: Stop) -> BinaryIO | PatientWriter:
    # What was printed before comes before.
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except OSError:
        # Whoever calls this from Python may have put something else in its place, which nobody waits for.
        return sys.stdout.buffer
    return PatientWriter(descriptor, lambda: stop.is_over(REPORT_SECONDS), closes=False)


def _format(name: str, *, is_terminal: bool) -> Format:
    """The format of this name: a class of a module named like it, imported only where it is asked for.

    A calendar alone takes as long to import as a small table takes to scan.
    """
    module = importlib.import_module(f"janitor.report.formats.{name}")
    made: Format
    if name == "table":
        width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_A_FILE
        made = module.Table(width=width, colour=shows_colours(sys.stdout))
    else:
        made = getattr(module, name.capitalize())()
    return made
